import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { checksumFile } from '../../src/store/file-checksum.ts'
import {
  listManifests,
  manifestDirectory,
  readManifest,
  removeManifest,
  writeManifest,
} from '../../src/store/manifest.ts'
import { sealSegment } from '../../src/store/seal-segment.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FILE = '00000000000000065536'
const MANIFEST = { file: FILE, length: 65_536, crc32c: 0xe3069283, madeMs: 1_700_000_000_000 }

function fileOf(content: string | Buffer): string {
  const path = join(tempFolder(), 'file')
  writeFileSync(path, content)
  return path
}

describe('a manifest', () => {
  test('is read as it was written, and stands in the list', () => {
    const root = tempFolder()
    expect(listManifests(systemDisk, root)).toEqual([])
    writeManifest(systemDisk, root, MANIFEST)
    expect(readManifest(systemDisk, root, FILE)).toEqual(MANIFEST)
    expect(listManifests(systemDisk, root)).toEqual([FILE])
    removeManifest(systemDisk, root, FILE)
    expect(listManifests(systemDisk, root)).toEqual([])
  })

  test('takes the place of an older one of its file', () => {
    const root = tempFolder()
    writeManifest(systemDisk, root, MANIFEST)
    writeManifest(systemDisk, root, { ...MANIFEST, crc32c: 7 })
    expect(readManifest(systemDisk, root, FILE)?.crc32c).toBe(7)
  })

  test('is none when any of its bytes changed, or when it is of another file', () => {
    const root = tempFolder()
    writeManifest(systemDisk, root, MANIFEST)
    const path = join(manifestDirectory(root), FILE)
    const bytes = readFileSync(path)
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      writeFileSync(path, changed)
      expect(readManifest(systemDisk, root, FILE)).toBeNull()
    }
    writeFileSync(join(manifestDirectory(root), '00000000000000000000'), bytes)
    expect(readManifest(systemDisk, root, '00000000000000000000')).toBeNull()
  })

  test('that a crash left half-made is not in the list', () => {
    const root = tempFolder()
    mkdirSync(manifestDirectory(root))
    writeFileSync(join(manifestDirectory(root), `${FILE}.tmp`), '{')
    expect(listManifests(systemDisk, root)).toEqual([])
  })
})

describe('the checksum of a file', () => {
  test('is CRC-32C', async () => {
    const path = fileOf('123456789')
    expect(await checksumFile(systemDisk, path, { length: 9, share: 1 })).toBe(0xe3069283)
  })

  test('is of as many bytes as are asked for', async () => {
    const path = fileOf('123456789 and more')
    expect(await checksumFile(systemDisk, path, { length: 9, share: 1 })).toBe(0xe3069283)
    expect(await checksumFile(systemDisk, path, { length: 99, share: 1 })).toBe(-1)
  })

  test('does not depend on the pieces that it is read in, nor on the pauses between', async () => {
    const bytes = Buffer.alloc(700_000, 'some text, again and again ')
    const path = fileOf(bytes)
    const whole = await checksumFile(systemDisk, path, { length: bytes.length, share: 1 })
    const slow = await checksumFile(systemDisk, path, { length: bytes.length, share: 0.9 })
    expect(slow).toBe(whole)
  })
})

test('a file that was deleted before its turn came is left out', async () => {
  const root = tempFolder()
  const asked = { root, directory: join(root, 'commitlog'), file: FILE, length: 10, share: 1 }
  expect(await sealSegment(asked)).toBe(false)
  expect(listManifests(systemDisk, root)).toEqual([])
})
