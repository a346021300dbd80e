import { assert } from '../base/assert.ts'

/**
 * Byte ring between two threads: one producer, one consumer, no locks.
 *
 *    0        64       128      192                 192 + capacity
 *    | head   | tail   | wanted | records ...       |
 *     consumer producer both
 *
 *    record: length i32 | type i32 | first i32 | second i32 | payload | pad to 8
 *
 * Bytes below `tail` are complete; bytes below `head` may be overwritten. Both wrap modulo 2^32, so
 * `(tail - head) | 0` is the fill at any time. `capacity` is a power of two. `wanted`: the producer
 * found no room and waits to be told of some.
 */
const HEAD = 0
const TAIL = 16
const WANTED = 32
const RECORDS = 192
const HEADER = 16
const PADDING = -1

/** What goes through a ring: a type, two numbers that say whom it concerns, and bytes. */
export interface RingRecord {
  type: number
  first: number
  second: number
  payload: Uint8Array
}

/** Gets one record; the payload is valid only during the call. */
export type RecordReader = (type: number, first: number, second: number, payload: Buffer) => void

export class ByteRing {
  readonly #words: Int32Array
  readonly #bytes: Buffer
  readonly #capacity: number
  /** Longest payload that `offer` takes. Callers send bigger ones another way. */
  readonly payloadMax: number

  static allocate(capacity: number): SharedArrayBuffer {
    assert((capacity & (capacity - 1)) === 0 && capacity >= 1024)
    return new SharedArrayBuffer(RECORDS + capacity)
  }

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory)
    this.#bytes = Buffer.from(memory)
    this.#capacity = memory.byteLength - RECORDS
    this.payloadMax = (this.#capacity >> 3) - HEADER
  }

  /**
   * Copies one record in. False means full: the caller pushes back on its own producer, and is told
   * of room through `takeWanted` on the other side.
   */
  offer(record: RingRecord): boolean {
    assert(record.payload.length <= this.payloadMax)
    if (this.#tryOffer(record)) return true
    Atomics.store(this.#words, WANTED, 1)
    return this.#tryOffer(record) // room that came before the flag was there to be seen
  }

  /**
   * Hands out up to `limit` records; the payload is valid only during the call. Returns how many.
   * Space is given back once, after all of them.
   */
  drain(limit: number, each: RecordReader): number {
    let head = this.#words[HEAD]! // ours
    const tail = Atomics.load(this.#words, TAIL) // theirs: all below it is complete
    let count = 0
    while (count < limit && head !== tail) {
      const at = this.#index(head)
      const word = at >> 2
      const length = this.#words[word]!
      const type = this.#words[word + 1]!
      if (type !== PADDING) {
        const payload = this.#bytes.subarray(at + HEADER, at + length)
        each(type, this.#words[word + 2]!, this.#words[word + 3]!, payload)
        count++
      }
      head = (head + align8(length)) | 0
    }
    Atomics.store(this.#words, HEAD, head) // frees everything above for the producer
    return count
  }

  /** The consumer, after `drain`: whether the producer waits to be told that there is room. */
  takeWanted(): boolean {
    if (Atomics.load(this.#words, WANTED) === 0) return false
    return Atomics.exchange(this.#words, WANTED, 0) === 1
  }

  #tryOffer(record: RingRecord): boolean {
    const length = HEADER + record.payload.length
    const span = align8(length)
    const tail = this.#words[TAIL]! // ours: a plain read will do
    const head = Atomics.load(this.#words, HEAD) // theirs
    const toEnd = this.#capacity - (tail & (this.#capacity - 1))
    const padding = span > toEnd ? toEnd : 0
    if (padding + span > this.#capacity - ((tail - head) | 0)) return false
    if (padding > 0) this.#pad(tail, padding)
    this.#put((tail + padding) | 0, length, record)
    Atomics.store(this.#words, TAIL, (tail + padding + span) | 0) // publishes everything above
    return true
  }

  #index(position: number): number {
    return RECORDS + (position & (this.#capacity - 1))
  }

  /** At least 8 bytes: length and type fit. */
  #pad(position: number, length: number): void {
    const word = this.#index(position) >> 2
    this.#words[word] = length
    this.#words[word + 1] = PADDING
  }

  #put(position: number, length: number, { type, first, second, payload }: RingRecord): void {
    const at = this.#index(position)
    const word = at >> 2
    this.#words[word] = length
    this.#words[word + 1] = type
    this.#words[word + 2] = first
    this.#words[word + 3] = second
    this.#bytes.set(payload, at + HEADER)
  }
}

function align8(length: number): number {
  return (length + 7) & ~7
}
