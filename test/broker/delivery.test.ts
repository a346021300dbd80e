/** Messages that come back, or come later, through a broker in a process of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SerializeType } from '../../src/protocol/frame.ts'
import type { StoredMessage } from '../../src/protocol/message.ts'
import { decodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { LockBatchMq } from '../../src/protocol/requests/client.ts'
import { ConsumerSendMsgBack } from '../../src/protocol/requests/retry.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess, Settings } from '../support/broker-process.ts'
import { createTopic, properties, readQueue, sendHeader, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const GROUP = 'consumers'
const RETRY = `%RETRY%${GROUP}`
const DEAD = `%DLQ%${GROUP}`
const SECOND = 1000

/** A broker with a topic, and one message that the group has read. */
async function consumed(settings: Settings = {}): Promise<{
  broker: ServerProcess
  client: RawClient
  message: StoredMessage
}> {
  const broker = await startBroker(settings)
  const client = await broker.connect()
  await createTopic(client, 'T')
  await sendTo(client, 'T', { properties: properties({ TAGS: 'a', KEYS: 'k', UNIQ_KEY: 'u' }) })
  const [message] = await readQueue(client, 'T', { end: 1 })
  return { broker, client, message: message! }
}

function sendBack(client: RawClient, offset: number, changes = {}) {
  const header = { offset, group: GROUP, delayLevel: 1, unitMode: false, ...changes }
  return client.ask(ConsumerSendMsgBack, header)
}

describe('a message with a delay level', () => {
  test('is there when its time is over, not before, and the one that comes after it is not held up', async () => {
    const client = await (await startBroker()).connect()
    await createTopic(client, 'T', { queues: 2 })
    const delayed = properties({ DELAY: '1', TAGS: 'late', UNIQ_KEY: 'u1' })
    const { queueId, msgId } = await sendTo(client, 'T', { queueId: 1, properties: delayed })
    expect(queueId).toBe(1)
    await sendTo(client, 'T', { queueId: 1 })
    const [first, second] = await readQueue(client, 'T', { queueId: 1, end: 2 })
    expect(first!.properties.has('DELAY')).toBe(false)
    expect(second!.properties.get('UNIQ_KEY')).toBe('u1')
    expect(second!.properties.get('REAL_TOPIC')).toBe('T')
    expect(Buffer.from(second!.body).toString()).toBe('body')
    expect(second!.position).toBeGreaterThan(decodeOffsetMessageId(msgId).position)
    expect(second!.storeTimestamp - first!.storeTimestamp).toBeGreaterThanOrEqual(SECOND - 50)
  })

  test('that comes due while the broker is down is delivered by the next start, after kill -9 too', async () => {
    const first = await startBroker()
    const client = await first.connect()
    await createTopic(client, 'T')
    for (const nth of [1, 2, 3]) {
      await sendTo(client, 'T', { properties: properties({ DELAY: '1', UNIQ_KEY: `u${nth}` }) })
    }
    const exit = await first.kill()
    expect(exit.signal).toBe('SIGKILL')
    const second = await startBroker({}, first.folder)
    const messages = await readQueue(await second.connect(), 'T', { end: 3 })
    expect(messages.map((each) => each.properties.get('UNIQ_KEY'))).toEqual(['u1', 'u2', 'u3'])
  })

  test('that was delivered is not delivered again after a stop', async () => {
    const first = await startBroker()
    const client = await first.connect()
    await createTopic(client, 'T')
    await sendTo(client, 'T', { properties: properties({ DELAY: '1' }) })
    await readQueue(client, 'T', { end: 1 })
    await first.stop()
    const again = await (await startBroker({}, first.folder)).connect()
    await sendTo(again, 'T', { properties: properties({ UNIQ_KEY: 'next' }) })
    const [, next] = await readQueue(again, 'T', { end: 2 })
    expect(next!.properties.get('UNIQ_KEY')).toBe('next')
  })
})

describe('a message that a consumer sends back', () => {
  test('comes again through the retry topic of the group, later', async () => {
    const { client, message } = await consumed()
    expect((await sendBack(client, message.position)).code).toBe(0)
    const [retried] = await readQueue(client, RETRY, { end: 1 })
    expect(retried!.reconsumeTimes).toBe(1)
    expect(retried!.body).toEqual(message.body)
    expect(retried!.bornHost).toEqual(message.bornHost)
    expect(Object.fromEntries(retried!.properties)).toMatchObject({
      TAGS: 'a',
      KEYS: 'k',
      UNIQ_KEY: 'u',
      RETRY_TOPIC: 'T',
      REAL_TOPIC: RETRY,
    })
    const origin = decodeOffsetMessageId(retried!.properties.get('ORIGIN_MESSAGE_ID')!)
    expect(origin.position).toBe(message.position)
    expect(retried!.storeTimestamp - message.storeTimestamp).toBeGreaterThanOrEqual(SECOND - 50)
  })

  test.each([
    ['a level below 0', { delayLevel: -1 }],
    ['no try left', { maxReconsumeTimes: 0 }],
  ])('with %s it becomes a dead letter at once', async (_, changes) => {
    const { client, message } = await consumed()
    expect((await sendBack(client, message.position, changes)).code).toBe(0)
    const [dead] = await readQueue(client, DEAD, { end: 1 })
    expect(dead!.reconsumeTimes).toBe(1)
    expect(dead!.properties.get('RETRY_TOPIC')).toBe('T')
    expect(dead!.body).toEqual(message.body)
  })

  test('is refused by name: an unknown group, a place where no message is', async () => {
    const { client, message } = await consumed()
    expect(await sendBack(client, message.position, { group: 'no body' })).toMatchObject({
      code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
      remark: 'subscription group not exist, no body',
    })
    for (const offset of [message.position + 1, 10 ** 12, -1]) {
      expect(await sendBack(client, offset)).toMatchObject({
        code: ResponseCode.SYSTEM_ERROR,
        remark: `look message by offset failed, ${offset}`,
      })
    }
  })
})

