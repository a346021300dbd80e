import { join } from 'node:path'
import { assert } from '../base/assert.ts'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import {
  INDEX_HEADER_LENGTH,
  ITEM_LENGTH,
  indexFileSize,
  itemPosition,
  secondsAfter,
  SLOT_LENGTH,
  slotPosition,
  writeIndexHeader,
  writeItem,
  type IndexFormat,
  type IndexHeader,
  type IndexItem,
} from './index-file.ts'
import type { IndexTable } from './index-table.ts'

/** Items gathered before they are written in one piece. */
const ITEMS = 4096
/** Slots are written in pages of so many. */
const PAGE_SLOTS = 1024
/** Pages in one piece of a save. */
const PIECE_PAGES = 64

export interface IndexWriterParts {
  disk: Disk
  /** Holds the slots of this file. */
  table: IndexTable
  format: IndexFormat
  directory: string
}

/**
 * The index file that is being added to; dispatch's own. Items go to the file turn by turn, slots and
 * header only when it is saved: what a header on the disk does not count yet is in the items behind.
 */
export class IndexWriter {
  readonly name: string
  readonly header: IndexHeader
  readonly descriptor: number
  readonly #parts: IndexWriterParts
  readonly #slots: Int32Array
  readonly #items = Buffer.allocUnsafeSlow(ITEMS * ITEM_LENGTH)
  readonly #view = viewOf(this.#items)
  readonly #item: IndexItem = { hash: 0, position: 0, seconds: 0, previous: 0 }
  #pending = 0
  /** Pages of slots that are not on the disk as they are here. */
  readonly #dirty: Uint8Array
  readonly #page = Buffer.allocUnsafeSlow(PIECE_PAGES * PAGE_SLOTS * SLOT_LENGTH)
  /** What a save that is under way counts. */
  #saving: { header: IndexHeader; nextPage: number } | null = null
  #saved: IndexHeader

  constructor(parts: IndexWriterParts, name: string, header: IndexHeader) {
    this.#parts = parts
    this.name = name
    this.header = header
    this.#saved = { ...header }
    this.#slots = parts.table.slots
    this.#dirty = new Uint8Array(Math.ceil(parts.format.slots / PAGE_SLOTS))
    this.descriptor = parts.disk.open(join(parts.directory, name))
  }

  /** Makes the file, at full length and sparse. The table is empty. */
  static create(parts: IndexWriterParts, name: string, header: IndexHeader): IndexWriter {
    const { disk, directory, format } = parts
    disk.makeDirectory(directory)
    const descriptor = disk.create(join(directory, name))
    try {
      disk.truncate(descriptor, indexFileSize(format))
      writeHeader(disk, descriptor, header)
    } finally {
      disk.close(descriptor)
    }
    return new IndexWriter(parts, name, header)
  }

  /** Items since the last save. */
  get unsaved(): number {
    return this.header.count - this.#saved.count
  }

  /** Store time that the header in the file ends with. */
  get savedTimestamp(): number {
    return this.#saved.endTimestamp
  }

  /** False: the file is full, and this key belongs into the next one. */
  add(hash: number, position: number, timestamp: number): boolean {
    const { header } = this
    if (header.count >= this.#parts.format.items) return false
    const slot = hash % this.#slots.length
    const item = this.#item
    item.hash = hash
    item.position = position
    item.seconds = secondsAfter(header.beginTimestamp, timestamp)
    item.previous = this.#slots[slot]!
    writeItem(this.#view, this.#pending * ITEM_LENGTH, item)
    this.#pending++
    this.link(item, timestamp)
    if (this.#pending === ITEMS) this.#writeItems()
    return true
  }

  /** The item is the next, and the newest of its slot: what `add` does, and what a load repeats. */
  link({ hash, position, previous }: IndexItem, timestamp: number): void {
    const { header } = this
    if (header.count === 1) {
      header.beginPosition = position
      header.beginTimestamp = timestamp
    }
    if (previous === 0) header.usedSlots++
    const slot = hash % this.#slots.length
    this.#slots[slot] = header.count++
    this.#dirty[(slot / PAGE_SLOTS) | 0] = 1
    header.endPosition = position
    header.endTimestamp = timestamp
  }

  /** All items are in the file, and main may know of them. */
  flush(): void {
    if (this.#pending > 0) this.#writeItems()
    this.#parts.table.publish(this.header)
  }

  /**
   * Writes some of the slots that have changed, and at last the header as it was when the save began.
   * True when that is done. Everything is flushed. Slots may be ahead of that header afterwards, never
   * behind it: a load takes up the items from there on. A header of a time up to `durableTimestamp` is
   * believed after a power failure, so that what it counts is synced first: the clock was set back.
   */
  savePiece(durableTimestamp: number): boolean {
    assert(this.#pending === 0, 'slots name items that are not in the file')
    this.#saving ??= { header: { ...this.header }, nextPage: 0 }
    const first = this.#dirty.indexOf(1, this.#saving.nextPage)
    if (first !== -1) {
      this.#saving.nextPage = this.#writePages(first)
      return false
    }
    const { disk } = this.#parts
    if (this.#saving.header.endTimestamp <= durableTimestamp) disk.fdatasync(this.descriptor)
    writeHeader(disk, this.descriptor, this.#saving.header)
    this.#saved = this.#saving.header
    this.#saving = null
    return true
  }

  /** For a start that takes slots and header as they are; a save under way counts less than is there now. */
  saveAll(durableTimestamp: number): void {
    this.flush()
    do {
      while (!this.savePiece(durableTimestamp)) continue
    } while (this.unsaved > 0)
  }

  close(): void {
    this.#parts.disk.close(this.descriptor)
  }

  #writeItems(): void {
    const { disk, format } = this.#parts
    disk.pwrite(this.descriptor, {
      buffer: this.#items,
      offset: 0,
      length: this.#pending * ITEM_LENGTH,
      position: itemPosition(format, this.header.count - this.#pending),
    })
    this.#pending = 0
  }

  /** The run of changed pages that begins at `first`; returns the page behind it. */
  #writePages(first: number): number {
    let end = first
    while (end < first + PIECE_PAGES && this.#dirty[end] === 1) this.#dirty[end++] = 0
    const slots = this.#slots.subarray(first * PAGE_SLOTS, end * PAGE_SLOTS)
    const bytes = this.#page.subarray(0, slots.length * SLOT_LENGTH)
    bytes.set(new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength))
    bytes.swap32() // memory is little-endian wherever Node runs on
    const position = slotPosition(first * PAGE_SLOTS)
    const span = { buffer: bytes, offset: 0, length: bytes.length, position }
    this.#parts.disk.pwrite(this.descriptor, span)
    return end
  }
}

function writeHeader(disk: Disk, descriptor: number, header: IndexHeader): void {
  const bytes = Buffer.alloc(INDEX_HEADER_LENGTH)
  writeIndexHeader(bytes, header)
  disk.pwrite(descriptor, { buffer: bytes, offset: 0, length: bytes.length, position: 0 })
}
