import type { Unit } from '../../src/store/consume-queue.ts'
import type { QueueStore } from '../../src/broker/queue-store.ts'

/** A queue as an array: store time of each message, from `minOffset` on. */
interface MemoryQueue {
  minOffset: number
  storeTimes: number[]
}

/** The store in memory, as far as the broker thread looks at it. */
export class MemoryStore implements QueueStore {
  readonly topics = new Map<string, MemoryQueue[]>()
  /** Offsets that are read from disk only, as `topic/queueId/offset`. */
  readonly cold = new Set<string>()
  /** Topics whose removal has begun. */
  readonly removing: string[] = []

  ensureQueues(topic: string, count: number): void {
    const queues = this.topics.get(topic) ?? []
    while (queues.length < count) queues.push({ minOffset: 0, storeTimes: [] })
    this.topics.set(topic, queues)
  }

  beginRemoval(topic: string): void {
    this.removing.push(topic)
  }

  async removeTopic(topic: string): Promise<void> {
    await Promise.resolve()
    this.topics.delete(topic)
  }

  /** What was asked of retention. */
  readonly asks: number[] = []

  storedTopics(): readonly string[] {
    return [...this.topics.keys()]
  }

  endPosition(): number {
    return 4711
  }

  askRetention(ask: number): void {
    this.asks.push(ask)
  }

  /** Messages that were stored at these times. */
  fill(topic: string, queueId: number, storeTimes: number[], minOffset = 0): void {
    this.topics.get(topic)![queueId] = { minOffset, storeTimes }
  }

  minOffset(topic: string, queueId: number): number | null {
    return this.#queue(topic, queueId)?.minOffset ?? null
  }

  maxOffset(topic: string, queueId: number): number | null {
    const queue = this.#queue(topic, queueId)
    return queue === undefined ? null : queue.minOffset + queue.storeTimes.length
  }

  async offsetByTime(
    topic: string,
    queueId: number,
    timestampMs: number,
    boundary: 'LOWER' | 'UPPER',
  ): Promise<number> {
    const queue = this.#queue(topic, queueId)
    if (queue === undefined) return 0
    const { minOffset, storeTimes } = queue
    const index =
      boundary === 'LOWER'
        ? storeTimes.findIndex((time) => time >= timestampMs)
        : storeTimes.findLastIndex((time) => time <= timestampMs)
    return minOffset + Math.max(0, index)
  }

  async earliestStoreTime(topic: string, queueId: number): Promise<number> {
    return this.#queue(topic, queueId)?.storeTimes[0] ?? -1
  }

  async storeTimeAt(topic: string, queueId: number, offset: number): Promise<number> {
    const queue = this.#queue(topic, queueId)
    return queue?.storeTimes[offset - queue.minOffset] ?? -1
  }

  /** Messages of 100 bytes one behind the other, whatever their queue; tags code is the offset. */
  unitAt(topic: string, queueId: number, offset: number): Unit | null {
    const queue = this.#queue(topic, queueId)
    if (queue?.storeTimes[offset - queue.minOffset] === undefined) return null
    return { position: offset * 100, length: 100, tagsCode: offset }
  }

  async isInMemory(topic: string, queueId: number, offset: number): Promise<boolean> {
    const hasMessage = (await this.storeTimeAt(topic, queueId, offset)) !== -1
    return hasMessage && !this.cold.has(`${topic}/${queueId}/${offset}`)
  }

  #queue(topic: string, queueId: number): MemoryQueue | undefined {
    return this.topics.get(topic)?.[queueId]
  }
}
