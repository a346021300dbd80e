/** Runs at most `size` listeners at a time; the rest wait in the order they came. */
export class ListenerPool {
  readonly #free: number[]
  #waiting: ((slot: number) => Promise<void>)[] = []
  #head = 0
  readonly #running = new Set<Promise<void>>()

  constructor(size: number) {
    this.#free = Array.from({ length: size }, (_, index) => size - index)
  }

  /**
   * The job is told its slot, 1 to `size`: what a thread number is to a Java listener. It must not
   * throw.
   */
  submit(job: (slot: number) => Promise<void>): void {
    this.#waiting.push(job)
    this.#fill()
  }

  /** Forgets what has not started. */
  clear(): void {
    this.#head = this.#waiting.length
    this.#compact()
  }

  /** Resolves when nothing is running. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #fill(): void {
    while (this.#head < this.#waiting.length && this.#free.length > 0) {
      this.#start(this.#waiting[this.#head++]!, this.#free.pop()!)
    }
    if (this.#head * 2 >= this.#waiting.length) this.#compact()
  }

  /**
   * Drops the started half, so that each job is moved at most once or so however long the pool
   * stays busy.
   */
  #compact(): void {
    this.#waiting = this.#waiting.slice(this.#head)
    this.#head = 0
  }

  #start(job: (slot: number) => Promise<void>, slot: number): void {
    const running = job(slot).finally(() => {
      this.#running.delete(running)
      this.#free.push(slot)
      this.#fill()
    })
    this.#running.add(running)
  }
}
