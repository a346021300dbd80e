import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { viewOf } from '../base/bytes.ts'
import type { IndexFeed } from './index-feed.ts'
import { ITEM_LENGTH, itemPosition, readItem, type IndexFormat } from './index-file.ts'
import type { IndexFileState } from './index-files.ts'
import { RecordKeys } from './record-keys.ts'

/** Items that are read at once: the messages with more keys are few. */
const ITEMS = 64

/**
 * Bit by bit: how many of the files, oldest first, follow on each other without a message in between
 * that has a key. Behind a file that is missing none counts.
 */
export function* countGapless(
  feed: IndexFeed,
  files: readonly IndexFileState[],
  minPosition: () => number,
): Generator<void, number> {
  let last = -1 // position of the last message that has its keys in the index
  for (const [nth, { header }] of files.entries()) {
    if (header.count > 1) {
      const to = header.beginPosition
      if (yield* hasKeys(feed, { last, to, minPosition })) return nth
    }
    last = header.endPosition
  }
  return files.length
}

/** Whether a message behind `last` and before `to` has a key. */
function* hasKeys(
  feed: IndexFeed,
  { last, to, minPosition }: { last: number; to: number; minPosition: () => number },
): Generator<void, boolean> {
  const keys = new RecordKeys()
  let isFound = false
  for (let at = Math.max(last, 0); at < to && !isFound;) {
    at = Math.max(at, minPosition())
    if (at >= to) break
    at = feed.piece(at, to, (record, bytes, position) => {
      if (position > last && position < to) isFound ||= keys.find(bytes, record) > 0
    })
    yield
  }
  return isFound
}

/**
 * How many keys of the message at `position`, the last in the index, have their items: not all, when
 * it stopped in between. They may lie in several files, which are given oldest first.
 */
export function countItemsAt(
  position: number,
  parts: { disk: Disk; directory: string; format: IndexFormat },
  files: readonly { name: string; count: number }[],
): number {
  let total = 0
  for (const { name, count } of files.toReversed()) {
    const descriptor = parts.disk.openRead(join(parts.directory, name))
    try {
      const found = countLast(position, { ...parts, descriptor, count })
      total += found
      if (found < count - 1) return total
    } finally {
      parts.disk.close(descriptor)
    }
  }
  return total
}

function countLast(
  position: number,
  file: { disk: Disk; descriptor: number; format: IndexFormat; count: number },
): number {
  const { disk, descriptor, format, count } = file
  const buffer = Buffer.alloc(ITEMS * ITEM_LENGTH)
  const item = { hash: 0, position: 0, seconds: 0, previous: 0 }
  for (let end = count; end > 1;) {
    const first = Math.max(1, end - ITEMS)
    const length = (end - first) * ITEM_LENGTH
    disk.pread(descriptor, { buffer, offset: 0, length, position: itemPosition(format, first) })
    for (let nth = end - 1; nth >= first; nth--) {
      readItem(item, viewOf(buffer), (nth - first) * ITEM_LENGTH)
      if (item.position !== position) return count - 1 - nth
    }
    end = first
  }
  return count - 1
}
