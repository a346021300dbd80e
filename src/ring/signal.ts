/**
 * How one thread wakes another: a count of wakes and a flag that says whether it sleeps. `notify`
 * takes a process-wide lock in V8, so it is called only for a thread that said it sleeps.
 *
 *    word 0   word 1   word 2
 *    count    asleep   rouses
 *
 * `count` moves by two and is even. `asleep` is AWAKE, or the count that the sleeper has seen, made
 * odd. So a wake that came before the sleeper looked, and is slow to read the flag, can tell that it
 * is not meant: taking the flag down then would hide the sleeper from whoever comes next.
 */
const AWAKE = 0
const WAKE = 2

export class Signal {
  readonly #words: Int32Array
  readonly #at: number
  #rousesSeen = 0

  constructor(words: Int32Array, at: number) {
    this.#words = words
    this.#at = at
  }

  /** Any thread. Cheap when the owner is awake, or naps. */
  wake(): void {
    // First the count: a wake during the owner's turn ends its next sleep.
    const count = Atomics.add(this.#words, this.#at, WAKE) + WAKE
    const flag = Atomics.load(this.#words, this.#at + 1)
    if (flag === AWAKE || ((count - flag) | 0) < 0) return // it has seen this one, see above
    if (Atomics.compareExchange(this.#words, this.#at + 1, flag, AWAKE) === flag) {
      Atomics.notify(this.#words, this.#at)
    }
  }

  /** Any thread: ends a nap too. */
  rouse(): void {
    Atomics.add(this.#words, this.#at + 2, 1)
    Atomics.notify(this.#words, this.#at + 2)
    this.wake()
  }

  /** The owner, before its turn: what `sleep` compares with. */
  seen(): number {
    this.#rousesSeen = Atomics.load(this.#words, this.#at + 2)
    return Atomics.load(this.#words, this.#at)
  }

  /** The owner. Blocks until a wake since `seen` was read, or for `ms`. */
  sleep(seen: number, ms: number): void {
    Atomics.store(this.#words, this.#at + 1, seen | 1) // first the flag, then the count (in wait)
    Atomics.wait(this.#words, this.#at, seen, ms)
    Atomics.store(this.#words, this.#at + 1, AWAKE)
  }

  /** The owner. Blocks for `ms`; wakes don't end it, only a rouse since `seen` was read does. */
  nap(ms: number): void {
    Atomics.wait(this.#words, this.#at + 2, this.#rousesSeen, ms)
  }

  /** The owner, when it has an event loop: the promise settles at the next wake since `seen`. */
  async doze(seen: number): Promise<void> {
    Atomics.store(this.#words, this.#at + 1, seen | 1)
    const wait = Atomics.waitAsync(this.#words, this.#at, seen)
    if (wait.async) await wait.value
    else await nextTurn() // woken already; sockets and timers must have their turn in between
    Atomics.store(this.#words, this.#at + 1, AWAKE)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
