/** Topics with dedup.window.ms in a broker that is a process of its own. */
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/protocol/batch-body.ts'
import { KvTable } from '../../src/protocol/bodies/kv-table.ts'
import { SerializeType } from '../../src/protocol/frame.ts'
import { GetBrokerRuntimeInfo } from '../../src/protocol/requests/broker.ts'
import { SendBatchMessage, SendMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import {
  maxOffset,
  properties,
  readQueue,
  sendHeader,
  sendTo,
  setTopic,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const HOUR = 3_600_000

async function allow(client: RawClient, attributes: string, queues = 2): Promise<void> {
  const { code, remark } = await setTopic(client, 'T', { attributes, queues })
  expect({ code, remark }).toEqual({ code: 0, remark: null })
}

function send(client: RawClient, key: string, changes = {}) {
  return sendTo(client, 'T', { properties: properties({ UNIQ_KEY: key }), ...changes })
}

async function counts(client: RawClient): Promise<[number, number]> {
  return [await maxOffset(client, 'T', 0), await maxOffset(client, 'T', 1)]
}

test('the same message over many connections and workers is stored once', async () => {
  const server = await startBroker({ networkWorkers: 4 })
  const clients = await Promise.all(Array.from({ length: 12 }, () => server.connect()))
  await allow(clients[0]!, `+dedup.window.ms=${HOUR}`)
  const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)
  const answers = await Promise.all(
    keys.map((key) =>
      Promise.all(clients.map((client, i) => send(client, key, { queueId: i % 2 }))),
    ),
  )
  for (const ofKey of answers) expect(new Set(ofKey.map(({ msgId }) => msgId)).size).toBe(1)
  const last = await send(clients[0]!, 'last', { queueId: 0 })
  const stored = await readQueue(clients[0]!, 'T', { end: last.queueOffset + 1 })
  const [here, there] = [stored.length - 1, await maxOffset(clients[0]!, 'T', 1)]
  expect(here + there).toBe(keys.length)
  expect(new Set(stored.map((each) => each.properties.get('UNIQ_KEY'))).size).toBe(stored.length)
  expect(stored[0]!.properties.get('CLUSTER')).toBe('DefaultCluster')
  const info = await clients[0]!.ask(GetBrokerRuntimeInfo, {})
  const { table } = KvTable.decode(info.body)
  expect(table.get('dedupHits')).toBe(String(keys.length * (clients.length - 1)))
})

test.each(['stop', 'kill'] as const)(
  'what was stored before a %s is known after it',
  async (end) => {
    const first = await startBroker({ networkWorkers: 2 })
    const client = await first.connect()
    await allow(client, `+dedup.window.ms=${HOUR}`)
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`)
    const before = await Promise.all(keys.map((key, i) => send(client, key, { queueId: i % 2 })))
    await first[end]()
    const second = await startBroker({ networkWorkers: 2 }, first.folder)
    const again = await second.connect()
    const after = await Promise.all(keys.map((key) => send(again, key)))
    const places = (answers: typeof before) =>
      answers.map(({ queueId, queueOffset }) => `${queueId} ${queueOffset}`)
    expect(places(after)).toEqual(places(before))
    expect(await counts(again)).toEqual([150, 150])
  },
)

test('a broker that is killed in the middle of it stores every message once in the end', async () => {
  const first = await startBroker()
  const client = await first.connect()
  await allow(client, `+dedup.window.ms=${HOUR}`)
  const keys = Array.from({ length: 2000 }, (_, i) => `key-${i}`)
  const answered = new Map<string, string>()
  const sends = keys.map((key) =>
    send(client, key).then(
      ({ msgId, queueOffset }) => {
        answered.set(key, `${queueOffset}`)
        if (answered.size === 500) void first.kill()
        return msgId
      },
      () => null,
    ),
  )
  await Promise.all(sends)
  const second = await startBroker({}, first.folder)
  const again = await second.connect()
  const retried = await Promise.all(keys.map((key) => send(again, key)))
  for (const [i, { queueOffset }] of retried.entries()) {
    const had = answered.get(keys[i]!)
    if (had !== undefined) expect(`${queueOffset}`).toBe(had)
  }
  const stored = await readQueue(again, 'T', { end: keys.length })
  expect(new Set(stored.map((each) => each.properties.get('UNIQ_KEY'))).size).toBe(keys.length)
  expect(await maxOffset(again, 'T', 0)).toBe(keys.length)
})

test('only plain messages with a key are looked at, in every way they may be sent', async () => {
  const client = await (await startBroker()).connect()
  await allow(client, `+dedup.window.ms=${HOUR}`)
  const text = properties({ UNIQ_KEY: 'k' })
  const body = { body: Buffer.from('body') }
  const header = sendHeader('T', { properties: text })
  const answers = [
    await client.ask(SendMessageV2, header, body),
    await client.ask(SendMessage, header, body),
    await client.ask(SendMessageV2, header, { ...body, serializeType: SerializeType.ROCKETMQ }),
  ]
  const msgIds = answers.map(({ reply }) => reply.msgId)
  expect(new Set(msgIds).size).toBe(1)
  expect(answers[1]!.reply).toMatchObject({ region: 'DefaultRegion', traceOn: true })
  const oneway = client.send(SendMessageV2, sendHeader('T', { properties: text }), {
    ...body,
    oneway: true,
  })
  expect(oneway).toBeGreaterThan(0)
  for (let i = 0; i < 2; i++) await sendTo(client, 'T') // no key
  const item = { topic: 'T', body: Buffer.from('b'), flag: 0, properties: text }
  for (let i = 0; i < 2; i++) {
    const batch = sendHeader('T', { batch: true })
    expect((await client.ask(SendBatchMessage, batch, { body: encodeBatch([item]) })).code).toBe(0)
  }
  const last = await send(client, 'last')
  expect(last.queueOffset).toBe(5)
})

test('the window ends, and goes with its attribute or its topic', async () => {
  const client = await (await startBroker()).connect()
  await allow(client, `+dedup.window.ms=${HOUR}`)
  const first = await send(client, 'k')
  await allow(client, '+dedup.window.ms=1')
  await expect.poll(async () => (await send(client, 'k')).msgId).not.toBe(first.msgId)
  await allow(client, '-dedup.window.ms')
  const count = (await send(client, 'k')).queueOffset
  expect((await send(client, 'k')).queueOffset).toBe(count + 1)
  await allow(client, `+dedup.window.ms=${HOUR}`)
  expect((await send(client, 'k')).queueOffset).toBe(count + 1) // the queues know it
  await client.ask(DeleteTopicInBroker, { topic: 'T' })
  await allow(client, `+dedup.window.ms=${HOUR}`)
  expect((await send(client, 'k')).queueOffset).toBe(0)
})

test('a send that no broker would take is refused as ever', async () => {
  const client = await (await startBroker({ maxMessageSize: 100 })).connect()
  await allow(client, `+dedup.window.ms=${HOUR}`)
  const header = sendHeader('T', { properties: properties({ UNIQ_KEY: 'k' }) })
  const long = await client.ask(SendMessageV2, header, { body: Buffer.alloc(101) })
  const wrong = await client.ask(
    SendMessageV2,
    { ...header, queueId: 7 },
    { body: Buffer.alloc(1) },
  )
  const { MESSAGE_ILLEGAL, INVALID_PARAMETER } = ResponseCode
  expect([long.code, wrong.code]).toEqual([MESSAGE_ILLEGAL, INVALID_PARAMETER])
  const many = { ...header, properties: properties({ UNIQ_KEY: 'k', more: 'x'.repeat(32_767) }) }
  expect((await client.ask(SendMessageV2, many, { body: Buffer.alloc(1) })).code).toBe(
    MESSAGE_ILLEGAL,
  )
  expect((await send(client, 'k')).queueOffset).toBe(0)
})
