import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/protocol/batch-body.ts'
import { decodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { hostText } from '../../src/protocol/message.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { GetMaxOffset } from '../../src/protocol/requests/offset.ts'
import { SendBatchMessage, SendMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { DeleteTopicInBroker, GetTopicConfig } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { ServerProcess } from '../support/broker-process.ts'
import {
  createTopic,
  maxOffset,
  properties,
  pullHeader,
  readQueue,
  sendHeader,
  sendTo,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

const BODY = Buffer.from('Hello RocketMQ')
const BODY_MAX = 256 * 1024
/** What the broker adds to the properties of a message that brings its UNIQ_KEY. */
const SUFFIX = properties({
  MSG_REGION: 'DefaultRegion',
  TRACE_ON: 'true',
  CLUSTER: 'DefaultCluster',
})

const ascending = (numbers: Iterable<number>) => [...numbers].toSorted((a, b) => a - b)

describe('a broker', () => {
  let broker: ServerProcess
  let client: RawClient
  beforeAll(async () => {
    broker = await ServerProcess.startBroker({ maxMessageSize: BODY_MAX })
    client = await broker.connect()
    await createTopic(client, 'T', { queues: 4 })
  })
  afterAll(() => broker.dispose())

  const refused = async (topic: string, changes = {}, body: Uint8Array = BODY) => {
    const answer = await client.ask(SendMessageV2, sendHeader(topic, changes), { body })
    return { code: answer.code, remark: answer.remark }
  }

  test.each([
    ['SEND_MESSAGE, JSON', SendMessage, 0],
    ['SEND_MESSAGE, ROCKETMQ', SendMessage, 1],
    ['SEND_MESSAGE_V2, JSON', SendMessageV2, 0],
    ['SEND_MESSAGE_V2, ROCKETMQ', SendMessageV2, 1],
  ] as const)('stores what %s brings', async (_, spec, serializeType) => {
    const given = { KEYS: 'k1 k2', TAGS: 'TägA', UNIQ_KEY: '7F0000010A2B18B4AAC20A1B2C3D0001' }
    const header = sendHeader('T', {
      queueId: 3,
      sysFlag: 1,
      flag: 77,
      bornTimestamp: 1_700_000_000_123,
      properties: properties(given),
      reconsumeTimes: 2,
    })
    const { code, reply, extFields } = await client.ask(spec, header, { body: BODY, serializeType })
    expect(code).toBe(0)
    expect(extFields!.get('MSG_REGION')).toBe('DefaultRegion')
    expect(extFields!.get('TRACE_ON')).toBe('true')
    const [message] = await readQueue(client, 'T', {
      queueId: 3,
      from: reply.queueOffset!,
      end: reply.queueOffset! + 1,
    })
    const { position, storeHost } = decodeOffsetMessageId(reply.msgId!)
    const { address, port } = client.socket.address() as { address: string; port: number }
    expect(message).toMatchObject({
      topic: 'T',
      queueId: 3,
      queueOffset: reply.queueOffset,
      position,
      sysFlag: 1,
      flag: 77,
      bornTimestamp: 1_700_000_000_123,
      reconsumeTimes: 2,
      body: BODY,
    })
    expect(hostText(message!.bornHost)).toBe(`${address}:${port}`)
    expect(hostText(message!.storeHost)).toBe(`127.0.0.1:${broker.port}`)
    expect(hostText(storeHost)).toBe(`127.0.0.1:${broker.port}`)
    const added = { MSG_REGION: 'DefaultRegion', TRACE_ON: 'true', CLUSTER: 'DefaultCluster' }
    expect(Object.fromEntries(message!.properties)).toEqual({ ...given, ...added })
  })

  test('gives a message without a UNIQ_KEY one of its own', async () => {
    const first = await sendTo(client, 'T', { queueId: 2 })
    await sendTo(client, 'T', { queueId: 2 })
    const from = first.queueOffset
    const messages = await readQueue(client, 'T', { queueId: 2, from, end: from + 2 })
    const keys = messages.map((message) => message.properties.get('UNIQ_KEY'))
    expect(keys[0]).toMatch(/^[\dA-F]{32}$/)
    expect(keys[1]).not.toBe(keys[0])
  })

  test('drops a POP receipt that comes with a message', async () => {
    const given = properties({ KEYS: 'k', POP_CK: '0 0 0 0 0 0', TAGS: 'a' })
    const { queueOffset } = await sendTo(client, 'T', { queueId: 2, properties: given })
    const at = { queueId: 2, from: queueOffset, end: queueOffset + 1 }
    const [message] = await readQueue(client, 'T', at)
    expect(message!.properties.has('POP_CK')).toBe(false)
    expect(message!.properties.get('TAGS')).toBe('a')
  })

  test.each([
    ['', /1 to 127 characters are allowed/],
    ['a b', /letters, digits and % \| _ - are allowed/],
    ['../../x', /letters, digits and % \| _ - are allowed/],
    ['%RETRY%../x', /letters, digits and % \| _ - are allowed/],
    ['Täg', /letters, digits and % \| _ - are allowed/],
    ['x'.repeat(128), /max length 127/],
    [`%RETRY%${'x'.repeat(128)}`, /max length 127/],
    ['x'.repeat(32_767), /max length 127/],
  ])('refuses the topic %j and says what is allowed', async (topic, allowed) => {
    const { code, remark } = await refused(topic)
    expect(code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(remark).toMatch(allowed)
    expect(remark!.length).toBeLessThan(600)
    expect((await client.ask(GetTopicConfig, { topic })).code).not.toBe(0)
  })

  test('refuses a topic that does not exist when its template does not, either', async () => {
    const { code, remark } = await refused('Nowhere', { defaultTopic: 'none' })
    expect(code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    expect(remark).toMatch(/^topic\[Nowhere\] not exist, apply first please!/)
  })

  test.each([
    'SCHEDULE_TOPIC_XXXX',
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'RMQ_SYS_TRANS_OP_HALF_TOPIC',
    'TRANS_CHECK_MAX_TIME_TOPIC',
    'SELF_TEST_TOPIC',
    'OFFSET_MOVED_EVENT',
  ])('refuses the system topic %s', async (topic) => {
    expect(await refused(topic)).toEqual({
      code: ResponseCode.NO_PERMISSION,
      remark: `Sending message to topic[${topic}] is forbidden.`,
    })
  })

  test('takes a body of maxMessageSize, and refuses one byte more', async () => {
    const { queueOffset } = await sendTo(client, 'T', {}, { body: Buffer.alloc(BODY_MAX, 1) })
    const { code, remark } = await refused('T', {}, Buffer.alloc(BODY_MAX + 1))
    expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    expect(remark).toContain(`msg body length limit ${BODY_MAX}B`)
    expect(remark).toContain(`${BODY_MAX + 1} bytes`)
    expect((await sendTo(client, 'T')).queueOffset).toBe(queueOffset + 1)
  })

  test.each([0, 1] as const)(
    'takes properties that fill their 32767 bytes, and refuses one more (serialize type %i)',
    async (serializeType) => {
      client.serializeType = serializeType
      const own = properties({ UNIQ_KEY: '7F0000010A2B18B4AAC20A1B2C3D0001', user: '' }).slice(
        0,
        -1,
      )
      const filled = own + 'v'.repeat(32_767 - SUFFIX.length - own.length - 1)
      await sendTo(client, 'T', { properties: `${filled}\u0002` })
      const { code, remark } = await refused('T', { properties: `${filled}v\u0002` })
      expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
      expect(remark).toContain('msg properties length limit 32KB')
      expect((await refused('T', { properties: 'v'.repeat(300_000) })).code).toBe(code)
      client.serializeType = 0
    },
  )

  test('puts queueId -1 into any of the write queues', async () => {
    const sent = Array.from({ length: 100 }, () => sendTo(client, 'T', { queueId: -1 }))
    const chosen = new Set((await Promise.all(sent)).map(({ queueId }) => queueId))
    expect(ascending(chosen)).toEqual([0, 1, 2, 3])
  })

  test.each([4, 5, 2 ** 31 - 1])('refuses queueId %i of four queues', async (queueId) => {
    const { code, remark } = await refused('T', { queueId })
    expect(code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(remark).toContain(`queueId[${queueId}] is illegal`)
    expect(remark).toContain('0 to 3')
  })

  test('refuses sends to a topic that is not writable', async () => {
    await createTopic(client, 'ReadOnly', { perm: 4 })
    expect(await refused('ReadOnly')).toEqual({
      code: ResponseCode.NO_PERMISSION,
      remark: 'the topic[ReadOnly] sending message is forbidden',
    })
  })

  test('takes DELAY=0, which asks for no delay', async () => {
    await sendTo(client, 'T', { properties: properties({ DELAY: '0' }) })
  })

  test.each([
    ['the sys flag of a half message', { sysFlag: 0x4 }],
    ['the sys flag of a roll-back', { sysFlag: 0xc }],
  ])('refuses a message with %s and no TRAN_MSG: nobody would see it', async (_, changes) => {
    const before = await sendTo(client, 'T')
    const { code, remark } = await refused('T', changes)
    expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    expect(remark).toMatch(/^the sys flag says that it is part of a transaction/)
    const { queueOffset } = await sendTo(client, 'T')
    expect(queueOffset).toBe(before.queueOffset + 1)
    await readQueue(client, 'T', { from: queueOffset, end: queueOffset + 1 })
  })

  test.each([
    ['bornTimestamp', '9223372036854775807', '-9223372036854775808', 'x', ''],
    ['flag', '2147483648', '99999999999999999999', '1.5'],
    ['reconsumeTimes', '-1', '4294967296', '+1'],
    ['sysFlag', '-4294967296', 'zero'],
  ])('survives any value of %s', async (field, ...values) => {
    const header = sendHeader('T', { queueId: 1 })
    for (const value of values) {
      const spec = {
        ...SendMessage,
        encodeHeader: () => SendMessage.encodeHeader(header).set(field, value),
      }
      const { code } = await client.ask(spec, header, { body: BODY })
      expect([0, 1, 13]).toContain(code)
    }
    const end = await maxOffset(client, 'T', 1)
    const { queueOffset } = await sendTo(client, 'T', { queueId: 1 })
    await readQueue(client, 'T', { queueId: 1, from: end, end: queueOffset + 1 })
  })

  test('never answers a one-way, not even one that fails', async () => {
    const alone = await broker.connect()
    const before = await maxOffset(alone, 'T', 1)
    const silent: number[] = []
    for (const topic of ['T', 'a b', 'SCHEDULE_TOPIC_XXXX', 'OneWayFresh', 'Nowhere']) {
      const header = sendHeader(topic, {
        queueId: 1,
        defaultTopic: topic === 'Nowhere' ? '' : 'TBW102',
      })
      silent.push(alone.send(SendMessageV2, header, { body: BODY, oneway: true }))
    }
    silent.push(alone.send(SendMessageV2, sendHeader('T', { queueId: 9 }), { oneway: true }))
    silent.push(
      alone.send(GetMaxOffset, { topic: 'T', queueId: 1, committed: true }, { oneway: true }),
    )
    silent.push(alone.send(PullMessage, pullHeader('T', { queueId: 9 }), { oneway: true }))
    await readQueue(alone, 'T', { queueId: 1, from: before, end: before + 1 })
    await sendTo(alone, 'OneWayFresh', { queueId: 1 })
    await readQueue(alone, 'OneWayFresh', { queueId: 1, end: 2 })
    await maxOffset(alone, 'T', 1)
    expect(alone.received.filter(({ opaque }) => silent.includes(opaque))).toEqual([])
    alone.close()
  })

  describe('of a batch', () => {
    const items = ['a', 'bb', 'ccc'].map((text, nth) => ({
      flag: nth,
      body: Buffer.from(text),
      properties: properties({ UNIQ_KEY: `key-${nth}`, TAGS: text }),
    }))
    const send = async (body: Uint8Array, topic = 'T', changes = {}) => {
      const header = sendHeader(topic, { queueId: 2, batch: true, ...changes })
      return client.ask(SendBatchMessage, header, { body })
    }

    test('stores each message as one of its own, with consecutive offsets', async () => {
      const { code, reply } = await send(encodeBatch(items))
      expect(code).toBe(0)
      const from = reply.queueOffset!
      const messages = await readQueue(client, 'T', { queueId: 2, from, end: from + 3 })
      expect(messages.map(({ body }) => String(body))).toEqual(['a', 'bb', 'ccc'])
      expect(messages.map(({ flag }) => flag)).toEqual([0, 1, 2])
      expect(messages.map((message) => message.properties.get('UNIQ_KEY'))).toEqual([
        'key-0',
        'key-1',
        'key-2',
      ])
      const ids = reply.msgId!.split(',').map((id) => decodeOffsetMessageId(id).position)
      expect(ids).toEqual(messages.map(({ position }) => position))
    })

    test('takes none of it when it is cut anywhere', async () => {
      const batch = encodeBatch(items)
      const before = await maxOffset(client, 'T', 2)
      const ends = new Set([0, batch.length / 3, batch.length]) // an empty body is no batch, either
      for (let length = 1; length < batch.length; length++) {
        const { code, remark } = await send(batch.subarray(0, length))
        if (code === 0) ends.delete(length)
        else expect(remark).toMatch(/^message \d of the batch is cut off/)
      }
      const { code, remark } = await send(Buffer.alloc(0))
      expect({ code, remark }).toEqual({
        code: ResponseCode.MESSAGE_ILLEGAL,
        remark: 'the batch has no message',
      })
      const { reply } = await send(batch)
      expect(reply.queueOffset! - before).toBeLessThanOrEqual(3) // 1 + 2: cut between messages
    })

    test('refuses lengths that lie', async () => {
      for (const [at, value] of [
        [16, -1],
        [16, 2 ** 31 - 1],
        [16, 2],
      ] as const) {
        const batch = encodeBatch(items.slice(0, 1))
        batch.writeInt32BE(value, at)
        const { code } = await send(batch)
        expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
      }
    })

    test('refuses one for a retry topic', async () => {
      await sendTo(client, '%RETRY%some-group')
      const { code, remark } = await send(encodeBatch(items), '%RETRY%some-group', { queueId: 0 })
      expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
      expect(remark).toContain('batch request does not support retry group')
    })
  })

  test('answers sends of a topic that was deleted with TOPIC_NOT_EXIST, and starts anew at 0', async () => {
    const other = await broker.connect()
    await createTopic(client, 'Mortal')
    await sendTo(other, 'Mortal')
    await readQueue(other, 'Mortal', { end: 1 })
    await deleteTopic(client, 'Mortal')
    const header = sendHeader('Mortal', { defaultTopic: 'none' })
    expect((await other.ask(SendMessageV2, header)).code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    const pull = await other.ask(PullMessage, pullHeader('Mortal'))
    expect(pull.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    await createTopic(client, 'Mortal')
    expect(await maxOffset(other, 'Mortal', 0)).toBe(0)
    const { queueOffset } = await sendTo(other, 'Mortal', {}, { body: Buffer.from('second life') })
    expect(queueOffset).toBe(0)
    const [message] = await readQueue(other, 'Mortal', { end: 1 })
    expect(String(message!.body)).toBe('second life')
    other.close()
  })
})

test('a broker that permits nothing refuses every send and pull, and makes no topic', async () => {
  const broker = await ServerProcess.startBroker({ brokerPermission: 0 })
  const client = await broker.connect()
  for (const topic of ['Fresh', 'BenchmarkTest']) {
    const sent = await client.ask(SendMessageV2, sendHeader(topic), { body: BODY })
    const pulled = await client.ask(PullMessage, pullHeader(topic))
    expect([sent.code, pulled.code]).toEqual(Array(2).fill(ResponseCode.NO_PERMISSION))
    expect(sent.remark).toBe('the broker[127.0.0.1] sending message is forbidden')
    expect(pulled.remark).toBe('the broker[127.0.0.1] pulling message is forbidden')
  }
  expect((await client.ask(GetTopicConfig, { topic: 'Fresh' })).code).not.toBe(0)
  await broker.dispose()
})

async function deleteTopic(client: RawClient, topic: string): Promise<void> {
  const { code } = await client.ask(DeleteTopicInBroker, { topic })
  expect(code).toBe(0)
}
