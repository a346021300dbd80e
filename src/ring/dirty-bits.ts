/**
 * A set of rows, filled by one thread and emptied by another: bits, so it cannot overflow.
 *
 *    summary: one bit per word of bits        bits: one bit per row
 *
 * The adder sets the bit, then its summary bit; the taker clears summary bits first, then bits, so
 * a row added in between is taken now or leaves its summary bit for the next time.
 */
export class DirtyBits {
  readonly #summary: Int32Array
  readonly #bits: Int32Array

  static allocate(rows: number): SharedArrayBuffer {
    const words = Math.ceil(rows / 32)
    return new SharedArrayBuffer((Math.ceil(words / 32) + words) * 4)
  }

  constructor(memory: SharedArrayBuffer, rows: number) {
    const words = Math.ceil(rows / 32)
    const summaryWords = Math.ceil(words / 32)
    this.#summary = new Int32Array(memory, 0, summaryWords)
    this.#bits = new Int32Array(memory, summaryWords * 4, words)
  }

  add(row: number): void {
    const word = row >>> 5
    Atomics.or(this.#bits, word, 1 << (row & 31))
    Atomics.or(this.#summary, word >>> 5, 1 << (word & 31))
  }

  /** Appends the rows to `target` and empties the set; returns how many. */
  take(target: number[]): number {
    const before = target.length
    for (let at = 0; at < this.#summary.length; at++) {
      if (Atomics.load(this.#summary, at) === 0) continue
      let words = Atomics.exchange(this.#summary, at, 0)
      while (words !== 0) {
        const bit = 31 - Math.clz32(words)
        words &= ~(1 << bit)
        this.#takeWord(at * 32 + bit, target)
      }
    }
    return target.length - before
  }

  #takeWord(word: number, target: number[]): void {
    let rows = Atomics.exchange(this.#bits, word, 0)
    while (rows !== 0) {
      const bit = 31 - Math.clz32(rows)
      rows &= ~(1 << bit)
      target.push(word * 32 + bit)
    }
  }
}
