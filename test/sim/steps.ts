/**
 * A function as the simulator runs it: it yields before every touch of shared memory, and the
 * scheduler decides who goes on. What it yields says what comes next.
 */
export type Step =
  | number /** A place in the transformed source, see `Place`. */
  | string /** A place in the simulator's own code. */
  | Sleep
  | Until

/** `Atomics.wait` found the expected value: until `notify`, or for `ms` when time-outs happen. */
export interface Sleep {
  place: number
  /** The word, wherever a view of it stands. */
  buffer: ArrayBufferLike
  byteOffset: number
  ms: number
}

/** The simulator's own waiting: what it waits for is no part of what is tested. */
export interface Until {
  until: () => boolean
}

export type Steps<T> = Generator<Step, T, unknown>

/** What a call of transformed code returns: at run time a generator, or a plain value. */
export function isSteps(value: unknown): value is Steps<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value
}

/**
 * Runs a call of transformed code step by step: `yield* step(shared.appended.value())`. To the type
 * checker transformed modules look as their sources do, so the argument has the plain type.
 */
export function* step<T>(result: T): Steps<T> {
  return isSteps(result) ? ((yield* result) as T) : result
}

/** Runs it in one go: nobody else runs meanwhile. */
export function atOnce<T>(result: T): T {
  if (!isSteps(result)) return result
  for (;;) {
    const { done, value } = result.next('timed-out')
    if (done === true) return value as T
  }
}

/** More steps than any peek takes that is not waiting for somebody else. */
const PEEK_MAX = 50

/** What it would return now; undefined when another thread must go on first. */
export function peek<T>(result: T): T | undefined {
  if (!isSteps(result)) return result
  for (let nth = 0; nth < PEEK_MAX; nth++) {
    const { done, value } = result.next()
    if (done === true) return value as T
  }
  return undefined
}
