import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { Checkpoint, readCheckpoint } from './checkpoint.ts'
import {
  INDEX_HEADER_LENGTH,
  indexFileSize,
  isIndexFileName,
  itemPosition,
  readIndexHeader,
  type IndexFormat,
  type IndexHeader,
} from './index-file.ts'
import { StopKind } from './last-stop.ts'

/** Where index files lie. */
export function indexDirectory(root: string): string {
  return join(root, 'index')
}

export interface IndexFileState {
  name: string
  header: IndexHeader
}

/** Names of index files, oldest first. */
export function listIndexFiles(disk: Disk, directory: string): string[] {
  if (!disk.exists(directory)) return []
  const files = disk.list(directory).filter(({ name, isDirectory }) => {
    return !isDirectory && isIndexFileName(name)
  })
  return files.map(({ name }) => name).toSorted()
}

/** Null: it has not the length that `format` asks for, or its head makes no sense. */
export function readIndexState(
  disk: Disk,
  { directory, name, format }: { directory: string; name: string; format: IndexFormat },
): IndexFileState | null {
  const descriptor = disk.openRead(join(directory, name))
  try {
    if (disk.size(descriptor) !== indexFileSize(format)) return null
    const buffer = Buffer.alloc(INDEX_HEADER_LENGTH)
    disk.pread(descriptor, { buffer, offset: 0, length: buffer.length, position: 0 })
    const header = readIndexHeader(buffer)
    return isPossible(header, format) ? { name, header } : null
  } finally {
    disk.close(descriptor)
  }
}

function isPossible(header: IndexHeader, { slots, items }: IndexFormat): boolean {
  const { beginPosition, endPosition, usedSlots, count } = header
  const isOrdered = beginPosition >= 0 && beginPosition <= endPosition
  return isOrdered && count <= items && usedSlots >= 0 && usedSlots <= slots
}

/**
 * Takes index files away from the `keep`th on. First the checkpoint forgets that they were durable: those
 * that are made anew under the same times are not, for a while. While the broker runs flush writes it, too:
 * whichever is last, `index` is right in the end, and other times that are older only make a recovery longer.
 */
export function dropFrom(
  disk: Disk,
  { root, directory }: { root: string; directory: string },
  names: readonly string[],
  { keep, endTimestamp }: { keep: number; endTimestamp: number },
): void {
  const times = readCheckpoint(disk, root)
  if (times.index > endTimestamp) {
    const checkpoint = new Checkpoint(disk, root)
    try {
      checkpoint.write({ ...times, index: endTimestamp })
    } finally {
      checkpoint.close()
    }
  }
  for (const name of names.slice(keep)) disk.remove(join(directory, name))
}

export interface IndexTrust {
  root: string
  directory: string
  format: IndexFormat
  /** How the last run ended. */
  kind: StopKind
  /** Up to this store time the index was made durable (indexMsgTimestamp of the checkpoint). */
  durableTimestamp: number
  /** End of the log. */
  end: number
}

/**
 * Before dispatch starts: takes away index files that cannot be relied on, which it then makes anew.
 * Behind one of them all are taken, so that what is left has no gap. Returns how many are gone.
 */
export function dropDistrusted(disk: Disk, trust: IndexTrust): number {
  const { directory } = trust
  const names = listIndexFiles(disk, directory)
  let before: IndexHeader | null = null
  for (const [nth, name] of names.entries()) {
    const state = readIndexState(disk, { ...trust, name })
    if (state === null || !isTrusted(state.header, before, trust)) {
      dropFrom(disk, trust, names, { keep: nth, endTimestamp: before?.endTimestamp ?? 0 })
      return names.length - nth
    }
    if (trust.kind === StopKind.UNKNOWN) dropUncounted(disk, trust, state)
    before = state.header
  }
  return 0
}

/**
 * Some sectors behind the last item that the header counts may have reached the disk: with the log that
 * was cut they would be taken for items of the messages that come next, after a crash that comes soon.
 */
function dropUncounted(
  disk: Disk,
  { directory, format }: IndexTrust,
  { name, header }: IndexFileState,
): void {
  const descriptor = disk.open(join(directory, name))
  try {
    dropItemsFrom(disk, descriptor, { format, count: header.count })
  } finally {
    disk.close(descriptor)
  }
}

/** From the item with this number on the file holds none. */
export function dropItemsFrom(
  disk: Disk,
  descriptor: number,
  { format, count }: { format: IndexFormat; count: number },
): void {
  disk.truncate(descriptor, itemPosition(format, count))
  disk.truncate(descriptor, indexFileSize(format))
}

/**
 * After a power failure, or when Apache died, no sector of a file that was being added to is certain:
 * Apache 5.3.3 deletes those whose end lies behind the checkpoint, too.
 */
function isTrusted(header: IndexHeader, before: IndexHeader | null, trust: IndexTrust): boolean {
  if (before !== null && header.beginPosition < before.endPosition) return false
  if (header.endPosition > 0 && header.endPosition >= trust.end) return false
  if (trust.kind !== StopKind.UNKNOWN) return true
  return header.count > 1 && header.endTimestamp <= trust.durableTimestamp // slots of an empty one may not be
}
