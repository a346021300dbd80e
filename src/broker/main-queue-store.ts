import { firstNot } from '../base/first-not.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Unit } from '../store/consume-queue.ts'
import { TooManyQueuesError } from '../store/queue-rows.ts'
import type { BrokerStore } from './broker-store.ts'
import type { MetadataPublisher } from './metadata-publisher.ts'
import type { QueueStore } from './queue-store.ts'

/** What the broker thread's handlers see of the store. */
export class MainQueueStore implements QueueStore {
  readonly #store: BrokerStore
  readonly #publisher: MetadataPublisher
  readonly #hotBytes: number

  constructor(store: BrokerStore, publisher: MetadataPublisher, hotBytes: number) {
    this.#store = store
    this.#publisher = publisher
    this.#hotBytes = hotBytes
  }

  ensureQueues(topic: string, count: number): void {
    try {
      this.#store.rows.ensure(topic, count)
    } catch (error) {
      if (!(error instanceof TooManyQueuesError)) throw error
      throw new ResponseError('SYSTEM_ERROR', error.message)
    }
    this.#publisher.publishRows(topic)
  }

  beginRemoval(topic: string): void {
    this.#store.deleted.add(topic, this.#store.shared.appended.value())
  }

  async removeTopic(topic: string): Promise<void> {
    const { deleted, shared } = this.#store
    this.#publisher.removeTopic(topic)
    await this.#publisher.applied() // every thread has closed its files
    deleted.add(topic, shared.appended.value()) // until then others went on sending
    this.#store.deleteQueues(topic)
  }

  storedTopics(): readonly string[] {
    return [...this.#store.rows.topics()]
  }

  endPosition(): number {
    return this.#store.shared.appended.value()
  }

  askRetention(ask: number): void {
    this.#store.shared.askRetention(ask)
  }

  minOffset(topic: string, queueId: number): number | null {
    const row = this.#store.rows.row(topic, queueId)
    return row === undefined ? null : this.#store.minOffset(row)
  }

  maxOffset(topic: string, queueId: number): number | null {
    const row = this.#store.rows.row(topic, queueId)
    return row === undefined ? null : this.#store.maxOffset(row)
  }

  // Reads here are synchronous: a search is some twenty of them, from the page cache mostly.
  offsetByTime(
    topic: string,
    queueId: number,
    timestampMs: number,
    boundary: 'LOWER' | 'UPPER',
  ): Promise<number> {
    const min = this.minOffset(topic, queueId)
    const max = this.maxOffset(topic, queueId)
    if (min === null || max === null) return Promise.resolve(0)
    const isBefore = (offset: number) => {
      const time = this.#store.storeTimeAt(topic, queueId, offset)
      return boundary === 'LOWER' ? time < timestampMs : time <= timestampMs
    }
    const offset = firstNot(isBefore, { from: min, to: max })
    // UPPER asks for the last message stored at or before the time.
    return Promise.resolve(boundary === 'LOWER' ? offset : Math.max(min, offset - 1))
  }

  earliestStoreTime(topic: string, queueId: number): Promise<number> {
    const min = this.minOffset(topic, queueId)
    const max = this.maxOffset(topic, queueId)
    if (min === null || max === null || min >= max) return Promise.resolve(-1)
    return Promise.resolve(this.#store.storeTimeAt(topic, queueId, min))
  }

  storeTimeAt(topic: string, queueId: number, offset: number): Promise<number> {
    if (!this.#has(topic, queueId, offset)) return Promise.resolve(-1)
    return Promise.resolve(this.#store.storeTimeAt(topic, queueId, offset))
  }

  unitAt(topic: string, queueId: number, offset: number): Unit | null {
    return this.#has(topic, queueId, offset) ? this.#store.unitAt(topic, queueId, offset) : null
  }

  isInMemory(topic: string, queueId: number, offset: number): Promise<boolean> {
    if (!this.#has(topic, queueId, offset)) return Promise.resolve(false)
    const unit = this.#store.unitAt(topic, queueId, offset)
    const end = this.#store.shared.appended.value()
    return Promise.resolve(unit !== null && end - unit.position <= this.#hotBytes)
  }

  #has(topic: string, queueId: number, offset: number): boolean {
    const min = this.minOffset(topic, queueId)
    const max = this.maxOffset(topic, queueId)
    return min !== null && max !== null && offset >= min && offset < max
  }
}
