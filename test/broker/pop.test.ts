/** POP consumption through a broker in a process of its own. */
import { describe, expect, test } from 'vitest'
import { bitsText, BatchAckBody } from '../../src/protocol/bodies/batch-ack.ts'
import { SerializeType } from '../../src/protocol/frame.ts'
import { readReceipt } from '../../src/protocol/pop-receipt.ts'
import {
  AckMessage,
  BatchAckMessage,
  ChangeMessageInvisibleTime,
  InitMode,
  PopMessage,
} from '../../src/protocol/requests/pop.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { createTopic, properties, readQueue, sendTo } from '../support/messages.ts'
import {
  fill,
  held,
  HOLD_MS,
  popAll,
  SHORT_MS,
  untilHeld,
  untilThere,
  withMessages,
} from '../support/pop-topic.ts'
import { ack, ackHeader, bodiesOf, BROKER, pop, popHeader, type Popped } from '../support/pops.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

describe('a pop', () => {
  test('takes messages that no other pop gets, and says where they are from', async () => {
    const { client } = await withMessages(5)
    const first = await pop(client, 'T', { maxMsgNums: 3 })
    expect(bodiesOf(first.popped)).toEqual(['m0', 'm1', 'm2'])
    expect(first).toMatchObject({ code: 0, remark: 'FOUND' })
    expect(first.reply).toMatchObject({
      invisibleTime: 60_000,
      restNum: 2,
      startOffsetInfo: '0 0 0',
      msgOffsetInfo: '0 0 0,1,2',
    })
    expect(bodiesOf((await pop(client, 'T')).popped)).toEqual(['m3', 'm4'])
    const none = await pop(client, 'T')
    expect(none.code).toBe(ResponseCode.POLLING_TIMEOUT)
    expect(none.reply.restNum).toBe(0)
  })

  test('takes from all queues of the topic, or from the one it names', async () => {
    const client = await (await startBroker({ brokerName: BROKER })).connect()
    await createTopic(client, 'T', { queues: 3 })
    for (const queueId of [0, 1, 2]) await fill(client, 2, { queueId })
    expect((await pop(client, 'T', { queueId: 1 })).reply.msgOffsetInfo).toBe('0 1 0,1')
    const { reply } = await pop(client, 'T')
    expect(reply.msgOffsetInfo!.split(';').toSorted()).toEqual(['0 0 0,1', '0 2 0,1'])
  })

  test('in a binary header, whose code is cut to 16 bits, is a pop too', async () => {
    const { client } = await withMessages(1)
    const options = { serializeType: SerializeType.ROCKETMQ }
    const answer = await client.ask(PopMessage, popHeader('T'), options)
    expect(answer.code).toBe(0)
    expect(answer.reply.msgOffsetInfo).toBe('0 0 0')
  })

  test('that finds nothing waits for a message, and is told when its time is over', async () => {
    const { client } = await withMessages(0)
    const waiting = held(client)
    await untilHeld(client, 1)
    await fill(client, 1)
    expect(bodiesOf((await waiting).popped)).toEqual(['m0'])
    await untilHeld(client, 0)
    const late = await held(client, { pollTime: SHORT_MS })
    expect(late.code).toBe(ResponseCode.POLLING_TIMEOUT)
    expect(late.reply).toMatchObject({ restNum: 0, invisibleTime: 60_000 })
  })

  test('of many that wait each message wakes one, and the first one first', async () => {
    const { client } = await withMessages(0)
    const waiting = [0, 1, 2].map(() => held(client, { maxMsgNums: 1 }))
    await untilHeld(client, 3)
    await fill(client, 3)
    const bodies = await Promise.all(waiting.map(async (each) => bodiesOf((await each).popped)))
    expect(bodies).toEqual([['m0'], ['m1'], ['m2']])
  })

  test('beyond the number that may wait is told so', async () => {
    const { client } = await withMessages(0, { maxPopPollingSize: '1' })
    client.send(PopMessage, popHeader('T', { pollTime: HOLD_MS }))
    await untilHeld(client, 1)
    const second = await held(client)
    expect(second.code).toBe(ResponseCode.POLLING_FULL)
    expect(second.reply.restNum).toBe(0)
  })

  test('whose client has gone takes nothing', async () => {
    const { broker, client } = await withMessages(0)
    const gone = await broker.connect()
    gone.send(PopMessage, popHeader('T', { pollTime: HOLD_MS }))
    await untilHeld(client, 1)
    gone.close()
    await untilHeld(client, 0)
    await fill(client, 1)
    expect(bodiesOf((await held(client)).popped)).toEqual(['m0'])
  })

  test('takes only what its tags, or its condition, want', async () => {
    const { client } = await withMessages(0, { enablePropertyFilter: 'true' })
    for (const nth of [0, 1, 2, 3]) {
      const text = properties({ TAGS: nth % 2 === 0 ? 'even' : 'odd', n: String(nth) })
      const body = Buffer.from(`m${nth}`)
      await untilThere(client, await sendTo(client, 'T', { properties: text }, { body }))
    }
    const byTag = await pop(client, 'T', { expType: 'TAG', exp: 'odd' })
    expect(bodiesOf(byTag.popped)).toEqual(['m1', 'm3'])
    expect(byTag.reply).toMatchObject({ startOffsetInfo: '0 0 0', msgOffsetInfo: '0 0 1,3' })
    const other = { consumerGroup: 'others', expType: 'SQL92', exp: 'n > 1' }
    expect(bodiesOf((await pop(client, 'T', other)).popped)).toEqual(['m2', 'm3'])
    const wrong = await pop(client, 'T', { expType: 'SQL92', exp: 'n >' })
    expect(wrong.code).toBe(ResponseCode.SUBSCRIPTION_PARSE_FAILED)
  })

  test('of a new group that wants only what is new begins with the last message, unless all is in memory', async () => {
    const { client } = await withMessages(3, { initPopOffsetByCheckMsgInMem: 'false' })
    expect(bodiesOf((await pop(client, 'T', { initMode: InitMode.MAX })).popped)).toEqual(['m2'])
    const { client: other } = await withMessages(3)
    const { popped } = await pop(other, 'T', { initMode: InitMode.MAX })
    expect(bodiesOf(popped)).toEqual(['m0', 'm1', 'm2'])
  })

  test.each([
    ['an unknown topic', { topic: 'U' }, 'TOPIC_NOT_EXIST'],
    ['a queue that is not there', { queueId: 1 }, 'INVALID_PARAMETER'],
    ['more than 32 messages', { maxMsgNums: 33 }, 'INVALID_PARAMETER'],
    ['none at all', { maxMsgNums: 0 }, 'INVALID_PARAMETER'],
    ['a negative time', { invisibleTime: -1 }, 'INVALID_PARAMETER'],
    ['an unknown way to filter', { exp: 'a', expType: 'X' }, 'SUBSCRIPTION_PARSE_FAILED'],
    ['a request that comes much too late', { bornTime: 1000 }, 'POLLING_TIMEOUT'],
  ] as const)('is refused for %s', async (_, changes, code) => {
    const { client } = await withMessages(0)
    const answer = await pop(client, 'T', changes)
    expect(answer).toMatchObject({ code: ResponseCode[code], remark: expect.stringMatching(/./) })
  })
})

