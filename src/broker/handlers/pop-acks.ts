import type { Handlers } from '../../net/handlers.ts'
import { BatchAckBody, bitsOf } from '../../protocol/bodies/batch-ack.ts'
import {
  ORDERLY_REVIVE_QUEUE,
  poppedTopic,
  type PopReceipt,
  readReceipt,
} from '../../protocol/pop-receipt.ts'
import {
  type AckHeader,
  AckMessage,
  BatchAckMessage,
  ChangeMessageInvisibleTime,
} from '../../protocol/requests/pop.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { MEMBERS_MAX } from '../pop/check-point.ts'
import type { Pops, Receipt } from '../pop/pops.ts'
import { shown } from '../topic-names.ts'
import { decodeBody } from './body.ts'
import { checkGroup, checkInvisibleTime, checkTopic } from './pop-checks.ts'

type BatchAck = BatchAckBody['acks'][number]

/** Check points in one request. */
const ACKS_MAX = 4096

/** ACK_MESSAGE, BATCH_ACK_MESSAGE and CHANGE_MESSAGE_INVISIBLETIME (Apache 5.3.3). */
export function registerPopAckHandlers(
  handlers: Handlers,
  context: BrokerContext,
  pops: Pops,
): void {
  const { reviveQueueCount } = pops
  const receiptOf = (header: AckHeader) => checkedReceipt(context, header, reviveQueueCount)
  handlers
    .on(AckMessage, (header) => pops.ack(receiptOf(header)))
    .on(BatchAckMessage, async (_, { request }) => {
      const { acks, brokerName } = decodeBody(BatchAckBody, request.body)
      if (acks.length === 0) throw new ResponseError('NO_MESSAGE', 'the request names no message')
      if (acks.length > ACKS_MAX) {
        const why = `${acks.length} acks: at most ${ACKS_MAX} are allowed in one request`
        throw new ResponseError('INVALID_PARAMETER', why)
      }
      const name = brokerName ?? context.config.brokerName
      const ackOne = async (ack: BatchAck) =>
        pops.ack(batchReceipt(context, ack, name, reviveQueueCount))
      await allOf(acks.map(ackOne))
    })
    .on(ChangeMessageInvisibleTime, async (header) => {
      checkInvisibleTime(header.invisibleTime)
      const receipt = receiptOf(header)
      const changed = await pops.change(receipt, header.invisibleTime)
      return { header: { ...changed, reviveQid: receipt.receipt.reviveQueueId } }
    })
}

/** Throws ResponseError for what cannot have been popped. */
function checkedReceipt(context: BrokerContext, header: AckHeader, reviveQueues: number): Receipt {
  const { topic, queueId, offset, consumerGroup: group, extraInfo } = header
  const { readQueueNums } = checkTopic(context, topic)
  if (queueId < 0 || queueId >= readQueueNums) {
    const why = `queueId[${queueId}] is illegal, topic:[${topic}] topicConfig.readQueueNums:[${readQueueNums}] it must be from 0 to ${readQueueNums - 1}`
    throw new ResponseError('MESSAGE_ILLEGAL', why)
  }
  checkOffset(context, { topic, queueId, offset })
  checkGroup(context, group)
  const receipt = readReceipt(extraInfo)
  if (receipt === null || !isReviveQueue(receipt, reviveQueues)) {
    const why = `extraInfo is ${JSON.stringify(shown(extraInfo))}, it must be the receipt of a message that was popped`
    throw new ResponseError('MESSAGE_ILLEGAL', why)
  }
  return { group, topic, queueId, offsets: [offset], receipt }
}

function checkOffset(
  { store }: BrokerContext,
  { topic, queueId, offset }: { topic: string; queueId: number; offset: number },
): void {
  const [min, max] = [store.minOffset(topic, queueId) ?? 0, store.maxOffset(topic, queueId) ?? 0]
  if (offset >= min && offset < max) return
  const why = `offset is illegal, key:${topic}@${queueId}, commit:${offset}, store:${min}~${max}`
  throw new ResponseError('NO_MESSAGE', why)
}

function isReviveQueue({ reviveQueueId }: Pick<PopReceipt, 'reviveQueueId'>, count: number) {
  if (reviveQueueId === ORDERLY_REVIVE_QUEUE) return true
  return reviveQueueId >= 0 && reviveQueueId < count
}

function batchReceipt(
  context: BrokerContext,
  ack: BatchAck,
  brokerName: string,
  reviveQueues: number,
): Receipt {
  const topic = poppedTopic(ack.t, ack.c, ack.r)
  checkTopic(context, topic)
  checkGroup(context, ack.c)
  const bits = bitsOf(ack.b, MEMBERS_MAX + 1)
  const receipt = {
    startOffset: ack.so,
    popTime: ack.pt,
    invisibleTime: ack.it,
    reviveQueueId: ack.rq,
    brokerName,
  }
  if (bits.length === 0 || bits.length > MEMBERS_MAX || !isReviveQueue(receipt, reviveQueues)) {
    const why = `an ack of topic[${shown(topic)}] names ${bits.length > MEMBERS_MAX ? 'too many' : bits.length} messages of revive queue ${ack.rq}: it must be 1 to ${MEMBERS_MAX} that were popped together`
    throw new ResponseError('MESSAGE_ILLEGAL', why)
  }
  const offsets = bits.map((bit) => ack.so + bit)
  checkOffset(context, { topic, queueId: ack.q, offset: offsets.at(-1)! })
  return { group: ack.c, topic, queueId: ack.q, offsets, receipt }
}

/** All have had their turn before one is reported. */
async function allOf(tasks: Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(tasks)
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}
