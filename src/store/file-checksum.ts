import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disk } from '../base/disk.ts'

/** The package finds its parts by names that are made at run time: it is loaded as it lies there. */
const { calculate } = createRequire(import.meta.url)('fast-crc32c') as {
  calculate: (bytes: Buffer, before?: number) => number
}

const PIECE_LENGTH = 256 * 1024

export interface ChecksumOptions {
  /** Bytes from the file's start. */
  length: number
  /** Share of the time that may be spent on it, 1 for all. */
  share: number
}

/**
 * CRC-32C of the first bytes of a file, read in pieces with pauses between them. -1 when the
 * file has fewer.
 */
export async function checksumFile(
  disk: Disk,
  path: string,
  { length, share }: ChecksumOptions,
): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_LENGTH, Math.max(1, length)))
  const descriptor = disk.openRead(path)
  try {
    let crc = 0
    for (let position = 0; position < length;) {
      const startedMs = performance.now()
      const wanted = Math.min(buffer.length, length - position)
      const read = disk.pread(descriptor, { buffer, offset: 0, length: wanted, position })
      if (read < wanted) return -1
      crc = calculate(buffer.subarray(0, read), crc)
      position += read
      if (share < 1) await sleep(((performance.now() - startedMs) * (1 - share)) / share)
    }
    return crc
  } finally {
    disk.close(descriptor)
  }
}
