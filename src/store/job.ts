import type { Clock } from '../base/clock.ts'

/** Work in steps with pauses between: each step yields how long to pause after it, in ms. */
export class Job {
  readonly #steps: Generator<number, void>
  readonly #elapsed: Clock
  #dueMs = 0

  constructor(steps: Generator<number, void>, elapsed: Clock) {
    this.#steps = steps
    this.#elapsed = elapsed
  }

  /** When the next step is due, by the same clock; 0 before the first. */
  get dueMs(): number {
    return this.#dueMs
  }

  isDue(): boolean {
    return this.#elapsed.now() >= this.#dueMs
  }

  /** Does the next step. True when that was the last. */
  step(): boolean {
    const { done, value } = this.#steps.next()
    if (done === true) return true
    this.#dueMs = this.#elapsed.now() + value
    return false
  }

  /** No step comes any more; what the last one had open is closed. */
  end(): void {
    this.#steps.return()
  }
}