describe('a message that is not acknowledged in time', () => {
  test('comes again, once, through the retry topic, with one try more', async () => {
    const { client } = await withMessages(2)
    const { popped, reply } = await pop(client, 'T', { invisibleTime: SHORT_MS })
    expect((await ack(client, popped[0]!)).code).toBe(0)
    const [again] = await popAll(client, 1)
    expect(again!.message).toMatchObject({ topic: 'T', reconsumeTimes: 1 })
    expect(bodiesOf([again!])).toEqual(['m1'])
    expect(again!.message.properties.get('1ST_POP_TIME')).toBe(String(reply.popTime))
    expect(readReceipt(again!.receipt)).toMatchObject({ retryFlag: '1', queueId: 0 })
    expect((await ack(client, again!)).code).toBe(0)
    expect((await pop(client, 'T')).code).toBe(ResponseCode.POLLING_TIMEOUT)
    const [stored] = await readQueue(client, '%RETRY%consumers_T', { end: 1 })
    expect(stored!.properties.has('POP_CK')).toBe(false)
  })

  test('comes again from the retry topic, as often as it takes', async () => {
    const { client } = await withMessages(1)
    await pop(client, 'T', { invisibleTime: SHORT_MS })
    const tries: number[] = []
    for (let nth = 0; nth < 3; nth++) {
      const [again] = await popAll(client, 1, { invisibleTime: SHORT_MS })
      tries.push(again!.message.reconsumeTimes)
    }
    expect(tries).toEqual([1, 2, 3])
  })

  test('has its retry topic in the new form with enableRetryTopicV2', async () => {
    const { client } = await withMessages(1, { enableRetryTopicV2: 'true' })
    await pop(client, 'T', { invisibleTime: SHORT_MS })
    const [again] = await popAll(client, 1)
    expect(readReceipt(again!.receipt)).toMatchObject({ retryFlag: '2' })
    expect(again!.topic).toBe('%RETRY%consumers+T')
    expect((await ack(client, again!)).code).toBe(0)
  })

  test('is acknowledged too late, and the client is told so', async () => {
    const { client } = await withMessages(1)
    const { popped } = await pop(client, 'T', { invisibleTime: SHORT_MS })
    await popAll(client, 1)
    const answer = await ack(client, popped[0]!)
    expect(answer).toMatchObject({
      code: ResponseCode.NO_MESSAGE,
      remark: expect.stringContaining('comes again'),
    })
  })

  test('is nobody’s when its topic was deleted', async () => {
    const { client } = await withMessages(1)
    await pop(client, 'T', { invisibleTime: SHORT_MS })
    await client.ask(DeleteTopicInBroker, { topic: 'T' })
    await createTopic(client, 'T')
    await fill(client, 1)
    const [own] = await popAll(client, 1)
    expect(own!.message).toMatchObject({ reconsumeTimes: 0, queueOffset: 0 })
    expect((await held(client, { pollTime: 3 * SHORT_MS })).code).toBe(ResponseCode.POLLING_TIMEOUT)
  })
})

