import type { SharedPosition } from './position.ts'

const CLEAR = 1

/**
 * One word per thread: the lowest log position whose window bytes it may be touching, or CLEAR.
 * It is kept as its low 32 bits, rounded down to even (so CLEAR is never a position): appenders
 * compare by signed difference, since a floor that holds lies within one window, below 2 GiB.
 * `reclaimed` is a whole position: whoever asks may be any number of GiB behind.
 *
 * The promise: after `guard(p)` said true, the bytes from p on are not overwritten until `clear`.
 */
export class Floor {
  readonly #words: Int32Array
  readonly #at: number
  readonly #reclaimed: SharedPosition

  /** `at` is this thread's floor word, `reclaimed` what appenders move. */
  constructor(words: Int32Array, at: number, reclaimed: SharedPosition) {
    this.#words = words
    this.#at = at
    this.#reclaimed = reclaimed
  }

  /** False: these bytes are (or are about to be) overwritten in the window; read the file. */
  guard(position: number): boolean {
    if (position < this.#reclaimed.value()) return false // a floor down there would stop appenders
    Atomics.store(this.#words, this.#at, position & ~1) // first our floor, then their position
    if (position >= this.#reclaimed.value()) return true
    Atomics.store(this.#words, this.#at, CLEAR)
    return false
  }

  /** Lifts a floor that is already set: the bytes below `position` are no longer needed. */
  lift(position: number): void {
    Atomics.store(this.#words, this.#at, (position | 0) & ~1)
  }

  clear(): void {
    Atomics.store(this.#words, this.#at, CLEAR)
  }

  static readonly CLEAR = CLEAR
}

/** Whether no thread's floor lies below `position`. Read after `reclaimed` was moved there. */
export function floorsAreAbove(
  words: Int32Array,
  {
    first,
    step,
    count,
    position,
  }: { first: number; step: number; count: number; position: number },
): boolean {
  for (let thread = 0; thread < count; thread++) {
    const floor = Atomics.load(words, first + thread * step)
    if (floor !== CLEAR && ((floor - (position | 0)) | 0) < 0) return false
  }
  return true
}
