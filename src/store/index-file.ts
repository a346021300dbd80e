/**
 * A hash index file, big-endian (Apache 5.3.3, IndexFile and IndexHeader):
 *
 *    0           40              40 + slots * 4                    + items * 20
 *    | header    | slots         | items ...                       |
 *
 * A slot holds the number of its newest item, 0 when it is empty; each item names the one before it
 * in the same slot. Item 0 is never used, so that a file holds one less than it has room for.
 */
import { readSafeInt64, viewOf, writeSafeInt64 } from '../base/bytes.ts'

export const INDEX_HEADER_LENGTH = 40
export const SLOT_LENGTH = 4
export const ITEM_LENGTH = 20
const INT32_MAX = 0x7fffffff
const NAME = /^\d{17}$/

/** maxHashSlotNum and maxIndexNum: written nowhere, so that they must stay what they are. */
export interface IndexFormat {
  slots: number
  items: number
}

export interface IndexHeader {
  /** Store times in ms of the first and last message that is indexed here. */
  beginTimestamp: number
  endTimestamp: number
  /** Where they begin in the log. */
  beginPosition: number
  endPosition: number
  /** Slots that are not empty. */
  usedSlots: number
  /** The number of the next item: 1 in an empty file. */
  count: number
}

export interface IndexItem {
  /** Of `topic#key`, see record-keys.ts. */
  hash: number
  /** Of the message in the log. */
  position: number
  /** Store time, in whole seconds after `beginTimestamp`. */
  seconds: number
  /** The item before it in its slot; 0 without one. */
  previous: number
}

export function indexFileSize({ slots, items }: IndexFormat): number {
  return INDEX_HEADER_LENGTH + slots * SLOT_LENGTH + items * ITEM_LENGTH
}

/** Where a slot stands in the file. */
export function slotPosition(slot: number): number {
  return INDEX_HEADER_LENGTH + slot * SLOT_LENGTH
}

/** Where an item stands in the file. */
export function itemPosition({ slots }: IndexFormat, nth: number): number {
  return INDEX_HEADER_LENGTH + slots * SLOT_LENGTH + nth * ITEM_LENGTH
}

/** The head of a file that goes on behind another one; Apache fills in where that one ended. */
export function emptyHeader(before: IndexHeader | null): IndexHeader {
  const position = before?.endPosition ?? 0
  const timestamp = before?.endTimestamp ?? 0
  const ends = { beginPosition: position, endPosition: position }
  return { ...ends, beginTimestamp: timestamp, endTimestamp: timestamp, usedSlots: 0, count: 1 }
}

export function readIndexHeader(bytes: Uint8Array): IndexHeader {
  const view = viewOf(bytes)
  return {
    beginTimestamp: readSafeInt64(view, 0),
    endTimestamp: readSafeInt64(view, 8),
    beginPosition: readSafeInt64(view, 16),
    endPosition: readSafeInt64(view, 24),
    usedSlots: view.getInt32(32),
    count: Math.max(1, view.getInt32(36)),
  }
}

export function writeIndexHeader(bytes: Uint8Array, header: IndexHeader): void {
  const view = viewOf(bytes)
  writeSafeInt64(view, 0, header.beginTimestamp)
  writeSafeInt64(view, 8, header.endTimestamp)
  writeSafeInt64(view, 16, header.beginPosition)
  writeSafeInt64(view, 24, header.endPosition)
  view.setInt32(32, header.usedSlots)
  view.setInt32(36, header.count)
}

export function readItem(item: IndexItem, view: DataView, at: number): void {
  item.hash = view.getInt32(at)
  item.position = readSafeInt64(view, at + 4)
  item.seconds = view.getInt32(at + 12)
  item.previous = view.getInt32(at + 16)
}

export function writeItem(view: DataView, at: number, item: IndexItem): void {
  view.setInt32(at, item.hash)
  writeSafeInt64(view, at + 4, item.position)
  view.setInt32(at + 12, item.seconds)
  view.setInt32(at + 16, item.previous)
}

/** What the item of a message stored at `timestamp` says of its time. */
export function secondsAfter(beginTimestamp: number, timestamp: number): number {
  if (beginTimestamp <= 0) return 0
  return Math.min(INT32_MAX, Math.max(0, Math.trunc((timestamp - beginTimestamp) / 1000)))
}

/** `yyyyMMddHHmmssSSS` in the time zone of the machine. */
export function indexFileName(ms: number): string {
  const date = new Date(ms)
  const parts: [number, number][] = [
    [date.getFullYear(), 4],
    [date.getMonth() + 1, 2],
    [date.getDate(), 2],
    [date.getHours(), 2],
    [date.getMinutes(), 2],
    [date.getSeconds(), 2],
    [date.getMilliseconds(), 3],
  ]
  return parts.map(([value, digits]) => String(value).padStart(digits, '0')).join('')
}

export function isIndexFileName(name: string): boolean {
  return NAME.test(name)
}

/** The name of a file made now. Later than `last`, whatever the clock says: order is by name. */
export function nextIndexFileName(ms: number, last: string | null): string {
  const name = indexFileName(ms)
  if (last === null || name > last) return name
  return (BigInt(last) + 1n).toString().padStart(17, '0') // need not be a time, but nearly always is
}
