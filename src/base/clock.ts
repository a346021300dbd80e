/** Time in milliseconds, since 1970 unless said otherwise. Comes in through constructors so that tests can own it. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** For deadlines: counts from some moment in the past, and no change of the machine's time moves it. */
export const monotonicClock: Clock = { now: () => performance.now() }
