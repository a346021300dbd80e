import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { PRE_BLANK_LENGTH, UNIT_LENGTH } from '../../src/store/consume-queue.ts'
import { DeletedTopics } from '../../src/store/deleted-topics.ts'
import { logFileName } from '../../src/store/log-files.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { queueOf, readQueues, recoverFolder } from '../support/recovered-store.ts'
import { tempFolder } from '../support/temp-folder.ts'
import {
  FILE,
  lastEntry,
  putUnit,
  someStore,
  TestStore,
  UNITS_PER_FILE,
} from '../support/test-store.ts'

describe('a queue', () => {
  test.each([
    ['a clean stop', (store: TestStore) => store],
    ['a clean stop of our own', (store: TestStore) => store.stopCleanly()],
    ['a crash', (store: TestStore) => store.markAborted()],
    [
      'a crash with a checkpoint',
      (store: TestStore) => store.checkpoint(1_700_000_003_040).markAborted(),
    ],
  ])('whose folder is lost is built again after %s', (_, stop) => {
    const store = stop(someStore().writeAll())
    rmSync(join(store.root, 'consumequeue', 'Topic', '1'), { recursive: true })
    store.expectWhole(store.recover())
  })

  test('with messages in old files only is built again, too, after a clean stop of our own', () => {
    const store = someStore().writeAll().stopCleanly()
    rmSync(join(store.root, 'consumequeue', 'Early'), { recursive: true })
    store.expectWhole(store.recover())
  })

  test('loses the entry of a message that was cut off, and an entry cut off itself', () => {
    for (const length of [1, 10, 19]) {
      const store = someStore().writeAll()
      const { offset, path } = lastEntry(store)
      truncateSync(path, offset + length)
      truncateSync(path, UNITS_PER_FILE * UNIT_LENGTH)
      store.expectWhole(store.recover())
      store.expectWhole(store.markAborted().recover())
    }
  })

  test('gets no entry from what a crash left behind its end', () => {
    const store = someStore().writeAll()
    const { offset, path } = lastEntry(store)
    const { position, bytes } = store.log.records.at(-4)! // true, and already in the queue
    for (const unit of [
      { position, length: bytes.length, tagsCode: 0 },
      { position: store.log.end + 5, length: 100, tagsCode: 0 },
      { position: 2 ** 40, length: 100, tagsCode: 0 },
      { position: position + 1, length: 100, tagsCode: 7 },
    ]) {
      putUnit(path, offset + UNIT_LENGTH, unit)
      store.expectWhole(store.recover())
      putUnit(path, offset + UNIT_LENGTH, unit)
      putUnit(path, offset + 2 * UNIT_LENGTH, unit)
      store.expectWhole(store.markAborted().recover())
      const left = readFileSync(path).subarray(offset + UNIT_LENGTH)
      expect(left.equals(Buffer.alloc(left.length))).toBe(true)
      rmSync(join(store.root, 'abort'))
    }
  })

  test('does not take over the entry of another topic’s message with its queue and offset', () => {
    const store = new TestStore()
    store.log.addMany(4, () => ({ topic: 'Mine' }))
    store.log.addMany(5, () => ({ topic: 'Other' }))
    store.writeAll()
    const other = store.log.records.at(-1)!
    const [position, length] = other.unit
    putUnit(store.queueFile('Mine', 0), 4 * UNIT_LENGTH, { position, length, tagsCode: 0 })
    store.expectWhole(store.recover())
  })

  test('whose newest file was not given its length yet gets one of full length', () => {
    const store = someStore().writeAll()
    writeFileSync(store.queueFile('Topic', 0, 30), '')
    store.log.addMany(20, () => ({ topic: 'Topic', queueId: 0 }))
    store.log.write(store.logDirectory)
    store.expectWhole(store.recover())
    store.expectWhole(store.recover())
  })

  test('that lost entries before others in a power failure has them all again', () => {
    const store = someStore().writeAll()
    // The first file was older than the checkpoint; of the second one entries in its middle are gone.
    store.checkpoint(store.log.records[10]!.storeTimestamp + 3000).markAborted()
    for (const unit of [2, 3, 7]) {
      putUnit(store.queueFile('Topic', 0, 20), unit * UNIT_LENGTH, {
        position: 0,
        length: 0,
        tagsCode: 0,
      })
    }
    store.expectWhole(store.recover())
  })

  test('of a topic that was deleted does not come back', () => {
    for (const isLost of [true, false]) {
      const store = someStore().writeAll()
      const deleted = new DeletedTopics(systemDisk, store.root)
      deleted.add('Topic', store.log.end)
      if (isLost) rmSync(join(store.root, 'consumequeue', 'Topic'), { recursive: true })
      else expect(readQueues(store.recover().queues).map(({ topic }) => topic)).toEqual(['Early'])
      store.markAborted()
      expect(readQueues(store.recover().queues).map(({ topic }) => topic)).toEqual(['Early'])
    }
  })

  test('of a topic that was deleted and made again has only the new messages', () => {
    const store = someStore()
    const { end } = store.log
    new DeletedTopics(systemDisk, store.root).add('Topic', end)
    store.log.setNext('Topic', 0, 0)
    const made = store.log.addMany(12, () => ({ topic: 'Topic', queueId: 0 }))
    store.log.write(store.logDirectory)
    const queue = queueOf(store.recover(), 'Topic', 0)
    expect(queue).toMatchObject({ min: 0, next: 12, units: made.map(({ unit }) => unit) })
    expect(queueOf(store.markAborted().recover(), 'Topic', 0)).toEqual(queue)
  })

  test('has no entries of messages without one, and none for the offset they say', () => {
    const store = new TestStore()
    store.log.add()
    store.log.add({ sysFlag: 0x4 })
    store.log.add({ sysFlag: 0x8 })
    store.log.add({ sysFlag: 0x4 })
    store.log.write(store.logDirectory)
    const { end, queues } = store.recover()
    expect(end).toBe(store.log.end)
    const [first, , third] = store.log.records
    expect(readQueues(queues)[0]!.units).toEqual([first!.unit, third!.unit])
  })
})

