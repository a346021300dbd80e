import { firstNot } from '../base/first-not.ts'
import { PRE_BLANK_LENGTH, readUnit, UNIT_LENGTH, type ConsumeQueue } from './consume-queue.ts'

/** Units looked at in one read, when the first stands for no message. */
const LOOK_UNITS = 512
/** Behind so many that stand for none, those before them count as gone. */
const BLANKS_MAX = 16_384

/** Finds where a queue begins, once the beginning of the log was deleted. One object per thread. */
export class QueueMin {
  readonly #bytes = Buffer.allocUnsafeSlow(LOOK_UNITS * UNIT_LENGTH)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #unit = { position: 0, length: 0, tagsCode: 0 }

  /**
   * The first offset of `[from, to)` with a message at or above `minPosition`; `to` when there is none.
   * Entries whose file is gone lie below, positions grow with the offset.
   */
  find(
    queue: ConsumeQueue,
    { from, to }: { from: number; to: number },
    minPosition: number,
  ): number {
    const isBelow = (offset: number) => this.#positionFrom(queue, offset, to) < minPosition
    if (from >= to) return from
    const first = isBelow(from) ? firstNot(isBelow, { from: from + 1, to }) : from
    return first < to ? this.#firstMessage(queue, first, to) : to
  }

  /** Of the first message from `offset` on; -1 when there is none near. */
  #positionFrom(queue: ConsumeQueue, offset: number, to: number): number {
    const found = this.#nextMessage(queue, offset, Math.min(to, offset + BLANKS_MAX))
    return found === -1 ? -1 : this.#unit.position
  }

  #firstMessage(queue: ConsumeQueue, offset: number, to: number): number {
    const found = this.#nextMessage(queue, offset, to)
    return found === -1 ? to : found
  }

  /** The offset of the first entry in `[from, to)` that stands for a message; it is then `#unit`. */
  #nextMessage(queue: ConsumeQueue, from: number, to: number): number {
    // Nearly always the first one is it.
    for (let at = from, count = 1; at < to; count = LOOK_UNITS) {
      const read = queue.read(at, Math.min(count, to - at), this.#bytes)
      if (read === 0) return -1
      for (let nth = 0; nth < read; nth++, at++) {
        readUnit(this.#unit, this.#view, nth * UNIT_LENGTH)
        if (this.#unit.length !== PRE_BLANK_LENGTH) return at
      }
    }
    return -1
  }
}
