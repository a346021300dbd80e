import { AssertionError } from '../base/assert.ts'

/** Where a client says what went wrong in the background and will be tried again. */
export type Report = (problem: string, error: unknown) => void

export const reportToStderr: Report = (problem, error) => {
  const reason = error instanceof Error ? error.message : String(error)
  console.error(`ringmq client: ${problem}: ${reason}`)
}

/** The timers and loops of one client. After `stop` and `settled` none is left. */
export class Background {
  readonly #report: Report
  readonly #sleepers = new Set<() => void>()
  readonly #jobs = new Set<Promise<void>>()
  #isStopped = false

  constructor(report: Report) {
    this.#report = report
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Resolves after `ms`, or at once when the client stops. */
  sleep(ms: number): Promise<void> {
    return this.#nap(ms).over
  }

  /** Starts a job that `settled` waits for. Its failure is reported, not thrown. */
  run(name: string, job: () => Promise<void>): void {
    const running = this.#guard(name, job).finally(() => this.#jobs.delete(running))
    this.#jobs.add(running)
  }

  /**
   * Repeats a job, `ms` after the end of the last one, so that a slow one never overlaps itself.
   */
  every(ms: number, name: string, job: () => Promise<void>): void {
    this.repeat(name, ms, async () => {
      await job()
      return ms
    })
  }

  /**
   * Repeats a job, first after `firstMs`, then after as many ms as it resolves to; after a failure,
   * as long as before. The function that is returned makes it due at once; while it runs: once
   * more, right behind.
   */
  repeat(name: string, firstMs: number, job: () => Promise<number>): () => void {
    let isDue = false
    let wake = () => {}
    this.run(name, async () => {
      for (let waitMs = firstMs; ;) {
        const nap = this.#nap(isDue ? 0 : waitMs)
        wake = nap.wake
        await nap.over
        if (this.#isStopped) return
        isDue = false
        await this.#guard(name, async () => {
          waitMs = await job()
        })
      }
    })
    return () => {
      isDue = true
      wake()
    }
  }

  /** Ends every sleep. Jobs see `isStopped` and must not start anything new. */
  stop(): void {
    this.#isStopped = true
    for (const wake of this.#sleepers) wake()
  }

  /** Resolves when no job is running any more. */
  async settled(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs)
  }

  report(problem: string, error: unknown): void {
    if (error instanceof AssertionError) throw error // a bug of ours: it ends the process
    if (!this.#isStopped) this.#report(problem, error) // what closing interrupts is no problem
  }

  #nap(ms: number): { over: Promise<void>; wake: () => void } {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    const wake = () => {
      clearTimeout(timer)
      this.#sleepers.delete(wake)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    this.#sleepers.add(wake)
    if (this.#isStopped) wake()
    return { over, wake }
  }

  async #guard(name: string, job: () => Promise<void>): Promise<void> {
    try {
      await job()
    } catch (error) {
      this.report(name, error)
    }
  }
}
