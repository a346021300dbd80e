import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { INDEX_HEADER_LENGTH, readIndexHeader } from './index-file.ts'
import { listIndexFiles } from './index-files.ts'
import { removeSlowly } from './slow-removal.ts'

/** Removes index files that know only messages below `minPosition`; never the newest. Yields pauses, ms. */
export function* removeOldIndexFiles(
  disk: Disk,
  directory: string,
  { minPosition, pauseMs }: { minPosition: number; pauseMs: number },
): Generator<number, void> {
  for (const name of listIndexFiles(disk, directory).slice(0, -1)) {
    const path = join(directory, name)
    const end = endPosition(disk, path)
    if (end >= minPosition) return
    // Without one its header was never written: whoever makes the index sees to that.
    if (end === 0) continue
    yield* removeSlowly(disk, path)
    yield pauseMs
  }
}

function endPosition(disk: Disk, path: string): number {
  const bytes = Buffer.alloc(INDEX_HEADER_LENGTH)
  const descriptor = disk.openRead(path)
  try {
    const span = { buffer: bytes, offset: 0, length: bytes.length, position: 0 }
    return disk.pread(descriptor, span) < bytes.length ? 0 : readIndexHeader(bytes).endPosition
  } finally {
    disk.close(descriptor)
  }
}
