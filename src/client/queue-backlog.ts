import { assert } from '../base/assert.ts'

/**
 * How much one queue may hold before its reader stops pulling. Defaults as in Apache's push
 * consumer.
 */
export interface BacklogLimits {
  /** Messages. */
  readonly countMax: number
  /** Body bytes. */
  readonly bytesMax: number
  /**
   * Offsets between the oldest message still held and the newest: one stuck message must not let
   * the rest run on.
   */
  readonly spanMax: number
}

export const backlogDefaults: BacklogLimits = {
  countMax: 1000,
  bytesMax: 100 * 1024 * 1024,
  spanMax: 2000,
}

/**
 * The messages of one queue between "pulled" and "consumed", and the one position that follows from
 * them: everything below `committable` is done, so that is what may be committed, however out of
 * order the listeners finish.
 */
export class QueueBacklog {
  readonly #limits: BacklogLimits
  /** Offset to body bytes. Filled in ascending order, so the first key is the oldest. */
  readonly #held = new Map<number, number>()
  #bytes = 0
  #pulled: number
  #newest = 0
  #waiting: (() => void) | null = null

  constructor(start: number, limits: BacklogLimits) {
    this.#pulled = start
    this.#limits = limits
  }

  /** The offset to pull from next. */
  get pulled(): number {
    return this.#pulled
  }

  get count(): number {
    return this.#held.size
  }

  /** Of the bodies that are held. */
  get bytes(): number {
    return this.#bytes
  }

  get committable(): number {
    const oldest = this.#held.keys().next()
    return oldest.done ? this.#pulled : oldest.value
  }

  /** Must come in the order of the queue, before `advance` moves past it. */
  add(offset: number, bytes: number): void {
    assert(offset >= this.#pulled && (this.#held.size === 0 || offset > this.#newest))
    this.#held.set(offset, bytes)
    this.#bytes += bytes
    this.#newest = offset
  }

  /** Everything below `pulled` was either added or is not for us. */
  advance(pulled: number): void {
    this.#pulled = pulled
  }

  remove(offset: number): void {
    this.#bytes -= this.#held.get(offset) ?? 0
    this.#held.delete(offset)
    if (!this.isFull()) this.wake()
  }

  isFull(): boolean {
    const { countMax, bytesMax, spanMax } = this.#limits
    if (this.#held.size === 0) return false
    const isWide = this.#newest - this.committable > spanMax
    return isWide || this.#held.size > countMax || this.#bytes > bytesMax
  }

  /** Resolves when there is room again, or at `wake`. One waiter: the queue's reader. */
  hasRoom(): Promise<void> {
    if (!this.isFull()) return Promise.resolve()
    return new Promise((resolve) => (this.#waiting = resolve))
  }

  wake(): void {
    this.#waiting?.()
    this.#waiting = null
  }
}
