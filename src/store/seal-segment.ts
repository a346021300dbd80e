import { join } from 'node:path'
import { systemDisk } from '../base/disk.ts'
import { checksumFile } from './file-checksum.ts'
import { writeManifest } from './manifest.ts'

export interface SealAsked {
  root: string
  /** Folder of the log. */
  directory: string
  file: string
  length: number
  /** Share of a core that may be spent on it. */
  share: number
}

/** Reads a log file that will not change any more and writes its manifest. False: it is gone or too short. */
export async function sealSegment(asked: SealAsked): Promise<boolean> {
  const { root, directory, file, length, share } = asked
  const path = join(directory, file)
  if (!systemDisk.exists(path)) return false // deleted meanwhile
  const crc32c = await checksumFile(systemDisk, path, { length, share })
  if (crc32c === -1) return false
  writeManifest(systemDisk, root, { file, length, crc32c, madeMs: Date.now() })
  return true
}
