import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { checksumFile } from '../store/file-checksum.ts'
import { readManifest } from '../store/manifest.ts'
import { Findings, Part, type FoundSome } from './finding.ts'
import type { StoreMap } from './store-map.ts'

export interface ManifestChecked {
  /** Bytes that it vouches for. */
  bytes: number
  found: FoundSome
}

/** Whether a file of the log is what it was when it was sealed. */
export async function checkManifest(
  disk: Disk,
  { root, log }: StoreMap,
  name: string,
): Promise<ManifestChecked> {
  const findings = new Findings()
  const manifest = readManifest(disk, root, name)
  const file = join('ringmq-manifest', name)
  if (manifest === null) {
    const text = 'cannot be read, or is not what was written'
    findings.add({ part: Part.MANIFEST, file, text })
  } else if (!log.starts.includes(Number(name))) {
    // The file was deleted with its messages; a start takes the manifest away.
    return { bytes: 0, found: findings.found() }
  } else {
    const path = join(log.directory, name)
    const { length, crc32c } = manifest
    const { size } = statSync(path)
    const found = size < length ? -1 : await checksumFile(disk, path, { length, share: 1 })
    if (found !== crc32c) {
      const position = Number(name)
      const text =
        found === -1
          ? `has ${size} bytes; its manifest is of ${length}`
          : `its first ${length} bytes are not what they were when the file was sealed: CRC-32C ${hex(found)}, not ${hex(crc32c)}`
      findings.add({ part: Part.LOG, file: join('commitlog', name), position, text })
    }
  }
  return { bytes: manifest?.length ?? 0, found: findings.found() }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
