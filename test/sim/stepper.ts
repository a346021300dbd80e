import type { Scheduler } from './scheduler.ts'
import { atOnce, isSteps, type Steps } from './steps.ts'

/** What transformed code calls as `$s`. Belongs to the run that is under way. */
export class Stepper {
  readonly isSteps = isSteps
  readonly atOnce = atOnce
  #scheduler: Scheduler | null = null

  use(scheduler: Scheduler): void {
    this.#scheduler = scheduler
  }

  /** `Atomics.wait`: looks at the word and falls asleep in one step, as the kernel does. */
  *wait(place: number, words: Int32Array, at: number, value: number, ms = Infinity): Steps<string> {
    yield place
    if (words[at] !== value) return 'not-equal'
    const { buffer } = words
    return (yield { place, buffer, byteOffset: words.byteOffset + at * 4, ms }) as string
  }

  *notify(place: number, words: Int32Array, at: number, count = Infinity): Steps<number> {
    yield place
    return this.#scheduler!.notify(words.buffer, words.byteOffset + at * 4, count)
  }

  /** `Atomics.waitAsync`: `settled` is where the thread then waits. */
  *waitAsync(
    place: number,
    words: Int32Array,
    at: number,
    value: number,
  ): Steps<{ async: boolean; value: Steps<string> | string }> {
    yield place
    if (words[at] !== value) return { async: false, value: 'not-equal' }
    return { async: true, value: this.wait(place, words, at, value) }
  }

  *settled(value: unknown): Steps<unknown> {
    return isSteps(value) ? yield* value : value
  }

  *copyWithin(
    place: number,
    bytes: Buffer,
    target: number,
    start: number,
    end: number,
  ): Steps<void> {
    for (const [from, to] of this.#pieces(start, end)) {
      yield place
      bytes.copyWithin(target + from - start, from, to)
    }
  }

  *fill(place: number, bytes: Buffer, value: number, start: number, end: number): Steps<void> {
    for (const [from, to] of this.#pieces(start, end)) {
      yield place
      bytes.fill(value, from, to)
    }
  }

  *set(place: number, target: Uint8Array, source: Uint8Array, at: number): Steps<void> {
    for (const [from, to] of this.#pieces(0, source.length)) {
      yield place
      target.set(source.subarray(from, to), at + from)
    }
  }

  /** Two pieces: that others see half of it is enough. */
  #pieces(start: number, end: number): [number, number][] {
    if (end - start < 2) return [[start, end]]
    const middle = start + 1 + this.#scheduler!.random.below(end - start - 1)
    return [
      [start, middle],
      [middle, end],
    ]
  }
}
