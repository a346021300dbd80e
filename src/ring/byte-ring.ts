import { assert } from '../base/assert.ts'

/**
 * Byte ring between two threads: one producer, one consumer, no locks.
 *
 *    0        64       128                 128 + capacity
 *    | head   | tail   | records ...       |      record: length i32 | type i32 | payload | pad to 8
 *     consumer producer                           one writer per word
 *
 * Bytes below `tail` are complete; bytes below `head` may be overwritten. Both wrap modulo 2^32, so
 * `(tail - head) | 0` is the fill at any time. `capacity` is a power of two.
 */
const HEAD = 0
const TAIL = 16
const RECORDS = 128
const HEADER = 8
const PADDING = -1

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

  /** Copies one record in. False means full: the caller pushes back on its own producer. */
  offer(type: number, payload: Uint8Array): boolean {
    assert(payload.length <= this.payloadMax)
    const span = align8(HEADER + payload.length)
    const tail = this.#words[TAIL]! // ours: a plain read will do
    const head = Atomics.load(this.#words, HEAD) // theirs
    const toEnd = this.#capacity - (tail & (this.#capacity - 1))
    const padding = span > toEnd ? toEnd : 0
    if (padding + span > this.#capacity - ((tail - head) | 0)) return false
    if (padding > 0) this.#put(tail, padding, PADDING)
    this.#put(tail + padding, HEADER + payload.length, type)
    this.#bytes.set(payload, this.#index(tail + padding) + HEADER)
    Atomics.store(this.#words, TAIL, (tail + padding + span) | 0) // publishes everything above
    return true
  }

  /**
   * Hands out up to `limit` records; the payload is valid only during the call. Returns how many.
   * Space is given back once, after all of them.
   */
  drain(limit: number, each: (type: number, payload: Buffer) => void): number {
    let head = this.#words[HEAD]! // ours
    const tail = Atomics.load(this.#words, TAIL) // theirs: all below it is complete
    let count = 0
    while (count < limit && head !== tail) {
      const at = this.#index(head)
      const length = this.#words[at >> 2]!
      const type = this.#words[(at >> 2) + 1]!
      if (type !== PADDING) {
        each(type, this.#bytes.subarray(at + HEADER, at + length))
        count++
      }
      head = (head + align8(length)) | 0
    }
    Atomics.store(this.#words, HEAD, head) // frees everything above for the producer
    return count
  }

  #index(position: number): number {
    return RECORDS + (position & (this.#capacity - 1))
  }

  #put(position: number, length: number, type: number): void {
    const at = this.#index(position) >> 2
    this.#words[at] = length
    this.#words[at + 1] = type
  }
}

function align8(length: number): number {
  return (length + 7) & ~7
}
