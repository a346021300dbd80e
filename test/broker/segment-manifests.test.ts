import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { SegmentManifests } from '../../src/broker/segment-manifests.ts'
import { checksumFile } from '../../src/store/file-checksum.ts'
import { listManifests, readManifest, writeManifest } from '../../src/store/manifest.ts'
import { logFileName } from '../../src/store/log-files.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { MemoryLog } from './memory-log.ts'

const FILE = 4096

/** A log of some files, of which all but the last are full. */
function logOf(files: number): { root: string; log: LogBuilder } {
  const root = join(tempFolder(), 'store')
  const log = new LogBuilder({ fileSize: FILE })
  while (log.end < FILE * (files - 1)) log.add({ body: 'x'.repeat(200) })
  log.write(join(root, 'commitlog'))
  return { root, log }
}

function open(root: string, { flushed, min = 0 }: { flushed: number; min?: number }) {
  const state = { flushed, min }
  const manifests = new SegmentManifests({
    places: { root, logDirectory: join(root, 'commitlog'), logFileSize: FILE },
    disk: systemDisk,
    log: new MemoryLog(),
    flushed: () => state.flushed,
    minPosition: () => state.min,
  })
  onTestFinished(() => manifests.stop())
  return { manifests, state }
}

const namesOf = (starts: number[]) => starts.map((nth) => logFileName(nth * FILE))

test('every file that is full and flushed has its manifest', async () => {
  const { root, log } = logOf(4)
  const { manifests } = open(root, { flushed: log.end })
  await manifests.look()
  expect(listManifests(systemDisk, root)).toEqual(namesOf([0, 1, 2]))
  const path = join(root, 'commitlog', logFileName(FILE))
  const crc32c = await checksumFile(systemDisk, path, { length: FILE, share: 1 })
  expect(readManifest(systemDisk, root, logFileName(FILE))).toMatchObject({ length: FILE, crc32c })
})

test('a file waits until it is flushed', async () => {
  const { root, log } = logOf(3)
  const { manifests, state } = open(root, { flushed: FILE + 100 })
  await manifests.look()
  expect(listManifests(systemDisk, root)).toEqual(namesOf([0]))
  state.flushed = log.end
  await manifests.look()
  expect(listManifests(systemDisk, root)).toEqual(namesOf([0, 1]))
})

test('a manifest is made once', async () => {
  const { root, log } = logOf(2)
  await open(root, { flushed: log.end }).manifests.look()
  const path = join(root, 'ringmq-manifest', logFileName(0))
  const first = readFileSync(path, 'utf8')
  await open(root, { flushed: log.end }).manifests.look()
  expect(readFileSync(path, 'utf8')).toBe(first)
})

test('a manifest goes with its file', async () => {
  const { root, log } = logOf(3)
  const { manifests, state } = open(root, { flushed: log.end })
  await manifests.look()
  state.min = FILE
  await manifests.look()
  expect(listManifests(systemDisk, root)).toEqual(namesOf([1]))
})

test('what vouches for bytes behind the end of the log, or for a file that is not full, goes at the first look', async () => {
  const { root, log } = logOf(3)
  const made = { crc32c: 1, madeMs: 1 }
  writeManifest(systemDisk, root, { file: logFileName(2 * FILE), length: 100, ...made })
  writeManifest(systemDisk, root, { file: logFileName(9 * FILE), length: FILE, ...made })
  await open(root, { flushed: log.end }).manifests.look()
  expect(listManifests(systemDisk, root)).toEqual(namesOf([0, 1]))
})

test('a stop waits for nothing', async () => {
  const { root, log } = logOf(4)
  const { manifests } = open(root, { flushed: log.end })
  const looking = manifests.look()
  manifests.stop()
  await looking
  expect(listManifests(systemDisk, root).length).toBeLessThan(3)
})
