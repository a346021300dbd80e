import { MessageProperty } from '../protocol/message-property.ts'
import { MessageError, messagesIn, type StoredMessage } from '../protocol/message.ts'
import { type PopReceipt, readReceipt, receiptText, retryFlagOf } from '../protocol/pop-receipt.ts'
import { type InitMode, PopMessage, type PopReply } from '../protocol/requests/pop.ts'
import { ResponseCode, type ResponseCodeName } from '../protocol/response-code.ts'
import type { BrokerOf, Cluster } from './cluster.ts'
import { ReceivedMessage } from './received-message.ts'
import { isWanted, type Subscription } from './subscription.ts'

/** A message that this client alone has for a while, and what it shows to acknowledge it. */
export interface PoppedMessage {
  readonly message: ReceivedMessage
  readonly receipt: string
  /** When it comes again unless it is acknowledged: ms since 1970 by the broker's clock. */
  readonly visibleAt: number
}

export interface PopOptions {
  readonly group: string
  readonly subscription: Subscription
  readonly countMax: number
  readonly invisibleMs: number
  /** How long the broker may wait for a message. 0: it answers at once. */
  readonly holdMs: number
  readonly initMode: (typeof InitMode)[keyof typeof InitMode]
}

/** Beyond the time the broker waits. */
const SLACK_MS = 10_000
const ACCEPTED: ResponseCodeName[] = ['POLLING_FULL', 'POLLING_TIMEOUT', 'PULL_NOT_FOUND']

export interface Popped {
  readonly messages: PoppedMessage[]
  /** Too many wait at the broker for messages: it is to be asked a little later. */
  readonly isFull: boolean
}

/** Takes messages from a queue, or from all queues of a broker. Throws what Cluster.call throws, and MessageError. */
export async function pop(
  cluster: Cluster,
  at: BrokerOf & { readonly queueId?: number },
  options: PopOptions,
): Promise<Popped> {
  const { group, subscription, countMax, invisibleMs, holdMs, initMode } = options
  const header = {
    consumerGroup: group,
    topic: at.topic,
    queueId: at.queueId ?? -1,
    maxMsgNums: countMax,
    invisibleTime: invisibleMs,
    pollTime: holdMs,
    bornTime: cluster.clock.now(),
    initMode,
    expType: subscription.expressionType,
    exp: subscription.expression,
    order: false,
  }
  const call = { timeoutMs: holdMs + SLACK_MS, accept: ACCEPTED }
  const { header: reply, body, response } = await cluster.call(at, PopMessage, header, call)
  const isFull = response.code === ResponseCode.POLLING_FULL
  return { messages: body === null ? [] : popped(body, reply, at.brokerName), isFull }
}

/** Those that the subscription wants: brokers give others of the same hash, too, and of an earlier subscription. */
export function isWantedMessage(subscription: Subscription, { message }: PoppedMessage): boolean {
  return isWanted(subscription, message.tags)
}

function popped(body: Uint8Array, reply: PopReply, brokerName: string): PoppedMessage[] {
  const starts = startsOf(reply.startOffsetInfo)
  return Array.from(messagesIn(body), (stored) => {
    const own = stored.properties.get(MessageProperty.POP_CK)
    const receipt = own ?? receiptText(receiptOf(stored, reply, starts, brokerName))
    const { popTime, invisibleTime } = reply
    const message = new ReceivedMessage(stored, brokerName)
    return { message, receipt, visibleAt: popTime + invisibleTime }
  })
}

/** `retryFlag queueId startOffset`, separated by `;`. */
function startsOf(text = ''): Map<string, number> {
  const entries = text.split(';').map((each): [string, number] => {
    const [flag, queueId, offset] = each.split(' ')
    return [`${flag} ${queueId}`, Number(offset)]
  })
  return new Map(entries)
}

function receiptOf(
  { topic, queueId, queueOffset }: StoredMessage,
  { popTime, invisibleTime, reviveQid: reviveQueueId }: PopReply,
  starts: ReadonlyMap<string, number>,
  brokerName: string,
): PopReceipt {
  const retryFlag = retryFlagOf(topic)
  const startOffset = starts.get(`${retryFlag} ${queueId}`)
  if (startOffset === undefined) {
    throw new MessageError(`a popped message of queue ${queueId} that the answer does not name`)
  }
  const times = { popTime, invisibleTime, reviveQueueId }
  return { startOffset, ...times, retryFlag, brokerName, queueId, queueOffset }
}

/** How the broker is told which message a receipt is for. */
export function receiptHeader(group: string, topic: string, receipt: string) {
  const read = readReceipt(receipt)
  if (read === null) throw new MessageError(`${JSON.stringify(receipt)} is no receipt`)
  const { queueId, queueOffset: offset } = read
  return { consumerGroup: group, topic, queueId, offset, extraInfo: receipt }
}
