import type { Unit } from '../store/consume-queue.ts'

/**
 * What the broker thread sees of the store: queues, their offsets and times. The store's facade
 * implements it (src/broker/main-queue-store.ts).
 */
export interface QueueStore {
  /**
   * Rows for queues 0 … count - 1 of the topic exist from now on and are published to the workers.
   * Rows that exist already stay as they are; a smaller count removes nothing.
   */
  ensureQueues(topic: string, count: number): void
  /** Before the topic's entry goes: its messages are nobody's from now on, durably. */
  beginRemoval(topic: string): void
  /** Retires the rows of the topic and forgets its ConsumeQueues; its bytes in the log stay. */
  removeTopic(topic: string): Promise<void>
  /** Topics that have queues here, whether or not they are configured. */
  storedTopics(): readonly string[]
  /** Where the log ends: the position of the next message. */
  endPosition(): number
  /** A bit of `RetentionAsk`; done soon. */
  askRetention(ask: number): void
  /** Offset of the oldest message; null when there is no such queue. */
  minOffset(topic: string, queueId: number): number | null
  /** Offset the next visible message will have (0 for an empty queue); null when there is no such queue. */
  maxOffset(topic: string, queueId: number): number | null
  /**
   * LOWER: the first offset stored at or after the time. UPPER: the last one stored at or before it.
   * The nearest end of the queue when all messages lie on one side; 0 when there is no such queue.
   */
  offsetByTime(
    topic: string,
    queueId: number,
    timestampMs: number,
    boundary: 'LOWER' | 'UPPER',
  ): Promise<number>
  /** Store time in ms of the oldest message, -1 when there is none. */
  earliestStoreTime(topic: string, queueId: number): Promise<number>
  /** Store time in ms of the message at this offset, -1 when there is none. */
  storeTimeAt(topic: string, queueId: number, offset: number): Promise<number>
  /** The entry of the queue at this offset; null when there is none (any more). */
  unitAt(topic: string, queueId: number, offset: number): Unit | null
  /** Whether there is a message at this offset and reading it costs no disk. */
  isInMemory(topic: string, queueId: number, offset: number): Promise<boolean>
}
