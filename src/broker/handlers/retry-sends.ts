import { randomInt } from 'node:crypto'
import type { Call } from '../../net/handlers.ts'
import type { SubscriptionGroupConfig } from '../../protocol/bodies/subscription-group.ts'
import { decodeProperties, encodeProperties, MessageFlag } from '../../protocol/message.ts'
import { encodeOffsetMessageId, type UniqueIds } from '../../protocol/message-id.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { MqVersion } from '../../protocol/mq-version.ts'
import type { RemotingCommand } from '../../protocol/remoting-command.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import type { SendMessage } from '../../protocol/requests/send.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { hasQueueEntry } from '../../store/log-record.ts'
import type { BrokerContext } from '../broker-context.ts'
import type { Delivery } from '../delivery.ts'
import { type MessageDraft, parkDelayed } from '../message-draft.ts'
import { checkWritable, illegalMessage } from '../send-refusals.ts'
import { sentDraft } from '../sent-draft.ts'
import { RETRY_PREFIX, topicNameFault } from '../topic-names.ts'
import { knownGroup } from './send-back.ts'

type Send = HeaderOf<typeof SendMessage>

export interface RetryParts {
  context: BrokerContext
  delivery: Delivery
  storeHost: Uint8Array
  ids: UniqueIds
}

/**
 * Sends to a retry topic: what a client does when the broker did not take a message back, and what
 * consumers in order do at the end of their tries (Apache 5.3.3, SendMessageProcessor).
 */
export async function sendRetry(parts: RetryParts, header: Send, { request, peer }: Call) {
  const { context, delivery, storeHost } = parts
  checkWritable(context.config)
  const { length } = request.body ?? new Uint8Array(0)
  const { maxMessageSize } = context.config
  if (length > maxMessageSize) {
    throw illegalMessage(`the body has ${length} bytes`, maxMessageSize)
  }
  const fault = topicNameFault(header.topic)
  if (fault !== null) throw new ResponseError('SYSTEM_ERROR', fault)
  const group = await knownGroup(context, header.topic.slice(RETRY_PREFIX.length))
  const draft = draftFrom(parts, header, { request, peer })
  if (isDead(context, group, { header, request })) {
    draft.topic = (await delivery.deadLetterTopic(group.groupName)).topicName
    draft.queueId = 0
    draft.properties = withProperty(draft.properties, MessageProperty.DELAY, '-1')
  } else {
    const topic = await delivery.retryTopic(group)
    draft.queueId = queueOf(header, topic.writeQueueNums)
  }
  const { queueId } = draft
  const parked = parkDelayed(draft, context.config, context.clock.now())
  const stored = await delivery.messages.append(parked)
  const msgId = encodeOffsetMessageId({ storeHost, position: stored.position })
  return { header: { msgId, queueId, queueOffset: stored.queueOffset } }
}

/** A group that holds locks consumes in order: what it gives up is not tried again. */
function isDead(
  { locks }: BrokerContext,
  { groupName, retryMaxTimes }: SubscriptionGroupConfig,
  { header, request }: { header: Send; request: RemotingCommand },
): boolean {
  const asked = request.version >= MqVersion.V3_4_9 ? header.maxReconsumeTimes : undefined
  return header.reconsumeTimes > (asked ?? retryMaxTimes) || locks.hasLocks(groupName)
}

function queueOf({ queueId, topic }: Send, count: number): number {
  if (queueId < 0) return randomInt(Math.max(1, count))
  if (queueId < count) return queueId
  const why = `queueId[${queueId}] is illegal, topic[${topic}] has queues 0 to ${count - 1}`
  throw new ResponseError('INVALID_PARAMETER', why)
}

function draftFrom(parts: RetryParts, header: Send, call: Call): MessageDraft {
  const { TRAN_MSG, DELAY } = MessageProperty
  const properties = decodeProperties(header.properties ?? '')
  refuseUnsupported(header.sysFlag)
  // A committed message that is tried again still says so (clients before 4.6.1).
  const isRetried = header.reconsumeTimes > 0 && Number(properties.get(DELAY) ?? 0) > 0
  if (properties.get(TRAN_MSG) === 'true' && !isRetried) {
    throw new ResponseError('MESSAGE_ILLEGAL', 'a retry cannot be half of a transaction')
  }
  return sentDraft(parts, { header, properties }, call)
}

/** As network workers refuse it, see SendHandler. */
function refuseUnsupported(sysFlag: number): void {
  if (hasQueueEntry(sysFlag) && (sysFlag & MessageFlag.INNER_BATCH) === 0) return
  const why = 'a retry is neither part of a transaction nor an inner batch: its sys flag says so'
  throw new ResponseError('MESSAGE_ILLEGAL', why)
}

function withProperty(text: Buffer, name: string, value: string): Buffer {
  const properties = decodeProperties(text.toString()).set(name, value)
  return Buffer.from(encodeProperties(properties))
}
