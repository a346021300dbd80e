import type { Random } from './random.ts'
import type { Sleep, Step, Steps, Until } from './steps.ts'

/** A thread of a simulation: its name and what it does. */
export interface SimThread {
  name: string
  steps: Steps<void>
}

/** One thing that happened, for the trace. */
export interface TraceEntry {
  thread: string
  step: Step
}

/** Something was wrong: the run it happened in is one that a seed replays. */
export class SimFailure extends Error {
  override name = 'SimFailure'
}

interface Running extends SimThread {
  /** What it waits for; null when it may go on. */
  sleep: Sleep | null
  until: Until | null
  /** What its last yield evaluates to. */
  answer: 'ok' | 'timed-out'
  priority: number
  isDone: boolean
  last: Step
}

/** How threads are chosen; each finds other things. */
export const Policy = { EVERY_STEP: 0, RUNS: 1, PRIORITIES: 2 } as const

export interface SchedulerOptions {
  random: Random
  /** Which waits may time out. Others don't: a lost wake-up must show. */
  mayTimeOut: (sleep: Sleep) => boolean
  /** All memory is lost after so many steps; Infinity when it is not. */
  crashAt: number
}

/** So many steps without an end are a failure. */
const STEPS_MAX = 400_000
const TRACE_LENGTH = 4096

/** Lets simulated threads run, one step of one thread at a time, as a seed decides. */
export class Scheduler {
  readonly random: Random
  steps = 0
  hasCrashed = false
  readonly #options: SchedulerOptions
  readonly #threads: Running[] = []
  readonly #trace: TraceEntry[] = []
  #traced = 0
  readonly #policy: number
  readonly #stay: number
  #current: Running | null = null

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.random = options.random
    this.#policy = this.random.below(3)
    this.#stay = this.random.pick([0.5, 0.8, 0.95, 0.99])
  }

  add(name: string, steps: Steps<void>): void {
    const priority = this.random.unit()
    const waits = { sleep: null, until: null, answer: 'ok' as const, isDone: false, last: 'start' }
    this.#threads.push({ name, steps, priority, ...waits })
  }

  /** Until all threads have ended, or memory is lost. @throws SimFailure */
  run(): void {
    for (;;) {
      if (this.steps >= this.#options.crashAt) {
        this.hasCrashed = true
        return
      }
      const next = this.#choose()
      if (next === null) return
      this.#step(next)
      if (++this.steps > STEPS_MAX) throw new SimFailure(`no end after ${STEPS_MAX} steps`)
    }
  }

  /** The name of the thread that runs. */
  get running(): string {
    return this.#current?.name ?? 'nobody'
  }

  /** `Atomics.notify`: returns how many it woke, those first that slept first. */
  notify(buffer: ArrayBufferLike, byteOffset: number, count: number): number {
    const sleepers = this.#threads.filter(
      ({ sleep }) => sleep?.buffer === buffer && sleep.byteOffset === byteOffset,
    )
    const woken = sleepers.slice(0, count)
    for (const thread of woken) {
      thread.sleep = null
      thread.answer = 'ok'
    }
    return woken.length
  }

  /** The last steps, oldest first. */
  trace(): TraceEntry[] {
    const start = this.#traced % TRACE_LENGTH
    return [...this.#trace.slice(start), ...this.#trace.slice(0, start)]
  }

  #step(thread: Running): void {
    this.#current = thread
    const { answer } = thread
    thread.answer = 'ok'
    this.#trace[this.#traced++ % TRACE_LENGTH] = { thread: thread.name, step: thread.last }
    const { done, value } = thread.steps.next(answer)
    if (done === true) thread.isDone = true
    else this.#wait(thread, value)
  }

  #wait(thread: Running, step: Step): void {
    thread.last = step
    if (typeof step !== 'object') return
    if ('until' in step) thread.until = step
    else {
      thread.sleep = step
      // In the order of falling asleep.
      this.#threads.splice(this.#threads.indexOf(thread), 1)
      this.#threads.push(thread)
    }
  }

  /** Null when all have ended. */
  #choose(): Running | null {
    const ready = this.#threads.filter((thread) => isReady(thread))
    const isStuck = ready.length === 0
    // Rarely while others run, always before calling it a deadlock.
    if (isStuck || this.random.oneIn(200)) {
      const late = this.#timeOut()
      if (late !== null) return late
    }
    if (!isStuck) return this.#pick(ready)
    if (this.#threads.every(({ isDone }) => isDone)) return null
    const asleep = this.#threads.filter(({ isDone }) => !isDone)
    throw new SimFailure(`nobody can go on: ${asleep.map(({ name }) => name).join(', ')}`)
  }

  /** Some sleeper whose wait is short enough is late. */
  #timeOut(): Running | null {
    const sleepers = this.#threads.filter(
      ({ sleep }) => sleep !== null && this.#options.mayTimeOut(sleep),
    )
    if (sleepers.length === 0) return null
    const thread = this.random.pick(sleepers)
    thread.sleep = null
    thread.answer = 'timed-out'
    return thread
  }

  #pick(ready: Running[]): Running {
    const current = this.#current
    if (this.#policy === Policy.PRIORITIES) {
      // Now and then anyone, so that nobody spins for ever on what a lower one must do.
      if (this.random.oneIn(30)) this.random.pick(ready).priority = this.random.unit()
      if (this.random.oneIn(100)) return this.random.pick(ready)
      return ready.reduce((best, thread) => (thread.priority > best.priority ? thread : best))
    }
    const stays = this.#policy === Policy.RUNS && this.random.unit() < this.#stay
    if (stays && current !== null && ready.includes(current)) return current
    return this.random.pick(ready)
  }
}

function isReady(thread: Running): boolean {
  if (thread.isDone || thread.sleep !== null) return false
  if (thread.until === null) return true
  if (!thread.until.until()) return false
  thread.until = null
  return true
}
