import { peekPosition, publishPosition, readPosition } from './position.ts'

/**
 * One row of shared words per (topic, queueId): what threads need to know of a queue.
 *
 *    0..2    next      the offset the next message gets           append lock
 *    3..5    max       offsets below it can be read               dispatch
 *    6..8    min       the lowest offset that can be read         dispatch
 *    9       waiters   a bit for each thread that waits for a message; set by it, taken by dispatch
 *    10..15  free (a row is one cache line of 64 bytes)
 *
 * A row belongs to one queue until the process ends; a deleted topic's rows are not used again.
 */
const ROW_WORDS = 16
const NEXT = 0
const MAX = 3
const MIN = 6
const WAITERS = 9

export class Rows {
  readonly #words: Int32Array
  readonly capacity: number

  static allocate(count: number): SharedArrayBuffer {
    return new SharedArrayBuffer(count * ROW_WORDS * 4) // untouched pages cost no memory
  }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
    this.capacity = this.#words.length / ROW_WORDS
  }

  /** Under the append lock, as `publishNext`. */
  next(row: number): number {
    return peekPosition(this.#words, row * ROW_WORDS + NEXT)
  }

  publishNext(row: number, offset: number): void {
    publishPosition(this.#words, row * ROW_WORDS + NEXT, offset)
  }

  max(row: number): number {
    return readPosition(this.#words, row * ROW_WORDS + MAX)
  }

  publishMax(row: number, offset: number): void {
    publishPosition(this.#words, row * ROW_WORDS + MAX, offset)
  }

  min(row: number): number {
    return readPosition(this.#words, row * ROW_WORDS + MIN)
  }

  publishMin(row: number, offset: number): void {
    publishPosition(this.#words, row * ROW_WORDS + MIN, offset)
  }

  /** A thread parks: from now on dispatch tells it when `max` moves. */
  setWaiter(row: number, worker: number): void {
    Atomics.or(this.#words, row * ROW_WORDS + WAITERS, 1 << worker)
  }

  /** Dispatch moved `max`: whom to tell. Each bit is told once; who still waits sets it again. */
  takeWaiters(row: number): number {
    const at = row * ROW_WORDS + WAITERS
    if (Atomics.load(this.#words, at) === 0) return 0 // after max was stored: see HeldPulls.park
    return Atomics.exchange(this.#words, at, 0)
  }
}
