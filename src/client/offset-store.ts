import type { MessageQueue } from './message-queue.ts'

/** Where it is kept how far a consumer has come in each queue: at the brokers, or in a file here. */
export interface OffsetStore {
  /** Where to go on; null when nothing was ever committed. */
  committed(queue: MessageQueue): Promise<number | null>
  /** Resolves when it is kept. `offset`: of the first message that is not consumed. */
  commit(queue: MessageQueue, offset: number): Promise<void>
  /** Resolves when it is on its way. */
  commitOneway(queue: MessageQueue, offset: number): Promise<void>
  /** The offset that the next message of the queue will get. */
  max(queue: MessageQueue): Promise<number>
  /** Of the first message stored at a time, in ms since 1970, or later. */
  search(queue: MessageQueue, timestamp: number): Promise<number>
}
