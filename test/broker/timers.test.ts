/** Timed messages, through a broker in a process of its own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KvTable } from '../../src/protocol/bodies/kv-table.ts'
import { decodeRecallHandle, encodeRecallHandle } from '../../src/protocol/recall-handle.ts'
import { GetBrokerRuntimeInfo } from '../../src/protocol/requests/broker.ts'
import { SendBatchMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import {
  GetTimerCheckPoint,
  GetTimerMetrics,
  RecallMessage,
} from '../../src/protocol/requests/timer.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess, Settings } from '../support/broker-process.ts'
import { createTopic, properties, readQueue, sendHeader, sendTo } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

const RECALLS = { recallMessageEnable: true }

async function open(
  settings: Settings = {},
): Promise<{ broker: ServerProcess; client: RawClient }> {
  const broker = await startBroker(settings)
  const client = await broker.connect()
  await createTopic(client, 'T', { queues: 2 })
  return { broker, client }
}

function timed(client: RawClient, pairs: Record<string, string>, queueId = 0) {
  return sendTo(client, 'T', { queueId, properties: properties(pairs) })
}

function keysOf(messages: { properties: ReadonlyMap<string, string> }[]) {
  return messages.map((each) => each.properties.get('UNIQ_KEY'))
}

function recall(client: RawClient, recallHandle: string, topic = 'T') {
  return client.ask(RecallMessage, { producerGroup: 'producers', topic, recallHandle })
}

describe('a timed message', () => {
  test.each([
    ['TIMER_DELAY_MS', () => '700', 700],
    ['TIMER_DELAY_SEC', () => '1', 1000],
    ['TIMER_DELIVER_MS', () => String(Date.now() + 700), 690],
  ])('of %s comes at its time, with what it was sent with', async (name, value, leastMs) => {
    const { client } = await open()
    const sent = Date.now()
    const pairs = { [name]: value(), UNIQ_KEY: 'u1', TAGS: 'a' }
    expect((await timed(client, pairs, 1)).queueId).toBe(1)
    await sendTo(client, 'T', { queueId: 1 })
    const [first, second] = await readQueue(client, 'T', { queueId: 1, end: 2 })
    expect(first!.properties.has(name)).toBe(false)
    expect(Buffer.from(second!.body).toString()).toBe('body')
    expect(Object.fromEntries(second!.properties)).toMatchObject({
      UNIQ_KEY: 'u1',
      TAGS: 'a',
      REAL_TOPIC: 'T',
      REAL_QID: '1',
      TIMER_OUT_MS: expect.stringMatching(/000$/) as string,
      TIMER_DEQUEUE_MS: expect.any(String) as string,
    })
    expect(second!.storeTimestamp - sent).toBeGreaterThanOrEqual(leastMs)
  })

  test('whose time is over is stored at once', async () => {
    const { client } = await open()
    await timed(client, { TIMER_DELIVER_MS: String(Date.now() - 1), UNIQ_KEY: 'u1' })
    const [first] = await readQueue(client, 'T', { end: 1 })
    expect(first!.properties.has('REAL_TOPIC')).toBe(false)
  })

  test('with a delay level goes by that', async () => {
    const { client } = await open()
    await timed(client, { DELAY: '1', TIMER_DELAY_MS: '3600000', UNIQ_KEY: 'u1' })
    expect(keysOf(await readQueue(client, 'T', { end: 1 }))).toEqual(['u1'])
  })

  test('that has been delivered, and is sent on as it is, is not timed', async () => {
    const { client } = await open()
    await timed(client, { TIMER_DELAY_MS: '3600000', TIMER_OUT_MS: '1000', UNIQ_KEY: 'u1' })
    expect(keysOf(await readQueue(client, 'T', { end: 1 }))).toEqual(['u1'])
  })

  test.each([
    ['too far ahead', { TIMER_DELAY_SEC: '61' }, /should not be bigger than the max delay 60000ms/],
    ['at no time', { TIMER_DELIVER_MS: 'soon' }, /^timer message illegal/],
    [
      'in the past that deletes',
      { TIMER_DELIVER_MS: '1', TIMER_DEL_UNIQKEY: 'T+u' },
      /set del msg/,
    ],
  ])('%s is refused', async (_, pairs, remark) => {
    const { client } = await open({ timerMaxDelaySec: 60 })
    const answer = await client.ask(
      SendMessageV2,
      sendHeader('T', { properties: properties(pairs as Record<string, string>) }),
    )
    expect(answer.code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    expect(answer.remark).toMatch(remark)
  })

  test('without room for what a delivery adds to its properties is refused', async () => {
    const { client } = await open()
    const long = properties({ TIMER_DELAY_MS: '100', A: 'x'.repeat(32_480) })
    const { code } = await client.ask(SendMessageV2, sendHeader('T', { properties: long }))
    expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    const shorter = properties({ TIMER_DELAY_MS: '100', A: 'x'.repeat(32_300) })
    await sendTo(client, 'T', { properties: shorter })
    const [message] = await readQueue(client, 'T', { end: 1 })
    expect(message!.properties.get('A')).toHaveLength(32_300)
  })

  test('is refused by a broker without timers', async () => {
    const { client } = await open({ timerWheelEnable: false })
    const text = properties({ TIMER_DELAY_MS: '100' })
    expect(await client.ask(SendMessageV2, sendHeader('T', { properties: text }))).toMatchObject({
      code: ResponseCode.SYSTEM_ERROR,
      remark: 'accurate timer message is not enabled, timerWheelEnable is false',
    })
    for (const spec of [GetTimerCheckPoint, GetTimerMetrics]) {
      expect((await client.ask(spec, {})).code).toBe(ResponseCode.SYSTEM_ERROR)
    }
  })

  test('cannot be in a batch', async () => {
    const { client } = await open()
    const text = properties({ TIMER_DELAY_MS: '100' })
    const { code } = await client.ask(SendBatchMessage, sendHeader('T', { properties: text }))
    expect(code).toBe(ResponseCode.MESSAGE_ILLEGAL)
  })

  test('is dropped when its topic is gone, and others are not', async () => {
    const { client } = await open()
    await createTopic(client, 'Gone')
    await sendTo(client, 'Gone', { properties: properties({ TIMER_DELAY_MS: '300' }) })
    await timed(client, { TIMER_DELAY_MS: '301', UNIQ_KEY: 'u2' })
    await client.ask(DeleteTopicInBroker, { topic: 'Gone' })
    expect(keysOf(await readQueue(client, 'T', { end: 1 }))).toEqual(['u2'])
  })

  test('that a client put into the timer queue itself does no harm', async () => {
    const { client } = await open()
    const strange: Record<string, string>[] = [
      {},
      { TIMER_OUT_MS: 'x', REAL_TOPIC: 'T', REAL_QID: '0' },
      { TIMER_OUT_MS: '1000', REAL_TOPIC: 'RMQ_SYS_TRANS_HALF_TOPIC', REAL_QID: '0' },
      { TIMER_OUT_MS: '1000', REAL_TOPIC: 'T', REAL_QID: '99' },
      { TIMER_OUT_MS: '99999999999999999999', REAL_TOPIC: 'T', REAL_QID: '0' },
    ]
    for (const pairs of strange) {
      await sendTo(client, 'rmq_sys_wheel_timer', { properties: properties(pairs) })
    }
    await timed(client, { TIMER_DELAY_MS: '200', UNIQ_KEY: 'u1' })
    expect(keysOf(await readQueue(client, 'T', { end: 1 }))).toEqual(['u1'])
  })
})

describe('messages that come due', () => {
  test('while the broker is down are delivered by the next start, after kill -9 too', async () => {
    const { broker, client } = await open()
    for (const nth of [1, 2, 3]) {
      await timed(client, { TIMER_DELAY_MS: String(300 + nth), UNIQ_KEY: `u${nth}` })
    }
    expect((await broker.kill()).signal).toBe('SIGKILL')
    const again = await startBroker({}, broker.folder)
    const messages = await readQueue(await again.connect(), 'T', { end: 3 })
    expect(keysOf(messages)).toEqual(['u1', 'u2', 'u3'])
  })

  test('and were delivered are not delivered again after a stop, nor after kill -9', async () => {
    const { broker, client } = await open()
    await timed(client, { TIMER_DELAY_MS: '200', UNIQ_KEY: 'u1' })
    await readQueue(client, 'T', { end: 1 })
    await broker.stop()
    const second = await startBroker({}, broker.folder)
    const other = await second.connect()
    await timed(other, { TIMER_DELAY_MS: '200', UNIQ_KEY: 'u2' })
    await readQueue(other, 'T', { from: 1, end: 2 })
    await timed(other, { TIMER_DELAY_MS: '200', UNIQ_KEY: 'u3' })
    await readQueue(other, 'T', { from: 2, end: 3 }) // what u2's delivery left to do is done
    await second.kill()
    const third = await (await startBroker({}, broker.folder)).connect()
    await timed(third, { TIMER_DELAY_MS: '1', UNIQ_KEY: 'u4' })
    const keys = keysOf(await readQueue(third, 'T', { end: 3 }))
    while (keys.at(-1) !== 'u4') {
      keys.push(...keysOf(await readQueue(third, 'T', { from: keys.length, end: keys.length + 1 })))
    }
    // The broker was killed as soon as u3 was there: it may come once more.
    expect(keys.filter((key, nth) => key !== 'u3' || nth < 3)).toEqual(['u1', 'u2', 'u3', 'u4'])
  })

  test('are counted for each topic, and the check point says how far they are', async () => {
    const { broker, client } = await open()
    await timed(client, { TIMER_DELAY_MS: '3600000' })
    await timed(client, { TIMER_DELAY_MS: '100' })
    await readQueue(client, 'T', { end: 1 })
    const metrics = await client.ask(GetTimerMetrics, {})
    const { timingCount } = JSON.parse(Buffer.from(metrics.body!).toString()) as {
      timingCount: Record<string, { count: number }>
    }
    expect(timingCount.T!.count).toBe(1)
    const { body } = await client.ask(GetBrokerRuntimeInfo, {})
    const { table } = KvTable.decode(body)
    expect(table.get('timerCongestNum')).toBe('1')
    expect((await client.ask(GetTimerCheckPoint, {})).body).toHaveLength(56)
    await broker.stop()
    const check = readFileSync(join(broker.store, 'config', 'timercheck'))
    expect(check.readBigInt64BE(8)).toBe(104n) // two units
    expect(check.readBigInt64BE(16)).toBe(2n)
  })
})

describe('a recall', () => {
  test('takes the message away, and no other', async () => {
    const { client } = await open(RECALLS)
    const at = String(Date.now() + 2500)
    const { recallHandle } = await timed(client, { TIMER_DELIVER_MS: at, UNIQ_KEY: 'u1' })
    await timed(client, { TIMER_DELIVER_MS: at, UNIQ_KEY: 'u2' })
    const { code, reply } = await recall(client, recallHandle!)
    expect({ code, reply }).toMatchObject({ code: 0, reply: { msgId: 'u1' } })
    expect(keysOf(await readQueue(client, 'T', { end: 1 }))).toEqual(['u2'])
  })

  test('has a handle of its own for a message without an id', async () => {
    const { client } = await open(RECALLS)
    const { recallHandle } = await timed(client, { TIMER_DELAY_MS: '60000' })
    const { topic, brokerName, messageId } = decodeRecallHandle(recallHandle!)!
    expect({ topic, brokerName }).toEqual({ topic: 'T', brokerName: 'broker-a' })
    expect((await recall(client, recallHandle!)).reply.msgId).toBe(messageId)
  })

  test('is refused by name: no handle, of another topic or broker, over, too far', async () => {
    const { client } = await open(RECALLS)
    const handle = (changes = {}) =>
      encodeRecallHandle({
        topic: 'T',
        brokerName: 'broker-a',
        deliverMs: Date.now() + 5000,
        messageId: 'u',
        ...changes,
      })
    for (const [text, remark] of [
      ['', /^recall failed, recall handle is invalid$/],
      ['a b', /recall handle is invalid/],
      [handle({ messageId: 'u\u0002TIMER_OUT_MS\u00011' }), /recall handle is invalid/],
      [handle({ topic: 'Other' }), /topic not match/],
      [handle({ brokerName: 'broker-b' }), /of broker\[broker-b\]/],
      [handle({ deliverMs: Date.now() }), /timestamp invalid: .* over/],
      [handle({ deliverMs: Date.now() + 4 * 86_400_000 }), /timestamp invalid: .* further/],
    ] as const) {
      const answer = await recall(client, text)
      expect(answer.code).toBe(ResponseCode.ILLEGAL_OPERATION)
      expect(answer.remark).toMatch(remark)
    }
    expect((await recall(client, handle(), 'Nowhere')).code).toBe(ResponseCode.TOPIC_NOT_EXIST)
  })

  test('is forbidden unless the broker is told otherwise', async () => {
    const { client } = await open()
    const { recallHandle } = await timed(client, { TIMER_DELAY_MS: '60000' })
    expect((await recall(client, recallHandle!)).code).toBe(ResponseCode.NO_PERMISSION)
  })
})
