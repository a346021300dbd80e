/** Exit code of a process whose worker threw: sysexits' EX_SOFTWARE. */
export const EXIT_POISONED = 70

/** Thrown in a thread that finds out, while it waits, that another thread broke. */
export class PoisonedError extends Error {
  override name = 'PoisonedError'
}

/**
 * One word: 0 while all is well, else 1 + the thread that threw. Once set it stays: shared memory
 * that a thread left half-changed is not repaired, the process ends and recovers from the disk.
 */
export class Poison {
  readonly #words: Int32Array
  readonly #at: number

  constructor(words: Int32Array, at: number) {
    this.#words = words
    this.#at = at
  }

  isSet(): boolean {
    return Atomics.load(this.#words, this.#at) !== 0 // set by any thread
  }

  /** Called in every wait for a lock, so that nobody waits for a thread that is gone. */
  check(): void {
    const thread = Atomics.load(this.#words, this.#at)
    if (thread !== 0) throw new PoisonedError(`thread ${thread - 1} failed; this process ends`)
  }

  /** The first thread to throw wins; returns whether it was this one. */
  setBy(thread: number): boolean {
    return Atomics.compareExchange(this.#words, this.#at, 0, thread + 1) === 0
  }
}
