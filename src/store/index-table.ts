import type { IndexHeader } from './index-file.ts'

/**
 * What threads share of the index file that is being added to: who it is, how far it has come, and
 * its slots, so that main finds keys in it without asking dispatch.
 *
 *    0          8            32                          128
 *    | version  | generation | numbers (doubles) ...     | slots (int32) ...
 *
 * Dispatch writes all of it. `version` is odd while the numbers change; `generation` moves with each
 * other file. A slot may name an item before that is in the file: it is as soon as `count` says so.
 */
const VERSION = 0
const GENERATION = 1
const NUMBERS_AT = 32
const NUMBERS = 12
const SLOTS_AT = 128
const TRIES = 1000

// Places of the numbers. A name has too many digits for one.
const DATE = 0
const TIME = 1
const COUNT = 2
const BEGIN_TIMESTAMP = 3
const END_TIMESTAMP = 4
const BEGIN_POSITION = 5
const END_POSITION = 6
const USED_SLOTS = 7
/** Main says at the start whether the files are as they were left. */
const IS_EXACT = 8

export interface CurrentIndex {
  generation: number
  /** Of the file. */
  name: string
  header: IndexHeader
}

export class IndexTable {
  readonly slots: Int32Array
  readonly #words: Int32Array
  readonly #numbers: Float64Array

  static allocate(slots: number): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOTS_AT + slots * 4)
  }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, 2)
    this.#numbers = new Float64Array(memory, NUMBERS_AT, NUMBERS)
    this.slots = new Int32Array(memory, SLOTS_AT)
  }

  /** Main, before other threads run: every header and slot is as a clean stop leaves it. */
  setExact(isExact: boolean): void {
    this.#numbers[IS_EXACT] = Number(isExact)
  }

  get isExact(): boolean {
    return this.#numbers[IS_EXACT] === 1
  }

  /** Dispatch: from now on the slots are those of this file. */
  show(name: string, header: IndexHeader): void {
    Atomics.add(this.#words, GENERATION, 1)
    this.#change(() => {
      this.#numbers[DATE] = Number(name.slice(0, 8))
      this.#numbers[TIME] = Number(name.slice(8))
    })
    this.publish(header)
  }

  /** Dispatch: from now on the slots are nobody's. */
  hide(): void {
    Atomics.add(this.#words, GENERATION, 1) // first: a slot that was read before is not believed
    this.#change(() => {
      this.#numbers[DATE] = 0
    })
  }

  /** Dispatch: every item below `count` is in the file. */
  publish(header: IndexHeader): void {
    this.#change(() => {
      this.#numbers[COUNT] = header.count
      this.#numbers[BEGIN_TIMESTAMP] = header.beginTimestamp
      this.#numbers[END_TIMESTAMP] = header.endTimestamp
      this.#numbers[BEGIN_POSITION] = header.beginPosition
      this.#numbers[END_POSITION] = header.endPosition
      this.#numbers[USED_SLOTS] = header.usedSlots
    })
  }

  /** Any thread. Null: there is none, all there is to know is in the files. */
  current(): CurrentIndex | null {
    for (let tries = 0; tries < TRIES; tries++) {
      const version = Atomics.load(this.#words, VERSION)
      const generation = Atomics.load(this.#words, GENERATION)
      const numbers = this.#numbers.slice()
      if ((version & 1) === 0 && Atomics.load(this.#words, VERSION) === version) {
        return numbers[DATE] === 0 ? null : toCurrent(generation, numbers)
      }
    }
    return null // its writer was stopped in between: the files will do
  }

  /** The newest item of a slot, 0 without one; null when the file is another one by now. */
  itemOf(slot: number, generation: number): number | null {
    const item = Atomics.load(this.slots, slot)
    return Atomics.load(this.#words, GENERATION) === generation ? item : null
  }

  #change(change: () => void): void {
    Atomics.add(this.#words, VERSION, 1)
    change()
    Atomics.add(this.#words, VERSION, 1)
  }
}

function toCurrent(generation: number, numbers: Float64Array): CurrentIndex {
  const date = String(numbers[DATE]!).padStart(8, '0')
  const header = {
    beginTimestamp: numbers[BEGIN_TIMESTAMP]!,
    endTimestamp: numbers[END_TIMESTAMP]!,
    beginPosition: numbers[BEGIN_POSITION]!,
    endPosition: numbers[END_POSITION]!,
    usedSlots: numbers[USED_SLOTS]!,
    count: numbers[COUNT]!,
  }
  return { generation, name: date + String(numbers[TIME]!).padStart(9, '0'), header }
}
