/** Many messages at once: out of the window, and out of files of which some cannot be read. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { type FileSource, filesIn } from '../../src/store/file-source.ts'
import { LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { type LotItem, type Place, StoredLots } from '../../src/store/stored-lots.ts'
import { IndexRig } from '../support/index-rig.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FILE_SIZE = 8192
const COUNT = 200

/** Messages over several files, of which the window has the last few. */
function openRig() {
  const root = tempFolder()
  const rig = new IndexRig({ disk: systemDisk, root, logFileSize: FILE_SIZE })
  const places: Place[] = []
  for (let nth = 0; nth < COUNT; nth++) {
    const position = rig.send('', { body: `body ${nth}` })
    places.push({ position, length: rig.store.shared.appended.value() - position })
  }
  return { places, lots: (wrap?: (files: FileSource) => FileSource) => lotsOf(rig, root, wrap) }
}

function lotsOf(rig: IndexRig, root: string, wrap = (files: FileSource) => files): StoredLots {
  const shared = new LogShared(rig.store.memory, Thread.MAIN)
  return new StoredLots(shared, {
    window: new LogWindow(shared),
    files: wrap(filesIn(join(root, 'commitlog'))),
    fileSize: FILE_SIZE,
    visible: () => shared.written.value(),
  })
}

function bodyOf(item: LotItem | undefined): unknown {
  if (!Buffer.isBuffer(item)) return item instanceof Error ? item.message : item
  return /body \d+/.exec(item.toString('latin1'))?.[0]
}

/** Counts reads, and refuses those that touch one of `bad`. */
function faulty(files: FileSource, bad: readonly number[], reads: number[]): FileSource {
  return {
    ...files,
    open: async (name) => {
      const file = (await files.open(name))!
      const read = (buffer: Buffer, position: number) => {
        const from = Number(name) + position
        reads.push(buffer.length)
        const isBad = bad.some((each) => each >= from && each < from + buffer.length)
        return isBad ? Promise.reject(new Error('EIO')) : file.read(buffer, position)
      }
      return { read, close: () => file.close() }
    },
  }
}

test('messages come in the order they are asked for, from window and files, in few reads', async () => {
  const { places, lots } = openRig()
  const reads: number[] = []
  const wanted = [...places.keys()].toReversed()
  const items = await lots((files) => faulty(files, [], reads)).read(
    wanted.map((nth) => places[nth]!),
  )
  expect(items.map(bodyOf)).toEqual(wanted.map((nth) => `body ${nth}`))
  expect(reads.length).toBeGreaterThan(1)
  expect(reads.length).toBeLessThan(10)
})

test('one that cannot be read harms no other', async () => {
  const { places, lots } = openRig()
  const items = await lots((files) => faulty(files, [places[7]!.position], [])).read(places)
  const bodies = places.map((_, nth) => (nth === 7 ? 'EIO' : `body ${nth}`))
  expect(items.map(bodyOf)).toEqual(bodies)
})

test.each([
  ['of another length', ({ position, length }: Place) => ({ position, length: length + 1 })],
  ['in the middle of one', ({ position, length }: Place) => ({ position: position + 1, length })],
  ['beyond the end', ({ length }: Place) => ({ position: 1e9, length })],
  ['longer than anything', ({ position }: Place) => ({ position, length: 2 ** 40 })],
  ['below zero', ({ length }: Place) => ({ position: -length, length })],
])('a place %s has no message', async (_, change) => {
  const { places, lots } = openRig()
  const wanted = [change(places[3]!), places[4]!, change(places.at(-2)!)]
  expect((await lots().read(wanted)).map(bodyOf)).toEqual([null, 'body 4', null])
})

test('files that are gone have no messages, and what is open is closed again', async () => {
  const { places, lots } = openRig()
  let open = 0
  const items = await lots((files) => ({
    ...files,
    open: async (name) => {
      if (Number(name) === 0) return null
      const file = (await files.open(name))!
      open++
      const close = () => {
        open--
        return file.close()
      }
      return { read: (...args) => file.read(...args), close }
    },
  })).read(places)
  const [gone, rest] = [
    items.filter((each) => each === null),
    items.filter((each) => Buffer.isBuffer(each)),
  ]
  expect(gone).toHaveLength(places.filter(({ position }) => position < FILE_SIZE).length)
  expect(gone.length + rest.length).toBe(COUNT)
  expect(open).toBe(0)
})
