/** Wall-clock time in milliseconds since 1970. Comes in through constructors so that tests can own it. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