describe('after our own process was killed', () => {
  const PER_FILE = 64 * 1024

  /** Some three MiB of log in small files. */
  function longStore(): TestStore {
    const store = new TestStore(new LogBuilder({ fileSize: PER_FILE }))
    const body = Buffer.alloc(3000)
    store.log.addMany(1000, (nth) => ({ topic: 'Topic', queueId: nth % 2, body }))
    return store.writeAll().markKilled()
  }

  /** Cuts a queue's files, as if its last entries had not been written. */
  function forget(store: TestStore, queueId: number, next: number): void {
    const unit = next % UNITS_PER_FILE
    const last = store.queueFile('Topic', queueId, next - unit)
    truncateSync(last, unit * UNIT_LENGTH)
    truncateSync(last, UNITS_PER_FILE * UNIT_LENGTH)
    for (const name of readdirSync(dirname(last))) {
      if (name > basename(last)) rmSync(join(dirname(last), name))
    }
  }

  test('only the last part of the log is looked at', () => {
    const store = longStore()
    // Damage that only a reader of the whole log would meet.
    store.log.overwrite(store.log.records[1]!.position + 90, Buffer.from([0xff]))
    store.log.write(store.logDirectory)
    store.expectWhole(store.recover())
  })

  test('entries that dispatch had not written yet are made', () => {
    const store = longStore()
    forget(store, 1, 400)
    const recovered = store.recover()
    expect(recovered.dispatched).toBe(100)
    store.expectWhole(recovered)
  })

  test('and another boot of the machine, the checkpoint decides', () => {
    const store = longStore().checkpoint(0)
    expect(store.recover({ boot: 'second boot' }).dispatched).toBe(1000)
  })
})

