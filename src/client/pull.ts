import { MessageProperty } from '../protocol/message-property.ts'
import { MessageError, messagesIn } from '../protocol/message.ts'
import { PullFlag, PullMessage, type PullReply } from '../protocol/requests/pull.ts'
import { ResponseCode, type ResponseCodeName } from '../protocol/response-code.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import { ReceivedMessage } from './received-message.ts'
import { isWanted, type Subscription } from './subscription.ts'

export type PullStatus =
  | 'FOUND'
  /** Nothing behind the offset, or not within the time it was held. */
  | 'NO_NEW_MESSAGE'
  /** There are messages, but none so far that the subscription wants. */
  | 'NO_MATCHED_MESSAGE'
  /** The offset is below the queue's first or above its last: go on from `nextOffset`. */
  | 'OFFSET_MOVED'

export interface PullResult {
  readonly status: PullStatus
  /** Where to pull next; behind messages that the subscription does not want, too. */
  readonly nextOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  /** The broker id that had rather be asked next time. */
  readonly suggestedBrokerId: number
  readonly messages: ReceivedMessage[]
}

export interface PullRequest {
  readonly group: string
  readonly queue: MessageQueue
  readonly offset: number
  readonly subscription: Subscription
  /** Whether the broker is told the subscription, rather than to know it from heartbeats. */
  readonly carriesSubscription: boolean
  /** How many messages at most. */
  readonly countMax: number
  /** How long the broker may hold the request until a message comes. 0: it answers at once. */
  readonly holdMs: number
  /** Stored by the broker as the group's offset on this occasion. */
  readonly commitOffset?: number
  readonly brokerId?: number
}

/** How many bytes one answer may hold. Source: Apache 5.3.3, DefaultMQPushConsumer. */
const BYTES_MAX = 256 * 1024

/** Beyond the time the broker holds a request: Apache waits 30 s for one that is held 15. */
const SLACK_MS = 15_000

const statuses = new Map<number, PullStatus>([
  [ResponseCode.SUCCESS, 'FOUND'],
  [ResponseCode.PULL_NOT_FOUND, 'NO_NEW_MESSAGE'],
  [ResponseCode.PULL_RETRY_IMMEDIATELY, 'NO_MATCHED_MESSAGE'],
  [ResponseCode.PULL_OFFSET_MOVED, 'OFFSET_MOVED'],
])
const ACCEPTED: ResponseCodeName[] = [
  'PULL_NOT_FOUND',
  'PULL_RETRY_IMMEDIATELY',
  'PULL_OFFSET_MOVED',
]

/**
 * Throws MessageError when the answer holds no messages or not in the order of the queue, and what
 * Cluster.call throws.
 */
export async function pull(cluster: Cluster, request: PullRequest): Promise<PullResult> {
  const { queue, holdMs, brokerId } = request
  const call = { timeoutMs: holdMs + SLACK_MS, accept: ACCEPTED, brokerId }
  const answer = await cluster.call(queue, PullMessage, pullHeader(request), call)
  const { header, body, response } = answer
  return {
    status: statuses.get(response.code)!,
    nextOffset: header.nextBeginOffset,
    minOffset: header.minOffset,
    maxOffset: header.maxOffset,
    suggestedBrokerId: header.suggestWhichBrokerId,
    messages: body === null ? [] : received(body, request, header),
  }
}

function pullHeader(request: PullRequest) {
  const { queue, subscription, carriesSubscription, commitOffset = 0, holdMs } = request
  const flags =
    (commitOffset > 0 ? PullFlag.COMMIT_OFFSET : 0) |
    (holdMs > 0 ? PullFlag.SUSPEND : 0) |
    (carriesSubscription ? PullFlag.SUBSCRIPTION : 0)
  return {
    consumerGroup: request.group,
    topic: queue.topic,
    queueId: queue.queueId,
    queueOffset: request.offset,
    maxMsgNums: request.countMax,
    sysFlag: flags,
    commitOffset,
    suspendTimeoutMillis: holdMs,
    subscription: carriesSubscription ? subscription.expression : undefined,
    subVersion: subscription.version,
    expressionType: subscription.expressionType,
    maxMsgBytes: BYTES_MAX,
  }
}

function received(body: Uint8Array, request: PullRequest, reply: PullReply): ReceivedMessage[] {
  const { queue, subscription } = request
  const messages: ReceivedMessage[] = []
  let next = request.offset
  for (const stored of messagesIn(body)) {
    checkOffset(stored.queueOffset, next)
    next = stored.queueOffset + 1
    if (!isWanted(subscription, stored.properties.get(MessageProperty.TAGS))) continue
    stored.properties.set(MessageProperty.MIN_OFFSET, String(reply.minOffset))
    stored.properties.set(MessageProperty.MAX_OFFSET, String(reply.maxOffset))
    messages.push(new ReceivedMessage(stored, queue.brokerName))
  }
  checkOffset(reply.nextBeginOffset, next)
  return messages
}

function checkOffset(offset: number, offsetMin: number): void {
  if (offset >= offsetMin) return
  throw new MessageError(`offset ${offset} where ${offsetMin} or more must follow`)
}
