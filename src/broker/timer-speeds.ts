import type { Clock } from '../base/clock.ts'

/** Timers put in and taken out per second, since they were asked for last. */
export class TimerSpeeds {
  enqueued = 0
  dequeued = 0
  readonly #clock: Clock
  #last: { ms: number; enqueued: number; dequeued: number }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#last = { ms: clock.now(), enqueued: 0, dequeued: 0 }
  }

  perSecond(): { enqueued: number; dequeued: number } {
    const ms = this.#clock.now()
    const { enqueued, dequeued } = this
    const seconds = Math.max(1, ms - this.#last.ms) / 1000
    const speeds = {
      enqueued: (enqueued - this.#last.enqueued) / seconds,
      dequeued: (dequeued - this.#last.dequeued) / seconds,
    }
    this.#last = { ms, enqueued, dequeued }
    return speeds
  }
}
