import { viewOf } from '../base/bytes.ts'
import { PRE_BLANK_LENGTH, readUnit, type Unit, UNIT_LENGTH } from '../store/consume-queue.ts'

/** Entries that are read together. */
const BLOCK_UNITS = 64

/** Reads up to `count` entries from `offset` on; returns how many. */
export type ReadUnits = (offset: number, count: number, target: Buffer) => number

/** One queue's entries for whoever takes most of them, about in their order. What is dispatched never changes. */
export class UnitBlock {
  readonly #read: ReadUnits
  readonly #bytes = Buffer.alloc(BLOCK_UNITS * UNIT_LENGTH)
  readonly #view = viewOf(this.#bytes)
  #start = 0
  #end = 0

  constructor(read: ReadUnits) {
    this.#read = read
  }

  /** Null: it is not to be read (any more). `max` is behind the last one there is. */
  at(offset: number, max: number): Unit | null {
    if (offset < this.#start || offset >= this.#end) this.#load(offset, max)
    if (offset >= this.#end) return null
    const unit = { position: 0, length: 0, tagsCode: 0 }
    readUnit(unit, this.#view, (offset - this.#start) * UNIT_LENGTH)
    return unit.length === PRE_BLANK_LENGTH ? null : unit
  }

  #load(offset: number, max: number): void {
    this.#start = this.#end = offset
    const count = Math.min(BLOCK_UNITS, max - offset)
    if (count > 0) this.#end += this.#read(offset, count, this.#bytes)
  }
}
