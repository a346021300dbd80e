/** POP in order, over restarts, without taking anything, and at its limits. */
import { describe, expect, test } from 'vitest'
import { QueryConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { Notification, PeekMessage } from '../../src/protocol/requests/pop.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess } from '../support/broker-process.ts'
import { fill, held, HOLD_MS, popAll, SHORT_MS, withMessages } from '../support/pop-topic.ts'
import { ack, bodiesOf, BROKER, pop } from '../support/pops.ts'
import { startBroker } from '../support/started-broker.ts'

describe('in order', () => {
  const inOrder = { order: true, queueId: 0, maxMsgNums: 2 }

  test('nobody gets more of a queue before what is in flight is acknowledged', async () => {
    const { client } = await withMessages(3)
    const { popped, reply } = await pop(client, 'T', inOrder)
    expect(bodiesOf(popped)).toEqual(['m0', 'm1'])
    expect(reply).toMatchObject({ reviveQid: 999, orderCountInfo: '0 0 0' })
    expect((await pop(client, 'T', inOrder)).code).toBe(ResponseCode.POLLING_TIMEOUT)
    const waiting = held(client, inOrder)
    for (const each of popped) expect((await ack(client, each)).code).toBe(0)
    expect(bodiesOf((await waiting).popped)).toEqual(['m2'])
    const { reply: stored } = await client.ask(QueryConsumerOffset, {
      consumerGroup: 'consumers',
      topic: 'T',
      queueId: 0,
    })
    expect(stored.offset).toBe(2)
  })

  test('what is not acknowledged in time comes again in its place, and says how often it came', async () => {
    const { client } = await withMessages(3)
    const first = await pop(client, 'T', { ...inOrder, invisibleTime: SHORT_MS })
    await ack(client, first.popped[0]!)
    const again = await held(client, inOrder)
    expect(bodiesOf(again.popped)).toEqual(['m1', 'm2'])
    expect(again.reply.orderCountInfo).toBe('0 qo0%1 1;0 0 0')
  })

  test('the same attempt gets the same once more', async () => {
    const { client } = await withMessages(2)
    const attempt = { ...inOrder, attemptId: 'a' }
    expect(bodiesOf((await pop(client, 'T', attempt)).popped)).toEqual(['m0', 'm1'])
    expect(bodiesOf((await pop(client, 'T', attempt)).popped)).toEqual(['m0', 'm1'])
  })

  test('an acknowledgement that was answered lasts, over kill -9', async () => {
    const { broker, client } = await withMessages(3)
    const { popped } = await pop(client, 'T', inOrder)
    for (const each of popped) expect((await ack(client, each)).code).toBe(0)
    await broker.kill()
    const next = await startBroker({ brokerName: BROKER }, broker.folder)
    const again = await held(await next.connect(), inOrder)
    expect(bodiesOf(again.popped)).toEqual(['m2'])
  })
})

describe('over a restart', () => {
  test.each([
    ['kill -9', (broker: ServerProcess) => broker.kill()],
    ['a clean stop', (broker: ServerProcess) => broker.stop()],
  ])('by %s what was acknowledged does not come again, and what was not does', async (_, end) => {
    const { broker, client } = await withMessages(6)
    const { popped } = await pop(client, 'T', { maxMsgNums: 4, invisibleTime: 4 * SHORT_MS })
    for (const nth of [0, 2]) expect((await ack(client, popped[nth]!)).code).toBe(0)
    await end(broker)
    const next = await startBroker({ brokerName: BROKER }, broker.folder)
    const again = await popAll(await next.connect(), 4)
    expect(bodiesOf(again).toSorted()).toEqual(['m1', 'm3', 'm4', 'm5'])
  })

  test('what came again before a kill -9 does not come a second time', async () => {
    const { broker, client } = await withMessages(1)
    await pop(client, 'T', { invisibleTime: SHORT_MS })
    const [again] = await popAll(client, 1)
    expect((await ack(client, again!)).code).toBe(0)
    await broker.kill()
    const next = await startBroker({ brokerName: BROKER }, broker.folder)
    const after = await held(await next.connect(), { pollTime: 3 * SHORT_MS })
    expect(after.code).toBe(ResponseCode.POLLING_TIMEOUT)
  })
})

describe('without taking anything', () => {
  const place = { consumerGroup: 'consumers', topic: 'T', queueId: -1 }

  test('a peek shows what a pop would take', async () => {
    const { client } = await withMessages(3)
    await pop(client, 'T', { maxMsgNums: 1 })
    for (let nth = 0; nth < 2; nth++) {
      const peeked = await client.ask(PeekMessage, { ...place, maxMsgNums: 32 })
      expect(peeked).toMatchObject({ code: 0, reply: { restNum: 2 } })
    }
    expect(bodiesOf((await pop(client, 'T')).popped)).toEqual(['m1', 'm2'])
    const none = await client.ask(PeekMessage, { ...place, maxMsgNums: 32 })
    expect(none.code).toBe(ResponseCode.PULL_NOT_FOUND)
  })

  test('a notification says whether there is something, when there is', async () => {
    const { client } = await withMessages(0)
    const ask = (pollTime: number) =>
      client.ask(Notification, { ...place, pollTime, bornTime: 0, order: false })
    expect((await ask(0)).reply.hasMsg).toBe(false)
    const waiting = ask(HOLD_MS)
    await fill(client, 1)
    expect((await waiting).reply).toEqual({ hasMsg: true, pollingFull: false })
    await pop(client, 'T')
    expect((await ask(SHORT_MS)).reply.hasMsg).toBe(false)
  })
})

test('with enablePopMessageThreshold a group gets no more than so many before it acknowledges', async () => {
  const settings = { enablePopMessageThreshold: 'true', popInflightMessageThreshold: '2' }
  const { client } = await withMessages(6, settings)
  const { popped } = await pop(client, 'T', { maxMsgNums: 3 })
  const full = await pop(client, 'T', { maxMsgNums: 3 })
  expect(full).toMatchObject({ code: ResponseCode.POLLING_TIMEOUT, reply: { restNum: 3 } })
  const waiting = held(client)
  await ack(client, popped[0]!)
  expect(bodiesOf((await waiting).popped)).toEqual(['m3', 'm4', 'm5'])
})

test('beyond popCkMaxBufferSize check points pops are told to wait', async () => {
  const { client } = await withMessages(2, { popCkMaxBufferSize: '1' })
  const { popped } = await pop(client, 'T', { maxMsgNums: 1 })
  expect((await pop(client, 'T')).code).toBe(ResponseCode.POLLING_FULL)
  await ack(client, popped[0]!)
  expect(bodiesOf((await pop(client, 'T')).popped)).toEqual(['m1'])
})
