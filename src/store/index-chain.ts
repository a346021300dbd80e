import { viewOf } from '../base/bytes.ts'
import {
  INDEX_HEADER_LENGTH,
  ITEM_LENGTH,
  itemPosition,
  readIndexHeader,
  readItem,
  SLOT_LENGTH,
  slotPosition,
  type IndexFormat,
  type IndexHeader,
  type IndexItem,
} from './index-file.ts'
import type { FileReader } from './file-source.ts'

/** Items of one key often lie close together: so many are read at once. */
const ITEMS = 200

/** One index file, as it is searched: its header, the items of a slot. */
export class IndexChain {
  readonly header: IndexHeader
  readonly #file: FileReader
  readonly #format: IndexFormat
  readonly #buffer = Buffer.alloc(ITEMS * ITEM_LENGTH)
  readonly #view = viewOf(this.#buffer)
  #first = 0
  #count = 0

  constructor(file: FileReader, format: IndexFormat, header: IndexHeader) {
    this.#file = file
    this.#format = format
    this.header = header
  }

  /** With the header from the file; null when the file is not what it should be. */
  static async open(file: FileReader, format: IndexFormat): Promise<IndexChain | null> {
    const bytes = Buffer.alloc(INDEX_HEADER_LENGTH)
    if ((await file.read(bytes, 0)) < bytes.length) return null
    return new IndexChain(file, format, readIndexHeader(bytes))
  }

  /** The newest item of a slot, by the file; 0 without one. */
  async newest(slot: number): Promise<number> {
    const bytes = Buffer.alloc(SLOT_LENGTH)
    return (await this.#file.read(bytes, slotPosition(slot))) < SLOT_LENGTH
      ? 0
      : bytes.readInt32BE()
  }

  /** False: there is no such item. */
  async read(item: IndexItem, nth: number): Promise<boolean> {
    if (nth <= 0 || nth >= this.#format.items) return false
    if (nth < this.#first || nth >= this.#first + this.#count) await this.#load(nth)
    if (nth >= this.#first + this.#count) return false
    readItem(item, this.#view, (nth - this.#first) * ITEM_LENGTH)
    return true
  }

  /** Those before it: chains lead back. */
  async #load(nth: number): Promise<void> {
    this.#first = Math.max(1, nth + 1 - ITEMS)
    const bytes = this.#buffer.subarray(0, (nth + 1 - this.#first) * ITEM_LENGTH)
    const read = await this.#file.read(bytes, itemPosition(this.#format, this.#first))
    this.#count = Math.floor(read / ITEM_LENGTH)
  }
}
