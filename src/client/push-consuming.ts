import { InitMode } from '../protocol/requests/pop.ts'
import { assignment, brokersAssignment, strategyName } from './assignment.ts'
import type { Cluster } from './cluster.ts'
import { ConcurrentDelivery, type Delivery, type MessageListener } from './delivery.ts'
import { GroupOffsets } from './group-offsets.ts'
import { LocalOffsets } from './local-offsets.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'
import type { OffsetStore } from './offset-store.ts'
import { OrderlyDelivery, type OrderlyListener } from './orderly-delivery.ts'
import { LockedOwnership, sharedOwnership, type Ownership } from './ownership.ts'
import { PopAnswers } from './pop-answers.ts'
import { PopDelivery } from './pop-delivery.ts'
import { PopReaders } from './pop-readers.ts'
import type { PushSettings } from './push-options.ts'
import { QueueLocks } from './queue-locks.ts'
import { QueueReaders } from './queue-readers.ts'
import { Rebalance, type Share } from './rebalance.ts'
import { RetrySender } from './retry-sender.ts'
import type { PoppedState, QueueState } from './running-info.ts'
import type { Subscription } from './subscription.ts'
import type { Traces } from './traces.ts'

/** Whom messages are brought to, and whether those of a queue come one behind the other. */
export type Listening =
  | { readonly isOrderly: false; readonly listener: MessageListener }
  | { readonly isOrderly: true; readonly listener: OrderlyListener }

export interface ConsumingParts {
  readonly cluster: Cluster
  readonly settings: PushSettings
  readonly listening: Listening
  /** By topic. They may change: rebalance then. */
  readonly subscriptions: ReadonlyMap<string, Subscription>
  /** Null: nothing is told. */
  readonly traces: Traces | null
}

/** Source: Apache 5.3.3, ProcessQueue: renewed thrice in the minute that brokers keep a lock. */
const RENEW_MS = 20_000
const RENEW_AGAIN_MS = 1000
const RECONSUME_TIMES = 16

/** A push consumer that has started: who reads which queue, how far, and who is told of the messages. */
export class PushConsuming {
  readonly readers: QueueReaders
  readonly #parts: ConsumingParts
  readonly #local: LocalOffsets | null
  readonly #locks: LockedOwnership | null
  /** Null when brokers do not share the queues out. */
  readonly #popping: Popping | null
  readonly #delivery: Delivery
  readonly #rebalance: Rebalance

