/**
 * How one thread wakes another: a count of wakes and a flag that says whether it sleeps. `notify`
 * takes a process-wide lock in V8, so it is called only for a thread that said it sleeps.
 *
 *    word 0   word 1
 *    count    asleep
 */
export const SIGNAL_WORDS = 2

export class Signal {
  readonly #words: Int32Array
  readonly #at: number

  constructor(words: Int32Array, at: number) {
    this.#words = words
    this.#at = at
  }

  /** Any thread. Cheap when the owner is awake. */
  wake(): void {
    Atomics.add(this.#words, this.#at, 1) // a wake during the owner's turn ends its next sleep
    if (Atomics.exchange(this.#words, this.#at + 1, 0) === 1) {
      Atomics.notify(this.#words, this.#at)
    }
  }

  /** The owner, before its turn: what `sleep` compares with. */
  seen(): number {
    return Atomics.load(this.#words, this.#at)
  }

  /** The owner. Blocks until a wake since `seen` was read, or for `ms`. */
  sleep(seen: number, ms: number): void {
    Atomics.store(this.#words, this.#at + 1, 1)
    Atomics.wait(this.#words, this.#at, seen, ms)
    Atomics.store(this.#words, this.#at + 1, 0)
  }

  /** The owner. Sleeps for `ms` and is not to be woken by `wake`, only by `rouse`. */
  nap(seen: number, ms: number): void {
    Atomics.wait(this.#words, this.#at, seen, ms)
  }

  /** Any thread: ends a nap too. */
  rouse(): void {
    Atomics.add(this.#words, this.#at, 1)
    Atomics.notify(this.#words, this.#at)
  }

  /** The owner, when it has an event loop: the promise settles at the next wake since `seen`. */
  async doze(seen: number): Promise<void> {
    Atomics.store(this.#words, this.#at + 1, 1)
    const wait = Atomics.waitAsync(this.#words, this.#at, seen)
    if (wait.async) await wait.value
    Atomics.store(this.#words, this.#at + 1, 0)
  }
}