describe('an acknowledgement', () => {
  test('may come twice', async () => {
    const { client } = await withMessages(1)
    const { popped } = await pop(client, 'T')
    expect((await ack(client, popped[0]!)).code).toBe(0)
    expect((await ack(client, popped[0]!)).code).toBe(0)
  })

  test('of many messages of one pop in one request leaves the others', async () => {
    const { client } = await withMessages(4)
    const { popped, reply } = await pop(client, 'T', { invisibleTime: SHORT_MS })
    const receipt = { c: 'consumers', it: SHORT_MS, pt: reply.popTime!, rq: reply.reviveQid! }
    const of = { ...receipt, q: 0, so: 0, t: 'T', r: '0', b: bitsText([0, 1, 3]) }
    const body = BatchAckBody.encode({ acks: [of], brokerName: BROKER })
    expect((await client.ask(BatchAckMessage, {}, { body })).code).toBe(0)
    const again = await popAll(client, 1)
    expect(bodiesOf(again)).toEqual(['m2'])
    expect(popped).toHaveLength(4)
  })

  test.each([
    ['an unknown topic', { topic: 'U' }, 'TOPIC_NOT_EXIST'],
    ['a queue that is not there', { queueId: 7 }, 'MESSAGE_ILLEGAL'],
    ['an offset beyond the queue', { offset: 99 }, 'NO_MESSAGE'],
    ['what is no receipt', { extraInfo: 'a b c' }, 'MESSAGE_ILLEGAL'],
    ['another message than was popped', { offset: 1 }, 'MESSAGE_ILLEGAL'],
  ] as const)('is refused for %s', async (_, changes, code) => {
    const { client } = await withMessages(2)
    const { popped } = await pop(client, 'T', { maxMsgNums: 1 })
    const answer = await client.ask(AckMessage, { ...ackHeader(popped[0]!), ...changes })
    expect(answer).toMatchObject({ code: ResponseCode[code], remark: expect.stringMatching(/./) })
  })

  test('of nothing is refused', async () => {
    const { client } = await withMessages(0)
    const body = BatchAckBody.encode({ acks: [], brokerName: BROKER })
    const { code } = await client.ask(BatchAckMessage, {}, { body })
    expect(code).toBe(ResponseCode.NO_MESSAGE)
  })
})

describe('a change of the invisible time', () => {
  const change = (client: RawClient, popped: Popped, invisibleTime: number) =>
    client.ask(ChangeMessageInvisibleTime, { ...ackHeader(popped), invisibleTime })

  test('lets the message come again earlier, and only that', async () => {
    const { client } = await withMessages(2)
    const { popped } = await pop(client, 'T')
    const { code, reply } = await change(client, popped[1]!, SHORT_MS)
    expect(code).toBe(0)
    expect(reply.invisibleTime).toBe(SHORT_MS)
    const [again] = await popAll(client, 1)
    expect(bodiesOf([again!])).toEqual(['m1'])
    expect((await ack(client, popped[0]!)).code).toBe(0)
  })

  test('makes a new receipt, and the old one counts no more', async () => {
    const { client } = await withMessages(1)
    const { popped } = await pop(client, 'T')
    const { reply } = await change(client, popped[0]!, 60_000)
    const old = readReceipt(popped[0]!.receipt)!
    const receipt = `0 ${reply.popTime} 60000 ${reply.reviveQid} 0 ${BROKER} 0 0`
    expect(reply.popTime).toBeGreaterThan(old.popTime)
    const stale = await change(client, popped[0]!, 60_000)
    expect(stale.code).toBe(ResponseCode.NO_MESSAGE)
    expect((await ack(client, { ...popped[0]!, receipt })).code).toBe(0)
  })
})
