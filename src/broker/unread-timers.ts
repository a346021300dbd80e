import type { DueTimer } from './timer-heap.ts'

/** Between two tries to read one. */
const RETRY_MS = 1000
/** Tries in vain, while other messages can be read and stored, before it is given up. */
const TRIES_MAX = 60

interface UnreadTimer {
  timer: DueTimer
  tries: number
  retryMs: number
  /** What had been done otherwise when it was tried last. */
  done: number
}

/** Timers that are due, and whose messages the disk does not give now. They hold up nothing but the check point. */
export class UnreadTimers {
  readonly #timers = new Map<number, UnreadTimer>()

  get size(): number {
    return this.#timers.size
  }

  /** When the first of them was due; Infinity without one. */
  get dueMs(): number {
    let dueMs = Infinity
    for (const { timer } of this.#timers.values()) dueMs = Math.min(dueMs, timer.dueMs)
    return dueMs
  }

  /** When one is to be tried again. */
  get retryMs(): number {
    for (const { retryMs } of this.#timers.values()) return retryMs // the longest untried is first
    return Infinity
  }

  /**
   * It could not be read. `done` counts what is done otherwise: as long as nothing is, the disk may be away
   * altogether, and come back. False: no further try is worth while.
   */
  add(timer: DueTimer, now: number, done: number): boolean {
    const last = this.#timers.get(timer.unitAt)
    const tries = (last?.tries ?? 0) + (last?.done === done ? 0 : 1)
    this.#timers.delete(timer.unitAt)
    if (tries > TRIES_MAX) return false
    this.#timers.set(timer.unitAt, { timer, tries, retryMs: now + RETRY_MS, done })
    return true
  }

  /** Those that are to be tried now, at most `max`. */
  due(now: number, max: number): DueTimer[] {
    const due: DueTimer[] = []
    for (const { timer, retryMs } of this.#timers.values()) {
      if (retryMs > now || due.length === max) break
      due.push(timer)
    }
    return due
  }

  /** It could be read. */
  remove({ unitAt }: DueTimer): void {
    this.#timers.delete(unitAt)
  }

  clear(): void {
    this.#timers.clear()
  }
}
