import type { Cluster } from './cluster.ts'
import type { Delivery } from './delivery.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'
import type { OffsetStore } from './offset-store.ts'
import type { Ownership } from './ownership.ts'
import type { BacklogLimits } from './queue-backlog.ts'
import { QueueReader, type ReaderContext } from './queue-reader.ts'
import type { Assignee } from './rebalance.ts'
import type { QueueState } from './running-info.ts'
import { startOffset, type ConsumeFrom } from './start-offset.ts'
import type { Subscription } from './subscription.ts'

export interface ReadersParts {
  readonly cluster: Cluster
  readonly group: string
  readonly consumeFrom: ConsumeFrom
  readonly pullBatchMax: number
  readonly limits: BacklogLimits
  readonly offsets: OffsetStore
  /** Whether brokers are told with pulls, too, how far this client has come. */
  readonly commitsWithPulls: boolean
  readonly ownership: Ownership
  readonly delivery: Delivery
  /** By topic. */
  readonly subscriptions: ReadonlyMap<string, Subscription>
  /** A queue has lost its reader, and may get another. */
  onLost(): void
}

const PERSIST_MS = 5000

/** The queues that are assigned to one client, each with its reader. */
export class QueueReaders implements Assignee {
  readonly #parts: ReadersParts
  readonly #context: ReaderContext
  /** By queueKey. */
  readonly #readers = new Map<string, QueueReader>()
  /** Dropped, but a listener may still run, or the broker is not told yet: nobody else may begin. By queueKey. */
  readonly #leaving = new Map<string, { reader: QueueReader; left: Promise<void> }>()

  /** About to get a reader. By queueKey. */
  readonly #coming = new Set<string>()

