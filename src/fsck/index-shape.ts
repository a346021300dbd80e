import type { Disk } from '../base/disk.ts'
import {
  INDEX_HEADER_LENGTH,
  ITEM_LENGTH,
  readIndexHeader,
  readItem,
  SLOT_LENGTH,
  type IndexFormat,
  type IndexHeader,
  type IndexItem,
} from '../store/index-file.ts'

/** Items for each slot: the ratio of Apache's defaults, by which a file's parts are found. */
const ITEMS_PER_SLOT = 4

/** Nothing in a file says how many slots it has: null when its length fits no usual format. */
export function formatOf(length: number): IndexFormat | null {
  const slots = (length - INDEX_HEADER_LENGTH) / (SLOT_LENGTH + ITEMS_PER_SLOT * ITEM_LENGTH)
  return Number.isInteger(slots) && slots > 0 ? { slots, items: slots * ITEMS_PER_SLOT } : null
}

export function headerOf(disk: Disk, descriptor: number): IndexHeader {
  const buffer = Buffer.alloc(INDEX_HEADER_LENGTH)
  disk.pread(descriptor, { buffer, offset: 0, length: buffer.length, position: 0 })
  return readIndexHeader(buffer)
}

export function itemIn(view: DataView, at: number): IndexItem {
  const item = { hash: 0, position: 0, seconds: 0, previous: 0 }
  readItem(item, view, at)
  return item
}
