import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { crc32 } from '../base/crc32.ts'
import { viewOf } from '../base/bytes.ts'
import { replaceFile } from './replace-file.ts'

const FOLDER = 'ringmq-manifest'
const VERSION = 1

/** What a sealed file of the log must be: our own, Apache has nothing like it. */
export interface Manifest {
  /** Name of the log file, which is the manifest's name, too. */
  file: string
  /** The checksum is of so many bytes from the file's start. */
  length: number
  /** CRC-32C (Castagnoli), unsigned. */
  crc32c: number
  madeMs: number
}

/** `<store>/ringmq-manifest`, beside the log. */
export function manifestDirectory(root: string): string {
  return join(root, FOLDER)
}

/** Durable when it returns; an older one of that file is replaced. */
export function writeManifest(disk: Disk, root: string, manifest: Manifest): void {
  const directory = manifestDirectory(root)
  if (!disk.exists(directory)) {
    disk.makeDirectory(directory)
    disk.syncDirectory(root)
  }
  replaceFile(disk, join(directory, manifest.file), Buffer.from(textOf(manifest)))
}

/** Null when it cannot be read or is not what was written: it carries a checksum of its own. */
export function readManifest(disk: Disk, root: string, file: string): Manifest | null {
  const text = disk.readFile(join(manifestDirectory(root), file)).toString()
  try {
    const { length, crc32c, madeMs } = JSON.parse(text) as Manifest
    const manifest = { file, length, crc32c, madeMs }
    return textOf(manifest) === text ? manifest : null
  } catch {
    return null // no JSON: as good as none
  }
}

/** Names of the files that have a manifest, ascending; temporary files left by a crash are not among them. */
export function listManifests(disk: Disk, root: string): string[] {
  const directory = manifestDirectory(root)
  if (!disk.exists(directory)) return []
  const names = disk.list(directory).map(({ name }) => name)
  return names.filter((name) => /^\d{20}$/.test(name)).toSorted()
}

export function removeManifest(disk: Disk, root: string, file: string): void {
  disk.remove(join(manifestDirectory(root), file))
}

/** The log was cut at `end`: what vouches for bytes behind it is true no longer. */
export function removeManifestsAbove(disk: Disk, root: string, end: number): void {
  for (const file of listManifests(disk, root)) {
    const manifest = readManifest(disk, root, file)
    if (manifest === null || Number(file) + manifest.length > end) removeManifest(disk, root, file)
  }
}

function textOf({ file, length, crc32c, madeMs }: Manifest): string {
  const content = JSON.stringify({ version: VERSION, file, length, crc32c, madeMs })
  const bytes = Buffer.from(content)
  const check = crc32(viewOf(bytes), 0, bytes.length) >>> 0
  return `${content.slice(0, -1)},"check":${check}}\n`
}
