import type { Clock } from '../base/clock.ts'

/**
 * The time at the beginning of the open turn of an event loop, for the many messages of one turn: a
 * turn takes well under a millisecond, and asking the system for the time costs 60 ns.
 */
export class TurnClock implements Clock {
  readonly #clock: Clock
  #now = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    if (this.#now === 0) this.#now = this.#clock.now()
    return this.#now
  }

  /** The turn is over: whoever asks next gets the time of then. */
  endTurn(): void {
    this.#now = 0
  }
}