  /** Throws ClientError when the file of a broadcast consumer cannot be used. */
  constructor(parts: ConsumingParts) {
    const { cluster, settings, subscriptions } = parts
    const { group, consumeFrom, pullBatchMax, limits } = settings
    const isShared = settings.messageModel === 'CLUSTERING'
    const brokers = new GroupOffsets(cluster, group)
    this.#parts = parts
    this.#local = isShared ? null : localOffsets(cluster, settings, brokers)
    const offsets: OffsetStore = this.#local ?? brokers
    const isLocked = isShared && parts.listening.isOrderly
    this.#locks = isLocked
      ? new LockedOwnership(cluster, new QueueLocks(cluster, group), offsets)
      : null
    const ownership: Ownership = this.#locks ?? sharedOwnership
    this.#delivery = deliveryOf(parts, ownership)
    const common = { cluster, group, subscriptions }
    this.readers = new QueueReaders({
      ...common,
      consumeFrom,
      pullBatchMax,
      limits,
      offsets,
      ownership,
      delivery: this.#delivery,
      commitsWithPulls: isShared,
      onLost: () => this.rebalance(),
    })
    this.#popping = poppingOf(parts)
    this.#rebalance = new Rebalance({
      ...common,
      share: shareFor(cluster, settings),
      pulling: this.readers,
      popping: this.#popping?.readers ?? null,
    })
  }

  get queues(): MessageQueue[] {
    return [...this.readers.queues, ...(this.#popping?.readers.queues ?? [])]
  }

  get states(): { pulled: QueueState[]; popped: PoppedState[] } {
    return { pulled: this.readers.states, popped: this.#popping?.readers.states ?? [] }
  }

  start(): void {
    const { background } = this.#parts.cluster
    this.#rebalance.start()
    this.readers.start()
    const locks = this.#locks
    if (locks === null) return
    background.repeat('queues cannot be locked', RENEW_MS, () => this.#renew(locks))
  }

  /** Who reads what may have changed. */
  rebalance(): void {
    this.#rebalance.soon()
  }

  /** When the background is stopped: lets listeners that run end, and commits what is consumed. */
  async close(): Promise<void> {
    this.readers.wake()
    this.#popping?.readers.wake()
    const popped = this.#popping?.delivery.settled() ?? Promise.resolve()
    const settled = Promise.all([this.#delivery.settled(), popped])
    await within(this.#parts.settings.closeTimeoutMs, settled)
    await this.readers.close()
    await Promise.allSettled([this.#locks?.giveBack(this.#idleQueues(this.#locks))])
    await this.#local?.close()
  }

  /** Others may begin there: what a listener still runs on is locked until the broker forgets it. */
  #idleQueues(locks: LockedOwnership): MessageQueue[] {
    const busy = this.readers.held.filter((reader) => !this.#delivery.isIdle(reader))
    const keys = new Set(busy.map(({ queue }) => queueKey(queue)))
    return locks.queues.filter((queue) => !keys.has(queueKey(queue)))
  }

  /** Resolves to the milliseconds until the next time. */
  async #renew(locks: LockedOwnership): Promise<number> {
    const { lost, isSure } = await locks.renew(this.readers.held)
    this.readers.lose(lost)
    await this.#giveBackLate(locks)
    return isSure ? RENEW_MS : RENEW_AGAIN_MS
  }

  /** What was given back while its renewal was on the way. */
  async #giveBackLate(locks: LockedOwnership): Promise<void> {
    await locks.giveBack(locks.queues.filter((queue) => !this.readers.isConcernedWith(queue)))
  }
}

function localOffsets(
  { clientId }: Cluster,
  { group, offsetFolder: folder }: PushSettings,
  brokers: GroupOffsets,
): LocalOffsets {
  return new LocalOffsets({ clientId, group, folder }, brokers)
}

function deliveryOf(
  { cluster, settings, listening, traces }: ConsumingParts,
  ownership: Ownership,
): Delivery {
  const { group, concurrency, consumeBatchMax: batchMax, suspendMs, messageModel } = settings
  const retries = new RetrySender(cluster, group)
  const common = { group, concurrency, batchMax, traces }
  if (listening.isOrderly) {
    const { maxReconsumeTimes = Infinity } = settings
    const { listener } = listening
    const isOwn = ownership.isOwn.bind(ownership)
    const options = { ...common, listener, maxReconsumeTimes, suspendMs, retries, isOwn }
    return new OrderlyDelivery(cluster, options)
  }
  const { maxReconsumeTimes = RECONSUME_TIMES } = settings
  return new ConcurrentDelivery(cluster, {
    ...common,
    listener: listening.listener,
    maxReconsumeTimes,
    retries: messageModel === 'CLUSTERING' ? retries : null,
  })
}

interface Popping {
  readonly readers: PopReaders
  readonly delivery: PopDelivery
}

function poppingOf({ cluster, settings, listening, ...parts }: ConsumingParts): Popping | null {
  if (settings.clientRebalance || listening.isOrderly) return null
  const { group, concurrency, consumeBatchMax: batchMax, consumeFrom } = settings
  const { maxReconsumeTimes = RECONSUME_TIMES } = settings
  const { subscriptions, traces } = parts
  const answers = new PopAnswers(cluster, group)
  const retries = new RetrySender(cluster, group)
  const { listener } = listening
  const calls = { group, listener, concurrency, batchMax, maxReconsumeTimes, traces }
  const { popInvisibleMs: invisibleMs, popBatchMax: countMax, popWaitingMax: waitingMax } = settings
  const delivery = new PopDelivery(cluster, { ...calls, invisibleMs, answers, retries })
  const initMode = consumeFrom === 'CONSUME_FROM_FIRST_OFFSET' ? InitMode.MIN : InitMode.MAX
  const pops = { countMax, invisibleMs, waitingMax, initMode }
  const shared = { cluster, group, subscriptions, answers, delivery }
  return { readers: new PopReaders({ ...shared, ...pops }), delivery }
}

function shareFor(cluster: Cluster, settings: PushSettings): Share {
  const { group, allocate, messageModel } = settings
  if (messageModel === 'BROADCASTING') {
    return async ({ readQueues }) => ({ pulled: readQueues, popped: [] })
  }
  if (!settings.clientRebalance) {
    const strategy = strategyName(allocate)
    return (route) => brokersAssignment(cluster, group, route, strategy)
  }
  return async (route) => {
    const pulled = await assignment(cluster, group, route, allocate)
    return pulled === null ? null : { pulled, popped: [] }
  }
}

/** Resolves when `promise` does, or after `ms`. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([promise, late])
  clearTimeout(timer)
}
