import type { Allocation } from './allocation.ts'
import { assignment } from './assignment.ts'
import type { Cluster } from './cluster.ts'
import { GroupOffsets } from './group-offsets.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'
import type { BacklogLimits } from './queue-backlog.ts'
import { QueueReader, type ReaderContext } from './queue-reader.ts'
import type { QueueState } from './running-info.ts'
import type { ReceivedMessage } from './received-message.ts'
import { startOffset, type ConsumeFrom } from './start-offset.ts'
import type { Subscription } from './subscription.ts'

export interface ReadersOptions {
  readonly group: string
  readonly consumeFrom: ConsumeFrom
  readonly pullBatchMax: number
  readonly allocate: Allocation
  readonly limits: BacklogLimits
}

/** Until the next look at who reads what, unless the broker says that members came or went. */
const REBALANCE_MS = 20_000
/** After a round in which a broker or name server failed, or a broker did not list us yet. */
const REBALANCE_AGAIN_MS = 1000
/** While a subscribed topic does not exist. */
const MISSING_TOPIC_MS = 5000
const PERSIST_MS = 5000

/** The queues that are assigned to one member of a group, each with its reader. */
export class QueueReaders {
  readonly #cluster: Cluster
  readonly #options: ReadersOptions
  readonly #subscriptions: ReadonlyMap<string, Subscription>
  readonly #context: ReaderContext
  readonly #offsets: GroupOffsets
  /** By queueKey. */
  readonly #readers = new Map<string, QueueReader>()
  #rebalanceSoon = () => {}

  /** `subscriptions`, by topic, may change: rebalance then. */
  constructor(
    cluster: Cluster,
    options: ReadersOptions,
    subscriptions: ReadonlyMap<string, Subscription>,
    deliver: (reader: QueueReader, messages: readonly ReceivedMessage[]) => void,
  ) {
    const { group, limits, pullBatchMax: countMax } = options
    this.#cluster = cluster
    this.#options = options
    this.#subscriptions = subscriptions
    this.#offsets = new GroupOffsets(cluster, group)
    this.#context = {
      cluster,
      group,
      limits,
      countMax,
      subscription: (topic) => subscriptions.get(topic) ?? null,
      deliver,
      onMoved: (reader, offset) => this.#move(reader, offset),
    }
  }

  get queues(): MessageQueue[] {
    return Array.from(this.#readers.values(), ({ queue }) => queue)
  }

  get states(): QueueState[] {
    return Array.from(this.#readers.values(), (reader) => reader.state)
  }

  /** Another offset was set for a queue: if it is read here, it is read from there. */
  async moveTo(queue: MessageQueue, offset: number): Promise<void> {
    const reader = this.#readers.get(queueKey(queue))
    if (reader !== undefined) await this.#move(reader, offset)
  }

  start(): void {
    const { background } = this.#cluster
    this.#rebalanceSoon = background.repeat('rebalance', 0, () => this.#rebalance())
    background.every(PERSIST_MS, 'offsets cannot be committed', () => this.#persist())
  }

  /** Who reads what may have changed. */
  rebalance(): void {
    this.#rebalanceSoon()
  }

  /** When the background is stopped: no reader waits for room any more. */
  wake(): void {
    for (const { backlog } of this.#readers.values()) backlog.wake()
  }

  /**
   * Resolves when the brokers took note, as far as they can be reached: what is not committed comes
   * again.
   */
  async commit(): Promise<void> {
    const commits = Array.from(this.#readers.values(), ({ queue, backlog }) =>
      this.#offsets.commit(queue, backlog.committable),
    )
    await Promise.allSettled(commits)
  }

  /** Resolves to the milliseconds until the next round. */
  async #rebalance(): Promise<number> {
    const topics = [...this.#subscriptions.keys()]
    for (const topic of topics) await this.#attempt(topic, () => this.#cluster.routes.find(topic))
    await this.#cluster.greet() // a broker lists only whom it had a heartbeat from
    await this.#releaseAll((queue) => !this.#subscriptions.has(queue.topic))
    let waitMs = REBALANCE_MS
    for (const topic of topics) {
      const topicMs = await this.#attempt(topic, () => this.#rebalanceTopic(topic))
      waitMs = Math.min(waitMs, topicMs ?? REBALANCE_AGAIN_MS)
    }
    return waitMs
  }

  async #rebalanceTopic(topic: string): Promise<number> {
    const { group, allocate } = this.#options
    const route = await this.#cluster.routes.find(topic)
    if (route === null) return MISSING_TOPIC_MS
    const share = await assignment(this.#cluster, group, route, allocate)
    if (share === null) {
      await this.#cluster.heartbeat()
      return REBALANCE_AGAIN_MS
    }
    const keys = new Set(share.map(queueKey))
    await this.#releaseAll((queue) => queue.topic === topic && !keys.has(queueKey(queue)))
    for (const queue of share) await this.#acquire(queue)
    return REBALANCE_MS
  }

  async #acquire(queue: MessageQueue): Promise<void> {
    const key = queueKey(queue)
    const { background } = this.#cluster
    if (this.#readers.has(key) || background.isStopped) return
    const start = await startOffset(this.#offsets, queue, this.#options.consumeFrom)
    if (background.isStopped) return
    const reader = new QueueReader(queue, start, this.#context)
    this.#readers.set(key, reader)
    background.run(`reading ${key}`, () => reader.run())
  }

  async #releaseAll(isLost: (queue: MessageQueue) => boolean): Promise<void> {
    for (const reader of this.#readers.values()) {
      if (!isLost(reader.queue)) continue
      this.#drop(reader)
      const { queue, backlog } = reader
      await this.#attempt(queue.topic, () => this.#offsets.commitOneway(queue, backlog.committable))
    }
  }

  /** The next round finds the queue without a reader, and the offset committed. */
  async #move(reader: QueueReader, offset: number): Promise<void> {
    this.#drop(reader)
    await this.#attempt(reader.queue.topic, () => this.#offsets.commit(reader.queue, offset))
    this.rebalance()
  }

  #drop(reader: QueueReader): void {
    reader.drop()
    this.#readers.delete(queueKey(reader.queue))
  }

  /**
   * Also what is committed already: a broker that was killed may have forgotten the last offsets it
   * was told.
   */
  async #persist(): Promise<void> {
    const commits = Array.from(this.#readers.values(), ({ queue, backlog }) =>
      this.#offsets.commitOneway(queue, backlog.committable),
    )
    const failed = (await Promise.allSettled(commits)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  /** Null after a failure, which is reported: other topics and queues go on. */
  async #attempt<T>(topic: string, job: () => Promise<T>): Promise<T | null> {
    try {
      return await job()
    } catch (error) {
      this.#cluster.background.report(`topic ${topic} of group ${this.#options.group}`, error)
      return null
    }
  }
}
