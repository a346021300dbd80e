import { viewOf } from '../base/bytes.ts'
import {
  ITEM_LENGTH,
  itemPosition,
  readItem,
  SLOT_LENGTH,
  slotPosition,
  type IndexHeader,
  type IndexItem,
} from './index-file.ts'
import { dropItemsFrom } from './index-files.ts'
import { IndexWriter, type IndexWriterParts } from './index-writer.ts'

/** Slots and items are read in pieces of so many bytes, one per turn. */
const PIECE = 128 * 1024

export interface IndexLoadOptions {
  name: string
  /** As it stands in the file. */
  header: IndexHeader
  /** A clean stop: nothing stands behind what the header counts. */
  isExact: boolean
  /** Items of messages from here on are none. */
  end: number
  /** Store time in ms of the message at a position of the log; null when it is gone. */
  timestampAt: (position: number) => number | null
}

/**
 * Opens an index file to be added to, bit by bit: reads its slots, then takes up the items that its
 * header does not count yet. Null: slots name items that are not there, so that chains are broken.
 */
export function* loadIndex(
  parts: IndexWriterParts,
  options: IndexLoadOptions,
): Generator<void, IndexWriter | null> {
  const writer = new IndexWriter(parts, options.name, { ...options.header })
  let isWhole = false
  try {
    const load = new IndexLoad(parts, writer, options)
    yield* load.readSlots()
    if (!options.isExact) yield* load.redoItems()
    isWhole = load.ahead === 0
    if (isWhole) load.dropRest()
    return isWhole ? writer : null
  } finally {
    if (!isWhole) writer.close()
  }
}

class IndexLoad {
  /** Slots that name items which have not been met. */
  ahead = 0
  readonly #parts: IndexWriterParts
  readonly #writer: IndexWriter
  readonly #options: IndexLoadOptions
  readonly #bytes = Buffer.allocUnsafeSlow(PIECE)
  readonly #view = viewOf(this.#bytes)
  readonly #item: IndexItem = { hash: 0, position: 0, seconds: 0, previous: 0 }

  constructor(parts: IndexWriterParts, writer: IndexWriter, options: IndexLoadOptions) {
    this.#parts = parts
    this.#writer = writer
    this.#options = options
  }

  *readSlots(): Generator<void> {
    const { slots } = this.#parts.table
    const step = PIECE / SLOT_LENGTH
    for (let first = 0; first < slots.length; first += step) {
      const count = Math.min(step, slots.length - first)
      this.#read(slotPosition(first), count * SLOT_LENGTH)
      for (let nth = 0; nth < count; nth++) {
        const item = this.#view.getInt32(nth * SLOT_LENGTH)
        if (item >= this.#options.header.count) this.ahead++
        if (item > 0) slots[first + nth] = item // they are all empty: most stay so
      }
      yield
    }
  }

  /** In a crash every slot that was written names an item that was written before it. */
  *redoItems(): Generator<void> {
    const { format } = this.#parts
    const { header } = this.#writer
    const step = Math.floor(PIECE / ITEM_LENGTH)
    const before = header.count
    for (;;) {
      const count = Math.min(step, format.items - header.count)
      this.#read(itemPosition(format, header.count), count * ITEM_LENGTH)
      for (let nth = 0; nth < count; nth++) {
        if (!this.#redo(nth * ITEM_LENGTH)) {
          this.#mendTimes(before)
          return
        }
      }
      yield
      if (count === 0) break
    }
    this.#mendTimes(before)
  }

  /** What stands behind the last item was of messages that are gone: it must not be taken up later. */
  dropRest(): void {
    const { disk, format } = this.#parts
    const { descriptor, header } = this.#writer
    if (header.count === format.items) return
    const end = itemPosition(format, header.count)
    this.#read(end, ITEM_LENGTH)
    if (this.#bytes.subarray(0, ITEM_LENGTH).every((byte) => byte === 0)) return
    dropItemsFrom(disk, descriptor, { format, count: header.count })
  }

  /** False: here is no item. */
  #redo(at: number): boolean {
    const item = this.#item
    readItem(item, this.#view, at)
    const { slots } = this.#parts.table
    const { count } = this.#writer.header
    if (!this.#isItem(item)) return false
    const known = slots[item.hash % slots.length]!
    if (known < count && known !== item.previous) return false
    if (known >= count) this.ahead--
    this.#writer.link(item, 0)
    return true
  }

  #isItem({ hash, position, seconds, previous }: IndexItem): boolean {
    const { count, endPosition } = this.#writer.header
    if (hash === 0 && position === 0 && previous === 0) return false // a hole, as good as always
    if (hash < 0 || seconds < 0 || previous < 0 || previous >= count) return false
    return position >= endPosition && position < this.#options.end
  }

  /** Items know whole seconds; the messages know when they were stored. */
  #mendTimes(before: number): void {
    const { header } = this.#writer
    const { timestampAt } = this.#options
    if (header.count === before) return
    if (before === 1) header.beginTimestamp = timestampAt(header.beginPosition) ?? 0
    const endTimestamp = timestampAt(header.endPosition) ?? header.beginTimestamp
    header.endTimestamp = Math.max(header.beginTimestamp, endTimestamp)
  }

  #read(position: number, length: number): void {
    const { disk } = this.#parts
    const span = { buffer: this.#bytes, offset: 0, length, position }
    const read = disk.pread(this.#writer.descriptor, span)
    this.#bytes.fill(0, read, length)
  }
}
