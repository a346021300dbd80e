const CLEAR = 1

/**
 * One word per thread: the lowest log position whose window bytes it may be touching, or CLEAR.
 * Positions are kept as their low 32 bits, rounded down to even (so CLEAR is never a position), and
 * compared by signed difference: all of them lie within one window, which is below 2 GiB.
 *
 * The promise: after `guard(p)` said true, the bytes from p on are not overwritten until `clear`.
 */
export class Floor {
  readonly #words: Int32Array
  readonly #at: number
  readonly #reclaimedAt: number

  /** `at` is this thread's floor word, `reclaimedAt` the word that appenders move. */
  constructor(words: Int32Array, { at, reclaimedAt }: { at: number; reclaimedAt: number }) {
    this.#words = words
    this.#at = at
    this.#reclaimedAt = reclaimedAt
  }

  /** False: these bytes are (or are about to be) overwritten in the window; read the file. */
  guard(position: number): boolean {
    const low = position | 0
    Atomics.store(this.#words, this.#at, low & ~1) // first our floor, then their word
    const reclaimed = Atomics.load(this.#words, this.#reclaimedAt)
    if (((low - reclaimed) | 0) >= 0) return true
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
