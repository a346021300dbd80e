/** Messages that stand in light queues (Apache's LMQ) besides their own. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/protocol/batch-body.ts'
import type { StoredMessage } from '../../src/protocol/message.ts'
import { QueryConsumerOffset, UpdateConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendBatchMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { CleanUnusedTopic } from '../../src/protocol/requests/broker.ts'
import { DeleteTopicInBroker, GetAllTopicConfig } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess, Settings } from '../support/broker-process.ts'
import {
  createTopic,
  holdingPull,
  maxOffset,
  messagesOf,
  properties,
  pullHeader,
  readQueue,
  sendHeader,
  sendTo,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const ON = { enableLmq: true, enableMultiDispatch: true }

async function open(
  settings: Settings = ON,
): Promise<{ broker: ServerProcess; client: RawClient }> {
  const broker = await startBroker(settings)
  const client = await broker.connect()
  await createTopic(client, 'T', { queues: 2 })
  return { broker, client }
}

function naming(names: string, others: Record<string, string> = {}): string {
  return properties({ ...others, INNER_MULTI_DISPATCH: names })
}

function offsetsIn({ properties: text }: StoredMessage): string | undefined {
  return text.get('INNER_MULTI_QUEUE_OFFSET')
}

function bodies(messages: readonly StoredMessage[]): string[] {
  return messages.map(({ body }) => Buffer.from(body).toString())
}

function send(client: RawClient, body: string, text: string, changes = {}) {
  return sendTo(client, 'T', { properties: text, ...changes }, { body: Buffer.from(body) })
}

test('a message stands in its own queue and in each light queue that it names, and says as which', async () => {
  const { client } = await open()
  await send(client, 'a', naming('%LMQ%x,%LMQ%y', { WAIT: 'true', TAGS: 'red' }))
  await send(client, 'b', '', { queueId: 1 })
  await send(client, 'c', naming('%LMQ%y'), { queueId: 1 })
  expect(bodies(await readQueue(client, 'T', { queueId: 1, end: 2 }))).toEqual(['b', 'c'])
  expect(bodies(await readQueue(client, '%LMQ%x', { end: 1 }))).toEqual(['a'])
  const light = await readQueue(client, '%LMQ%y', { end: 2 })
  expect(bodies(light)).toEqual(['a', 'c'])
  expect(light.map(offsetsIn)).toEqual(['0,0', '1'])
  expect(light.map(({ topic, queueId, queueOffset }) => [topic, queueId, queueOffset])).toEqual([
    ['T', 0, 0],
    ['T', 1, 1],
  ])
  expect(light[0]!.properties.has('WAIT')).toBe(false)
  const tagged = await client.ask(PullMessage, pullHeader('%LMQ%y', { subscription: 'red' }))
  expect(bodies(messagesOf(tagged))).toEqual(['a'])
})

test('a pull waits for the first message of a light queue that nobody has heard of', async () => {
  const { client } = await open()
  const held = client.send(PullMessage, holdingPull('%LMQ%new'))
  await send(client, 'a', naming('%LMQ%other,%LMQ%new'))
  expect(bodies(messagesOf(await client.replyTo(held)))).toEqual(['a'])
})

test.each([
  ['%LMQ%a,plain', /names plain, only %LMQ%/],
  ['%LMQ%a,%LMQ%a', /names %LMQ%a twice/],
  ['%LMQ%a/../b', /illegal characters/],
  [`%LMQ%${'a'.repeat(128)}`, /longer than/],
  ['%LMQ%a,,%LMQ%b', /blank/],
])('names that are none are refused: %s', async (names, why) => {
  const { client } = await open()
  const header = sendHeader('T', { properties: naming(names) })
  const { code, remark } = await client.ask(SendMessageV2, header, { body: Buffer.from('a') })
  expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
  expect(remark).toMatch(why)
  expect(await maxOffset(client, '%LMQ%a', 0)).toBe(0)
})

test('what a client says of offsets does not count', async () => {
  const { client } = await open()
  await send(client, 'a', naming('%LMQ%x', { INNER_MULTI_QUEUE_OFFSET: '7' }))
  await send(client, 'b', properties({ INNER_MULTI_QUEUE_OFFSET: '1' }))
  const [message] = await readQueue(client, '%LMQ%x', { end: 1 })
  expect(offsetsIn(message!)).toBe('0')
  expect((await readQueue(client, 'T', { end: 2 })).map(offsetsIn)).toEqual(['0', undefined])

  const item = { flag: 0, body: Buffer.from('c'), properties: '' }
  const forged = naming('%LMQ%x', { INNER_MULTI_QUEUE_OFFSET: '1' })
  const batch = encodeBatch([item, { ...item, properties: forged }])
  const refused = await client.ask(SendBatchMessage, sendHeader('T', { batch: true }), {
    body: batch,
  })
  expect(refused.code).toBe(ResponseCode.MESSAGE_ILLEGAL)
  expect(refused.remark).toMatch(/which the broker writes/)
})

test('a batch stands in its own queue alone', async () => {
  const { client } = await open()
  const item = { flag: 0, body: Buffer.from('a'), properties: naming('%LMQ%x') }
  const body = encodeBatch([item, item])
  const { code } = await client.ask(SendBatchMessage, sendHeader('T', { batch: true }), { body })
  expect(code).toBe(0)
  await send(client, 'b', naming('%LMQ%x'))
  expect(bodies(await readQueue(client, '%LMQ%x', { end: 1 }))).toEqual(['b'])
})

test('a delayed message comes into its light queues when it is delivered', async () => {
  const { client } = await open()
  const later = naming('%LMQ%x', { DELAY: '1' })
  await send(client, 'late', later)
  await send(client, 'early', naming('%LMQ%x'))
  const found = await readQueue(client, '%LMQ%x', { end: 2 })
  expect(bodies(found)).toEqual(['early', 'late'])
  expect(found.map(offsetsIn)).toEqual(['0', '1'])
})

test('without both settings a message stands in its own queue alone, whatever it says', async () => {
  const { client } = await open({ enableMultiDispatch: true })
  await send(client, 'a', naming('%LMQ%x', { INNER_MULTI_QUEUE_OFFSET: '0' }))
  const [message] = await readQueue(client, 'T', { end: 1 })
  expect(offsetsIn(message!)).toBe(undefined)
  const { code } = await client.ask(PullMessage, pullHeader('%LMQ%x'))
  expect(code).toBe(ResponseCode.TOPIC_NOT_EXIST)
})

test.each(['kill', 'stop'] as const)(
  'light queues go on after a %s, also when their files were lost',
  async (end) => {
    const { broker, client } = await open()
    for (let nth = 0; nth < 5; nth++) await send(client, `a${nth}`, naming('%LMQ%x,%LMQ%y'))
    await readQueue(client, '%LMQ%x', { end: 5 })
    await broker[end]()
    rmSync(join(broker.store, 'consumequeue', '%LMQ%x'), { recursive: true })
    const next = await startBroker(ON, broker.folder)
    const again = await next.connect()
    await sendTo(again, 'T', { properties: naming('%LMQ%x') }, { body: Buffer.from('b') })
    const expected = ['a0', 'a1', 'a2', 'a3', 'a4', 'b']
    expect(bodies(await readQueue(again, '%LMQ%x', { end: 6 }))).toEqual(expected)
    expect(await maxOffset(again, '%LMQ%y', 0)).toBe(5)
  },
)

test('a light topic is in no list, is not cleaned as unused, and goes when it is deleted', async () => {
  const { client } = await open()
  await send(client, 'a', naming('%LMQ%x'))
  await readQueue(client, '%LMQ%x', { end: 1 })
  expect((await client.ask(CleanUnusedTopic, {})).code).toBe(0)
  expect(await maxOffset(client, '%LMQ%x', 0)).toBe(1)
  const { body } = await client.ask(GetAllTopicConfig, {})
  expect(Buffer.from(body!).toString()).not.toContain('%LMQ%')
  expect((await client.ask(DeleteTopicInBroker, { topic: '%LMQ%x' })).code).toBe(0)
  expect(await maxOffset(client, '%LMQ%x', 0)).toBe(0)
  await send(client, 'b', naming('%LMQ%x'))
  expect(bodies(await readQueue(client, '%LMQ%x', { end: 1 }))).toEqual(['b'])
})

test('a message that is sent to a light topic itself has the next place there', async () => {
  const { client } = await open()
  await send(client, 'a', naming('%LMQ%x'))
  await sendTo(client, '%LMQ%x', {}, { body: Buffer.from('b') })
  await send(client, 'c', naming('%LMQ%x'))
  expect(bodies(await readQueue(client, '%LMQ%x', { end: 3 }))).toEqual(['a', 'b', 'c'])
})

test('there are no more light queues than maxLmqConsumeQueueNum', async () => {
  const { client } = await open({ ...ON, maxLmqConsumeQueueNum: 2 })
  await send(client, 'a', naming('%LMQ%x,%LMQ%y'))
  const header = sendHeader('T', { properties: naming('%LMQ%x,%LMQ%z') })
  const { code, remark } = await client.ask(SendMessageV2, header, { body: Buffer.from('b') })
  expect(code).toBe(ResponseCode.SYSTEM_ERROR)
  expect(remark).toMatch(/^\[LMQ_CONSUME_QUEUE_NUM_EXCEEDED\].*maxLmqConsumeQueueNum=2/)
  await send(client, 'c', naming('%LMQ%y'))
  expect(bodies(await readQueue(client, '%LMQ%y', { end: 2 }))).toEqual(['a', 'c'])
})

test('offsets of light groups outlive a restart in lmqConsumerOffset.json, with those of all others', async () => {
  const { broker, client } = await open()
  await send(client, 'a', naming('%LMQ%x'))
  await readQueue(client, '%LMQ%x', { end: 1 })
  const light = { consumerGroup: '%LMQ%group', topic: '%LMQ%x', queueId: 0 }
  const plain = { consumerGroup: 'TOOLS_CONSUMER', topic: 'T', queueId: 1 }
  await client.ask(PullMessage, pullHeader('%LMQ%x', { consumerGroup: light.consumerGroup }))
  for (const [nth, queue] of [light, plain].entries()) {
    const answer = await client.ask(UpdateConsumerOffset, { ...queue, commitOffset: nth + 1 })
    expect(answer.code).toBe(0)
  }
  await broker.stop()
  const json = readFileSync(join(broker.store, 'config/lmqConsumerOffset.json'), 'utf8')
  expect(JSON.parse(json)).toMatchObject({
    lmqOffsetTable: { '%LMQ%x@%LMQ%group': 1 },
    offsetTable: { 'T@TOOLS_CONSUMER': { 1: 2 } },
  })
  const again = await (await startBroker(ON, broker.folder)).connect()
  for (const [nth, queue] of [light, plain].entries()) {
    expect((await again.ask(QueryConsumerOffset, queue)).reply.offset).toBe(nth + 1)
  }
})
