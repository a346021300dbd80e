import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { VERSION } from '../protocol/remoting-command.ts'
import { versionText } from '../protocol/version-text.ts'
import type { MessageQueue } from './message-queue.ts'
import { subscriptionData, type Subscription } from './subscription.ts'

/** A queue that is read, as administrators see it. Times in ms. */
export interface QueueState {
  readonly queue: MessageQueue
  /** What may be committed. */
  readonly committable: number
  readonly pulled: number
  /** Messages that are held. */
  readonly count: number
  /** Of their bodies. */
  readonly bytes: number
  /** When it was last pulled; 0 when not yet. */
  readonly pulledAt: number
  /** When it was last made sure that the queue is this client's alone; 0 when it need not be. */
  readonly lockedAt: number
}

/** A queue that is popped from, as administrators see it. Time in ms. */
export interface PoppedState {
  readonly queue: MessageQueue
  /** Messages that are neither acknowledged nor put off. */
  readonly waiting: number
  readonly poppedAt: number
}

export interface ConsumerFacts {
  readonly group: string
  readonly clientId: string
  /** `host:port;host:port` */
  readonly nameServers: string
  readonly consumeFrom: string
  readonly concurrency: number
  readonly messageModel: 'CLUSTERING' | 'BROADCASTING'
  readonly isOrderly: boolean
  /** In ms. */
  readonly startedAt: number
}

const MIB = 1024 * 1024

/**
 * What a consumer says of itself, by Apache 5.3.3's names: its tools read the type, the model and the
 * start. How fast a topic is pulled and consumed is not measured.
 */
export function runningInfo(
  facts: ConsumerFacts,
  subscriptions: Iterable<Subscription>,
  { pulled, popped }: { pulled: readonly QueueState[]; popped: readonly PoppedState[] },
): ConsumerRunningInfo {
  return {
    mqPopTable: popped.map(({ queue, waiting, poppedAt }) => [
      { ...queue },
      { droped: false, lastPopTimestamp: poppedAt, waitAckCount: waiting },
    ]),
    mqTable: pulled.map((state) => [{ ...state.queue }, queueInfo(state)]),
    properties: properties(facts),
    statusTable: new Map(),
    subscriptionSet: Array.from(subscriptions, subscriptionData),
    userConsumerInfo: new Map(),
  }
}

function properties(facts: ConsumerFacts): Map<string, string> {
  const { group, clientId, nameServers, consumeFrom, concurrency, messageModel, startedAt } = facts
  const at = clientId.indexOf('@')
  return new Map([
    ['consumerGroup', group],
    ['clientIP', clientId.slice(0, at)],
    ['instanceName', clientId.slice(at + 1)],
    ['language', 'NODE_JS'],
    ['messageModel', messageModel],
    ['consumeFromWhere', consumeFrom],
    ['consumeThreadMin', String(concurrency)],
    ['consumeThreadMax', String(concurrency)],
    ['PROP_THREADPOOL_CORE_SIZE', String(concurrency)],
    ['PROP_CONSUME_TYPE', 'CONSUME_PASSIVELY'],
    ['PROP_CONSUMEORDERLY', String(facts.isOrderly)],
    ['PROP_CLIENT_VERSION', versionText(VERSION)],
    ['PROP_NAMESERVER_ADDR', nameServers],
    ['PROP_CONSUMER_START_TIMESTAMP', String(startedAt)],
  ])
}

function queueInfo(state: QueueState): ConsumerRunningInfo['mqTable'][number][1] {
  const { committable, pulled, count, bytes, pulledAt, lockedAt } = state
  return {
    cachedMsgCount: count,
    cachedMsgMaxOffset: count === 0 ? 0 : pulled - 1,
    cachedMsgMinOffset: count === 0 ? 0 : committable,
    cachedMsgSizeInMiB: Math.floor(bytes / MIB),
    commitOffset: committable,
    droped: false,
    lastConsumeTimestamp: 0,
    lastLockTimestamp: lockedAt,
    lastPullTimestamp: pulledAt,
    locked: lockedAt > 0,
    transactionMsgCount: 0,
    transactionMsgMaxOffset: 0,
    transactionMsgMinOffset: 0,
    tryUnlockTimes: 0,
  }
}