describe('a send to a retry topic', () => {
  const send = (client: RawClient, changes = {}) =>
    client.ask(SendMessageV2, sendHeader(RETRY, changes), { body: Buffer.from('again') })

  test('comes again, with the tries that it names', async () => {
    const { client } = await consumed()
    const text = properties({ DELAY: '1', RETRY_TOPIC: 'T', UNIQ_KEY: 'u' })
    const { code, reply } = await send(client, { reconsumeTimes: 2, properties: text })
    expect({ code, queueId: reply.queueId }).toEqual({ code: 0, queueId: 0 })
    const [message] = await readQueue(client, RETRY, { end: 1 })
    expect(message!.reconsumeTimes).toBe(2)
    expect(Buffer.from(message!.body).toString()).toBe('again')
  })

  test('is a dead letter when it was tried too often', async () => {
    const { client } = await consumed()
    await send(client, { reconsumeTimes: 4, maxReconsumeTimes: 3 })
    const [message] = await readQueue(client, DEAD, { end: 1 })
    expect(message!.properties.get('DELAY')).toBe('-1')
  })

  test('is a dead letter when the group consumes in order', async () => {
    const { client } = await consumed()
    const queue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
    const body = { consumerGroup: GROUP, clientId: 'c', mqSet: [queue], onlyThisBroker: false }
    const encoded = Buffer.from(JSON.stringify(body))
    expect((await client.ask(LockBatchMq, {}, { body: encoded })).code).toBe(0)
    await send(client, { reconsumeTimes: 1 })
    await readQueue(client, DEAD, { end: 1 })
  })
})

describe('a message that cannot be delivered', () => {
  test('is dropped, and the others of its level come once', async () => {
    const client = await (await startBroker()).connect()
    await createTopic(client, 'T')
    await createTopic(client, 'Gone')
    const delayed = (key: string) => properties({ DELAY: '1', UNIQ_KEY: key })
    await sendTo(client, 'T', { properties: delayed('u1') })
    await sendTo(client, 'Gone', { properties: delayed('u2') })
    await client.ask(DeleteTopicInBroker, { topic: 'Gone' })
    await sendTo(client, 'T', { properties: delayed('u3') })
    await readQueue(client, 'T', { end: 2 })
    await sendTo(client, 'T', { properties: delayed('u4') })
    const messages = await readQueue(client, 'T', { end: 3 })
    expect(messages.map((each) => each.properties.get('UNIQ_KEY'))).toEqual(['u1', 'u3', 'u4'])
  })

  test('comes with its properties as they were sent, also when they are no text', async () => {
    const client = await (await startBroker()).connect()
    await createTopic(client, 'T')
    client.serializeType = SerializeType.ROCKETMQ
    const odd = Buffer.concat([
      Buffer.from('DELAY\u00011\u0002ODD\u0001'),
      Buffer.alloc(12_000, 0xff),
    ])
    await sendTo(client, 'T', { properties: odd.toString('latin1') })
    await sendTo(client, 'T', { properties: properties({ DELAY: '1', UNIQ_KEY: 'u2' }) })
    const [, second] = await readQueue(client, 'T', { end: 2 })
    expect(second!.properties.get('UNIQ_KEY')).toBe('u2')
  })
})

test('progress ahead of the queue is corrected: nothing that is sent later is passed over', async () => {
  const first = await startBroker()
  const client = await first.connect()
  await createTopic(client, 'T')
  await sendTo(client, 'T', { properties: properties({ DELAY: '1' }) })
  await readQueue(client, 'T', { end: 1 })
  await first.stop()
  const file = join(first.store, 'config', 'delayOffset.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"1":1/, '"1":1000'))
  const again = await (await startBroker({}, first.folder)).connect()
  await sendTo(again, 'T', { properties: properties({ DELAY: '1', UNIQ_KEY: 'next' }) })
  const [, next] = await readQueue(again, 'T', { end: 2 })
  expect(next!.properties.get('UNIQ_KEY')).toBe('next')
})

test('a send to a retry topic that only says it is part of a transaction is refused', async () => {
  const { client } = await consumed()
  for (const sysFlag of [0x4, 0xc, 0x80]) {
    const { code } = await client.ask(SendMessageV2, sendHeader(RETRY, { sysFlag }))
    expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
  }
})