  constructor(parts: ReadersParts) {
    const { cluster, group, limits, pullBatchMax, subscriptions, delivery, ownership } = parts
    this.#parts = parts
    this.#context = {
      cluster,
      group,
      limits,
      countMax: pullBatchMax,
      commitsWithPulls: parts.commitsWithPulls,
      subscription: (topic) => subscriptions.get(topic) ?? null,
      isOwn: (queue) => ownership.isOwn(queue),
      deliver: (reader, messages) => delivery.deliver(reader, messages),
      onMoved: (reader, offset) => this.#move(reader, offset),
    }
  }

  get queues(): MessageQueue[] {
    return Array.from(this.#readers.values(), ({ queue }) => queue)
  }

  get states(): QueueState[] {
    const { ownership } = this.#parts
    return Array.from(this.#readers.values(), (reader) => ({
      ...reader.state,
      lockedAt: ownership.askedAt(reader.queue),
    }))
  }

  /** All that must not be another's: those that are read, and those that a listener still runs on. */
  get held(): QueueReader[] {
    const leaving = Array.from(this.#leaving.values(), ({ reader }) => reader)
    return [...this.#readers.values(), ...leaving]
  }

  /** Whether the queue is read, or soon will be, or a listener still runs on what was read of it. */
  isConcernedWith(queue: MessageQueue): boolean {
    const key = queueKey(queue)
    return this.#readers.has(key) || this.#leaving.has(key) || this.#coming.has(key)
  }

  start(): void {
    const { background } = this.#parts.cluster
    background.every(PERSIST_MS, 'offsets cannot be committed', () => this.#persist())
  }

  async assign(topic: string, queues: readonly MessageQueue[]): Promise<boolean> {
    const keys = new Set(queues.map(queueKey))
    await this.#releaseAll((queue) => queue.topic === topic && !keys.has(queueKey(queue)))
    const missing = queues.filter((queue) => !this.#readers.has(queueKey(queue)))
    const free = missing.filter((queue) => !this.#leaving.has(queueKey(queue)))
    if (free.length > 0) await this.#acquireAll(free)
    return queues.every((queue) => this.#readers.has(queueKey(queue)))
  }

  async retain(isSubscribed: (topic: string) => boolean): Promise<void> {
    await this.#releaseAll(({ topic }) => !isSubscribed(topic))
  }

  /** Another offset was set for a queue: if it is read here, it is read from there. */
  async moveTo(queue: MessageQueue, offset: number): Promise<void> {
    const reader = this.#readers.get(queueKey(queue))
    if (reader !== undefined) await this.#move(reader, offset)
  }

  /** They are another's now: what was read of them counts for nothing. */
  lose(readers: readonly QueueReader[]): void {
    for (const reader of readers) {
      if (reader.isDropped) continue
      this.#drop(reader)
      void this.#leave(reader, async () => {}).then(() => this.#parts.onLost())
    }
  }

  /** When the background is stopped: no reader waits for room any more. */
  wake(): void {
    for (const { backlog } of this.#readers.values()) backlog.wake()
  }

  /**
   * Resolves when the brokers took note, as far as they can be reached: what is not committed comes
   * again.
   */
  async close(): Promise<void> {
    const { delivery, offsets } = this.#parts
    const own = [...this.#readers.values()].filter((reader) => this.#isOwn(reader))
    const commits = own.map(({ queue, backlog }) => offsets.commit(queue, backlog.committable))
    await Promise.allSettled(commits)
    const leaving = [...this.#leaving.values()].filter(({ reader }) => delivery.isIdle(reader))
    await Promise.all(leaving.map(({ left }) => left))
  }

  async #acquireAll(queues: readonly MessageQueue[]): Promise<void> {
    for (const queue of queues) this.#coming.add(queueKey(queue))
    try {
      for (const queue of await this.#parts.ownership.take(queues)) await this.#acquire(queue)
    } finally {
      this.#coming.clear()
    }
  }

  async #acquire(queue: MessageQueue): Promise<void> {
    const key = queueKey(queue)
    const { cluster, offsets, consumeFrom } = this.#parts
    const start = await startOffset(offsets, queue, consumeFrom)
    if (cluster.background.isStopped) return
    const reader = new QueueReader(queue, start, this.#context)
    this.#readers.set(key, reader)
    cluster.background.run(`reading ${key}`, () => reader.run())
  }

  async #releaseAll(isLost: (queue: MessageQueue) => boolean): Promise<void> {
    for (const reader of this.#readers.values()) {
      if (!isLost(reader.queue)) continue
      this.#drop(reader)
      const left = this.#leave(reader, () => this.#handOver(reader))
      if (!this.#parts.ownership.isExclusive) await left // else for as long as a listener runs
    }
  }

  /** What its listener has done counts, and whoever reads it next begins behind that. */
  async #handOver(reader: QueueReader): Promise<void> {
    if (!this.#isOwn(reader)) return
    const { offsets, ownership } = this.#parts
    try {
      await offsets.commit(reader.queue, reader.backlog.committable)
    } finally {
      await ownership.giveBack([reader.queue])
    }
  }

  /** Resolves when nothing of it is under way any more; a failure is reported. */
  #leave(reader: QueueReader, then: () => Promise<void>): Promise<void> {
    const { cluster, delivery, group } = this.#parts
    const key = queueKey(reader.queue)
    const left = delivery
      .idle(reader)
      .then(then)
      .catch((error: unknown) => cluster.background.report(`${key} of group ${group}`, error))
      .finally(() => this.#leaving.delete(key))
    this.#leaving.set(key, { reader, left })
    return left
  }

  /** The next round finds the queue without a reader, and the offset committed. */
  async #move(reader: QueueReader, offset: number): Promise<void> {
    this.#drop(reader)
    await this.#leave(reader, () => this.#parts.offsets.commit(reader.queue, offset))
    this.#parts.onLost()
  }

  #drop(reader: QueueReader): void {
    reader.drop()
    this.#readers.delete(queueKey(reader.queue))
  }

  #isOwn({ queue }: QueueReader): boolean {
    return this.#parts.ownership.isOwn(queue)
  }

  /**
   * Also what is committed already: a broker that was killed may have forgotten the last offsets it
   * was told.
   */
  async #persist(): Promise<void> {
    const own = [...this.#readers.values()].filter((reader) => this.#isOwn(reader))
    const commits = own.map(({ queue, backlog }) =>
      this.#parts.offsets.commitOneway(queue, backlog.committable),
    )
    const failed = (await Promise.allSettled(commits)).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
}
