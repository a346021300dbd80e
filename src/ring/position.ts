import { assert } from '../base/assert.ts'

/**
 * Positions and queue offsets in shared memory: moved by one role at a time, read by any thread.
 *
 *    word 0   word 1   word 2
 *    high     low      high again        value = high * 2^32 + low (unsigned), below 2^53
 *
 * `Atomics` has no 64-bit words without BigInt, so a value is two halves. A move within the same
 * 4 GiB is one store of `low`. A move across writes high, low, high again; a reader goes the other
 * way, and has a whole value when it saw the same high twice: values only grow, so a high word that
 * was left never comes back, however long the reader was paused.
 */
export const POSITION_WORDS = 3

/** A mover that runs is through sooner. */
const TRIES = 50
/**
 * One that was stopped between its stores is let go on, however long a busy machine takes; one that is
 * gone has poisoned the process, which ends sooner than this.
 */
const WAITS_MAX = 30_000
const WAIT_MS = 1

/** The value at some moment during the call. */
export function readPosition(words: Int32Array, at: number): number {
  for (let tries = 0; ; tries++) {
    const again = Atomics.load(words, at + 2) // before low: see above
    const low = Atomics.load(words, at + 1)
    if (Atomics.load(words, at) === again) return again * 2 ** 32 + (low >>> 0)
    if (tries >= TRIES) waitForMover(words, at, tries - TRIES)
  }
}

/** Rather than spin: the mover may need this very processor. */
function waitForMover(words: Int32Array, at: number, waits: number): void {
  assert(waits < WAITS_MAX, 'a position stays half moved: its mover is gone')
  Atomics.wait(words, at + 2, Atomics.load(words, at + 2), WAIT_MS)
}

/**
 * The value, for the role that owns the position or holds the lock that owns it: nobody else moves
 * it, so plain reads will do. V8 does not inline `Atomics.load`; it costs 20 ns where this costs 2.
 */
export function peekPosition(words: Int32Array, at: number): number {
  return words[at]! * 2 ** 32 + (words[at + 1]! >>> 0)
}

/** Moves it. Only for the role that owns the position, or holds the lock that owns it. */
export function publishPosition(words: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32)
  if (words[at] !== high) {
    crossPosition(words, at, value)
    return
  }
  Atomics.store(words, at + 1, value | 0) // publishes everything written before
}

function crossPosition(words: Int32Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32)
  Atomics.store(words, at, high) // readers that pass now retry
  Atomics.store(words, at + 1, value | 0)
  Atomics.store(words, at + 2, high) // and are let through again
}

/** One such value at a fixed place. */
export class SharedPosition {
  readonly #words: Int32Array
  readonly #at: number

  constructor(words: Int32Array, at: number) {
    this.#words = words
    this.#at = at
  }

  value(): number {
    return readPosition(this.#words, this.#at)
  }

  /** See `peekPosition`. */
  peek(): number {
    return peekPosition(this.#words, this.#at)
  }

  publish(value: number): void {
    publishPosition(this.#words, this.#at, value)
  }
}
