import { assert } from '../base/assert.ts'
import type { LogShared } from './log-memory.ts'

/** `reclaimed` moves in steps of a sixteenth: floors are read once per step, not once per append. */
const STEPS = 16

/**
 * The newest `size` bytes of the log in memory, shared by all threads.
 *
 *    0                                    size            size + slack
 *    | ... bytes at position % size ...   | overrun of a  |
 *    |                                    | straddling append (also at the head)
 *
 * Two addressings hold: every byte stands at `position % size`, and one append (a record, or a whole
 * batch) is contiguous from where it starts. Nobody may assume the second for more than one append.
 */
export class LogWindow {
  readonly bytes: Buffer
  readonly view: DataView
  readonly size: number
  readonly #mask: number
  readonly #shared: LogShared
  /** What this thread has seen of `verified`: it only grows. */
  #verified = -Infinity

  constructor(shared: LogShared) {
    const { window, windowSize } = shared.memory
    assert((windowSize & (windowSize - 1)) === 0, 'the window size is a power of two')
    // With their length given: views that track a growable buffer's length are ten times slower.
    this.bytes = Buffer.from(window, 0, window.byteLength)
    this.view = new DataView(window, 0, window.byteLength)
    this.size = windowSize
    this.#mask = windowSize - 1
    this.#shared = shared
  }

  index(position: number): number {
    return position & this.#mask // & takes the low 32 bits, and the size divides 2^32
  }

  /** After a contiguous encode: what lies behind the window's end belongs at its head, too. */
  copyOverrun(position: number, length: number): void {
    const over = this.index(position) + length - this.size
    if (over > 0) this.bytes.copyWithin(0, this.size, this.size + over)
  }

  /** Zeroes `[position, end)`. Only under the append lock, above `appended`. */
  zero(position: number, end: number): void {
    let at = position
    while (at < end) {
      const index = this.index(at)
      const length = Math.min(end - at, this.size - index)
      this.bytes.fill(0, index, index + length)
      at += length
    }
  }

  /** Copies `[position, position + length)` out. The caller holds a floor at or below `position`. */
  copyOut(position: number, length: number, target: Uint8Array, targetAt: number): void {
    const index = this.index(position)
    const first = Math.min(length, this.size - index)
    target.set(this.bytes.subarray(index, index + first), targetAt)
    if (first < length) target.set(this.bytes.subarray(0, length - first), targetAt + first)
  }

  /**
   * Under the append lock: may `[…, end)` be encoded? False: the bytes it would overwrite are not
   * written to the file yet, or some thread is still touching them.
   */
  makeRoom(end: number): boolean {
    const shared = this.#shared
    const lowest = end - this.size
    if (lowest <= this.#verified) return true
    this.#verified = shared.verified.peek()
    if (lowest <= this.#verified) return true
    const step = this.size / STEPS
    // Whole steps, and even (as floors are). Rounded up: the next appends find it done.
    const target = Math.min(Math.ceil(lowest / step) * step, shared.written.value())
    if (target < lowest) return false
    shared.moveReclaimed(target)
    if (!shared.floorsAreAbove(target)) return false
    shared.verified.publish(target)
    return true
  }
}
