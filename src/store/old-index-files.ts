import { join } from 'node:path'
import { readSafeInt64 } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { removeSlowly } from './slow-removal.ts'

const NAME = /^\d{17}$/
/** In the header: position of the last message that the file knows (Apache 5.3.3, IndexHeader). */
const END_POSITION_AT = 24

/** Removes index files that know only messages below `minPosition`; never the newest. Yields pauses, ms. */
export function* removeOldIndexFiles(
  disk: Disk,
  directory: string,
  { minPosition, pauseMs }: { minPosition: number; pauseMs: number },
): Generator<number, void> {
  if (!disk.exists(directory)) return
  const names = disk.list(directory).map(({ name }) => name)
  for (const name of names
    .filter((each) => NAME.test(each))
    .toSorted()
    .slice(0, -1)) {
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
  const bytes = Buffer.alloc(8)
  const descriptor = disk.openRead(path)
  try {
    const span = { buffer: bytes, offset: 0, length: bytes.length, position: END_POSITION_AT }
    if (disk.pread(descriptor, span) < bytes.length) return 0
    return readSafeInt64(new DataView(bytes.buffer, bytes.byteOffset), 0)
  } finally {
    disk.close(descriptor)
  }
}
