import { UNIT_LENGTH, type ConsumeQueue } from './consume-queue.ts'

/** Entries read at once for a consumer that is behind: several pulls are then served from memory. */
const BLOCK_UNITS = 256

/** Reads a queue's entries for pulls; those of a queue that is being caught up with, ahead. */
export class UnitReader {
  readonly queue: ConsumeQueue
  #block: Buffer | null = null
  #blockStart = 0
  #blockEnd = 0

  constructor(queue: ConsumeQueue) {
    this.queue = queue
  }

  /** Up to `count` entries from `offset` on, where `max` is behind the last one; returns how many. */
  read(offset: number, count: number, max: number, target: Buffer): number {
    const wanted = Math.min(count, max - offset)
    if (this.#copyOut(offset, wanted, target)) return wanted
    // Near the end there is nothing to read ahead, and a large read is ahead enough by itself.
    if (max - offset < BLOCK_UNITS || wanted * 4 > BLOCK_UNITS) {
      this.#block = null
      return this.queue.read(offset, wanted, target)
    }
    this.#load(offset)
    return this.#copyOut(offset, wanted, target) ? wanted : this.queue.read(offset, wanted, target)
  }

  #load(offset: number): void {
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK_UNITS * UNIT_LENGTH)
    this.#blockStart = offset
    this.#blockEnd = offset + this.queue.read(offset, BLOCK_UNITS, this.#block)
  }

  #copyOut(offset: number, count: number, target: Buffer): boolean {
    if (this.#block === null) return false
    if (offset < this.#blockStart || offset + count > this.#blockEnd) return false
    const at = (offset - this.#blockStart) * UNIT_LENGTH
    this.#block.copy(target, 0, at, at + count * UNIT_LENGTH)
    return true
  }
}