describe('a log whose first files were deleted', () => {
  function startedLate(): TestStore {
    const log = new LogBuilder({ fileSize: FILE, start: 16 * FILE })
    log.setNext('Topic', 0, 34).setNext('Topic', 1, 10)
    log.addMany(50, (nth) => ({ topic: 'Topic', queueId: nth % 2 }))
    return new TestStore(log)
  }

  test('has queues that begin with the first message that is left', () => {
    const store = startedLate().writeAll()
    for (const recovered of [store.recover(), store.markAborted().recover()]) {
      expect(queueOf(recovered, 'Topic', 0)).toMatchObject({ min: 34, next: 59 })
      expect(queueOf(recovered, 'Topic', 1)).toMatchObject({ min: 10, next: 35 })
      store.expectWhole(recovered)
      expect(recovered.minPosition).toBe(16 * FILE)
    }
  })

  test('fills the front of a queue’s first file with entries that stand for none', () => {
    const store = startedLate().writeAll()
    expect(existsSync(store.queueFile('Topic', 0, 20))).toBe(false)
    const bytes = systemDisk.readFile(store.queueFile('Topic', 0, 30))
    for (let unit = 0; unit < 4; unit++) {
      expect(bytes.readInt32BE(unit * UNIT_LENGTH + 8)).toBe(PRE_BLANK_LENGTH)
    }
  })

  test('has its queues built again from its own first file on', () => {
    const store = startedLate().writeAll()
    const second = store.log.records.find(({ position }) => position >= 17 * FILE)!
    store.checkpoint(second.storeTimestamp + 3000).markAborted()
    rmSync(join(store.root, 'consumequeue', 'Topic', '1'), { recursive: true })
    store.expectWhole(store.recover())
  })

  test('moves the beginning of a queue when more files are deleted', () => {
    const store = startedLate().writeAll()
    rmSync(join(store.logDirectory, logFileName(16 * FILE)))
    const { queues, minPosition } = store.recover()
    expect(minPosition).toBe(17 * FILE)
    for (const { topic, queueId, min } of queues) {
      const first = store.log.records.find(
        (record) =>
          record.topic === topic && record.queueId === queueId && record.position >= 17 * FILE,
      )
      expect(min).toBe(first!.queueOffset)
    }
  })

  test('leaves a queue empty at its end when all its messages are deleted', () => {
    const store = new TestStore(new LogBuilder({ fileSize: FILE }))
    store.log.addMany(4, () => ({ topic: 'Old' }))
    store.log.addMany(60, () => ({ topic: 'New' }))
    store.writeAll()
    rmSync(join(store.logDirectory, logFileName(0)))
    expect(queueOf(store.recover(), 'Old', 0)).toMatchObject({ min: 4, next: 4 })
    expect(queueOf(store.markAborted().recover(), 'Old', 0)).toMatchObject({ min: 4, next: 4 })
  })
})

test('entries that a power failure brought back are disproved by a message in the place of one', () => {
  const root = join(tempFolder(), 'store')
  const log = new LogBuilder({ fileSize: FILE, start: FILE }) // the file before is deleted
  const records = [log.add({ topic: 'Topic' }), log.add({ topic: 'Topic' })]
  log.write(join(root, 'commitlog'))
  const directory = join(root, 'consumequeue', 'Topic', '0')
  mkdirSync(directory, { recursive: true })
  const file = Buffer.alloc(UNITS_PER_FILE * UNIT_LENGTH)
  for (const [nth, position] of [10, 110, 210].entries()) {
    file.writeBigInt64BE(BigInt(position), nth * UNIT_LENGTH)
    file.writeInt32BE(100, nth * UNIT_LENGTH + 8)
  }
  writeFileSync(join(directory, logFileName(0)), file)
  writeFileSync(join(root, 'abort'), '')
  const queueFileSize = UNITS_PER_FILE * UNIT_LENGTH
  const recovered = recoverFolder({ root, logFileSize: FILE, queueFileSize })
  const { min, next, units } = queueOf(recovered, 'Topic', 0)
  expect({ min, next }).toEqual({ min: 0, next: 2 })
  expect(units.map(([position]) => position)).toEqual(records.map(({ position }) => position))
})
