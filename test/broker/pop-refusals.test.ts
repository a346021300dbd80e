/** What POP takes from nobody: acknowledgements of what was not popped, and of groups that are not there. */
import { describe, expect, test } from 'vitest'
import { BatchAckBody, bitsText } from '../../src/protocol/bodies/batch-ack.ts'
import { receiptText } from '../../src/protocol/pop-receipt.ts'
import {
  AckMessage,
  BatchAckMessage,
  ChangeMessageInvisibleTime,
} from '../../src/protocol/requests/pop.ts'
import { DeleteSubscriptionGroup } from '../../src/protocol/requests/group.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { createTopic } from '../support/messages.ts'
import { fill, withMessages } from '../support/pop-topic.ts'
import { ackHeader, bodiesOf, BROKER, pop } from '../support/pops.ts'
import type { RawClient } from '../support/raw-client.ts'

const IN_ORDER = { order: true, queueId: 0, maxMsgNums: 2 }

/** An acknowledgement in order of what was never popped. */
function forged(
  offset: number,
  consumerGroup: string,
  reviveQueueId = 999,
  invisibleTime = 60_000,
) {
  const of = { startOffset: 0, popTime: Date.now(), invisibleTime, reviveQueueId }
  const place = { queueId: 0, queueOffset: offset }
  const extraInfo = receiptText({ ...of, ...place, retryFlag: '0', brokerName: BROKER })
  return { consumerGroup, topic: 'T', queueId: 0, offset, extraInfo }
}

function batch(client: RawClient, acks: Partial<BatchAckBody['acks'][number]>[]) {
  const of = { c: 'consumers', it: 60_000, pt: 1, q: 0, rq: 0, so: 0, t: 'T', r: '0', b: '' }
  const body = BatchAckBody.encode({
    acks: acks.map((each) => ({ ...of, ...each })),
    brokerName: BROKER,
  })
  return client.ask(BatchAckMessage, {}, { body })
}

describe('an acknowledgement', () => {
  test('in order of what was never popped moves no group', async () => {
    const { client } = await withMessages(4)
    await pop(client, 'T', { ...IN_ORDER, consumerGroup: 'others' }) // there is such a group
    const other = await client.ask(AckMessage, forged(3, 'others'))
    expect(other.code).toBe(0) // of another pop: passed over
    await pop(client, 'T', { consumerGroup: 'plain', maxMsgNums: 1, queueId: 0 })
    const plain = await client.ask(AckMessage, forged(3, 'plain'))
    expect(plain.code).toBe(ResponseCode.MESSAGE_ILLEGAL)
    const { popped } = await pop(client, 'T', { consumerGroup: 'plain', queueId: 0 })
    expect(bodiesOf(popped)).toEqual(['m1', 'm2', 'm3'])
  })

  test.each([999, 0])('of a group that is not there is refused (queue %i)', async (queue) => {
    const { client } = await withMessages(1)
    const answer = await client.ask(AckMessage, forged(0, 'no@group', queue))
    expect(answer.code).toBe(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST)
    const many = await batch(client, [{ c: 'nobody', rq: queue, b: bitsText([0]) }])
    expect(many.code).toBe(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST)
  })

  test('for a time that no pop has is not kept', async () => {
    const { client } = await withMessages(1)
    await pop(client, 'T')
    const answer = await client.ask(AckMessage, forged(0, 'consumers', 0, 2 ** 52))
    expect(answer.code).toBe(ResponseCode.NO_MESSAGE)
  })

  test('that is wrong hurts no other in its request', async () => {
    const { client } = await withMessages(2)
    const { popped, reply } = await pop(client, 'T')
    const right = { pt: reply.popTime!, rq: reply.reviveQid!, b: bitsText([0, 1]) }
    const wrong = [{ t: 'gone', b: bitsText([0]) }, { b: 'x'.repeat(60_000) }, { b: '' }]
    const wild = { so: Number.MAX_SAFE_INTEGER, b: bitsText([0]) }
    const answer = await batch(client, [...wrong, wild, right])
    expect(answer.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    const change = { ...ackHeader(popped[0]!), invisibleTime: 1000 }
    const late = await client.ask(ChangeMessageInvisibleTime, change)
    expect(late.code).toBe(ResponseCode.NO_MESSAGE) // it is acknowledged
    expect((await batch(client, [{ b: '////' + '/'.repeat(1e6) }])).code).toBe(
      ResponseCode.MESSAGE_ILLEGAL,
    )
  })
})

describe('in order', () => {
  test('a topic that was deleted blocks nothing of the next one of its name', async () => {
    const { client } = await withMessages(1)
    await pop(client, 'T', IN_ORDER)
    await client.ask(DeleteTopicInBroker, { topic: 'T' })
    await createTopic(client, 'T')
    await fill(client, 1)
    expect(bodiesOf((await pop(client, 'T', IN_ORDER)).popped)).toEqual(['m0'])
  })

  test('a group that was deleted with its offsets begins anew', async () => {
    const { client } = await withMessages(1)
    await pop(client, 'T', IN_ORDER)
    const gone = { groupName: 'consumers', cleanOffset: true }
    await client.ask(DeleteSubscriptionGroup, gone)
    expect(bodiesOf((await pop(client, 'T', IN_ORDER)).popped)).toEqual(['m0'])
  })
})
