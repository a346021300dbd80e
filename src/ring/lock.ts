import type { Poison } from './poison.ts'

const FREE = 0
const HELD = 1
const CONTENDED = 2
/** A waiter looks at the poison word this often, so that a dead holder cannot keep it for ever. */
const WAIT_MS = 200
/** Sections are well under a microsecond, mostly shorter than going to sleep and back. */
const SPINS = 20

/**
 * A lock over one shared word: free, held, or held with somebody asleep. Taking and giving back a
 * free lock is one atomic operation each; only a contended one notifies.
 */
export class SharedLock {
  readonly #words: Int32Array
  readonly #at: number
  readonly #poison: Poison

  constructor(words: Int32Array, at: number, poison: Poison) {
    this.#words = words
    this.#at = at
    this.#poison = poison
  }

  acquire(): void {
    if (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) !== FREE) this.#waitForIt()
    // A holder that threw never gives back, but one that was waited for may just have.
    this.#poison.check()
  }

  release(): void {
    const before = Atomics.exchange(this.#words, this.#at, FREE) // publishes the section's stores
    if (before === CONTENDED) Atomics.notify(this.#words, this.#at, 1)
  }

  #waitForIt(): void {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) === FREE) return
    }
    // From here on the word says "contended" until this thread has been the holder: whoever
    // releases must notify, even when it is one waiter too many.
    while (Atomics.exchange(this.#words, this.#at, CONTENDED) !== FREE) {
      Atomics.wait(this.#words, this.#at, CONTENDED, WAIT_MS)
      this.#poison.check()
    }
  }
}
