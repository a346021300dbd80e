import type { SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import type { SubscriptionGroupConfig } from '../protocol/bodies/subscription-group.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { Thread, type LogShared } from '../store/log-memory.ts'
import type { QueueRows } from '../store/queue-rows.ts'
import type { RowsChange } from '../store/topic-rows.ts'
import type { Metadata } from './metadata.ts'
import type { MetadataChange } from './metadata-change.ts'
import { DEDUP_WINDOW, millisOf, TTL } from './topic-attributes.ts'
import type { Workers } from './workers.ts'

/** Who waits until all threads have applied a version. */
interface Waiter {
  version: number
  resolve: () => void
}

/**
 * Tells the other threads of topics, groups and subscriptions in numbered lots, and knows when all
 * of them have applied a lot.
 */
export class MetadataPublisher implements Metadata {
  readonly #shared: LogShared
  readonly #workers: Workers
  readonly #rows: QueueRows
  readonly #waiters: Waiter[] = []
  /** Where the log ended when a topic was made (or found at the start). */
  readonly #from = new Map<string, number>()
  #changes: MetadataChange[] = []
  #rowsChanges: RowsChange[] = []
  #version = 0
  #isDue = false

  constructor(shared: LogShared, workers: Workers, rows: QueueRows) {
    this.#shared = shared
    this.#workers = workers
    this.#rows = rows
  }

  publishTopic(config: TopicConfig): void {
    const { topicName: topic, perm, readQueueNums, writeQueueNums, attributes } = config
    this.#add({
      kind: 'topic',
      topic,
      perm,
      readQueueNums,
      writeQueueNums,
      ttlMs: millisOf(attributes, TTL),
      dedupWindowMs: millisOf(attributes, DEDUP_WINDOW),
      rows: [...(this.#rows.of(topic) ?? [])],
    })
    this.publishRows(topic)
  }

  removeTopic(topic: string): void {
    this.#from.delete(topic)
    this.#rowsChanges.push({ topic, rows: [] })
    this.#add({ kind: 'topicGone', topic })
  }

  /** Only the rows, for dispatch: the log may hold messages of topics that nobody may send to. */
  publishRows(topic: string): void {
    const from = this.#from.get(topic) ?? this.#shared.appended.value()
    this.#from.set(topic, from)
    this.#rowsChanges.push({ topic, rows: [...(this.#rows.of(topic) ?? [])], from })
    this.#beDue()
  }

  publishGroup({ groupName: group, consumeEnable }: SubscriptionGroupConfig): void {
    this.#add({ kind: 'group', group, consumeEnable })
  }

  removeGroup(group: string): void {
    this.#add({ kind: 'groupGone', group })
  }

  publishSubscriptions(group: string, subscriptions: readonly SubscriptionData[]): void {
    this.#add({ kind: 'subscriptions', group, subscriptions: [...subscriptions] })
  }

  publishResets(group: string, queues: readonly string[]): void {
    this.#add({ kind: 'resets', group, queues: [...queues] })
  }

  applied(): Promise<void> {
    this.#publish()
    if (this.#appliedByAll() >= this.#version) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ version: this.#version, resolve }))
  }

  /** A thread has woken main, perhaps because it applied something. */
  onWake(): void {
    if (this.#waiters.length === 0) return
    const version = this.#appliedByAll()
    while (this.#waiters.length > 0 && this.#waiters[0]!.version <= version) {
      this.#waiters.shift()!.resolve()
    }
  }

  #add(change: MetadataChange): void {
    this.#changes.push(change)
    this.#beDue()
  }

  /** What nobody waits for leaves at the end of the turn. */
  #beDue(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#publish())
  }

  #publish(): void {
    this.#isDue = false
    if (this.#changes.length === 0 && this.#rowsChanges.length === 0) return
    this.#version++
    this.#workers.tellFollowers(this.#rowsChanges)
    this.#shared.publishMetadataVersion(this.#version) // after their messages are on their way
    // Last: what a network worker appends the moment it hears of a topic, dispatch must have rows for.
    this.#workers.tellNetwork({ kind: 'metadata', changes: this.#changes, version: this.#version })
    this.#changes = []
    this.#rowsChanges = []
    this.#shared.signalOf(Thread.DISPATCH).wake()
  }

  #appliedByAll(): number {
    let version = this.#shared.appliedBy(Thread.DISPATCH)
    for (let nth = 0; nth < this.#workers.network.length; nth++) {
      version = Math.min(version, this.#shared.appliedBy(Thread.NETWORK + nth))
    }
    return version
  }
}
