/** One operation to be timed. */
export interface MicroCase {
  name: string
  /** Bytes that one operation moves; makes the table show GB/s. */
  bytes?: number
  /** Does the operation `REPEATS` times, since one is shorter than a look at the clock. */
  run: () => void
}

/** Cases that answer one question. `close` frees what they hold. */
export interface MicroSuite {
  name: string
  question: string
  cases: MicroCase[]
  close?: () => void
}

export const REPEATS = 1000

/** Results go here, so that the compiler cannot drop the work. */
export const sink = { value: 0 }

/**
 * A case whose operation is `once`, given the number of the repeat; it returns what `sink` takes. The
 * call itself is a few nanoseconds of every result: compare cases, do not add them up.
 */
export function repeated(
  name: string,
  once: (repeat: number) => number,
  bytes?: number,
): MicroCase {
  const run = (): void => {
    let sum = 0
    for (let repeat = 0; repeat < REPEATS; repeat++) sum += once(repeat)
    sink.value = sum
  }
  return { name, run, ...(bytes === undefined ? {} : { bytes }) }
}
