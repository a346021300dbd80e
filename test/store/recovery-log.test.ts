import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UNIT_LENGTH } from '../../src/store/consume-queue.ts'
import { logFileName, StoreError } from '../../src/store/log-files.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { logBytes } from '../support/recovered-store.ts'
import { FILE, someStore, TestStore, UNITS_PER_FILE } from '../support/test-store.ts'

describe('the end of the log', () => {
  test('is behind the last message, wherever that is cut off', () => {
    const store = new TestStore()
    store.log.addMany(3)
    const last = store.log.add({ body: 'the last one', properties: 'TAGS\u0001A\u0002' })
    for (let length = 0; length < last.bytes.length; length += 5) {
      const torn = Buffer.alloc(last.bytes.length)
      last.bytes.copy(torn, 0, 0, length)
      store.log.overwrite(last.position, torn)
      store.log.write(store.logDirectory)
      rmSync(join(store.root, 'consumequeue'), { recursive: true, force: true })
      // The end of the properties is under no checksum: zeros there are not seen (Apache neither).
      const isSeen =
        last.bytes.subarray(length).some((byte) => byte !== 0) && length < last.bytes.length - 7
      const { end } = store.recover()
      if (isSeen) expect([length, end]).toEqual([length, last.position])
    }
  })

  test('is before a message of which a byte of the body is wrong, unless nobody wants checksums', () => {
    const store = new TestStore()
    store.log.addMany(3)
    const last = store.log.add({ body: 'the last one' })
    store.log.overwrite(last.position + 90, Buffer.from('X'))
    store.log.write(store.logDirectory)
    const copy = `${store.root}-copy`
    cpSync(store.root, copy, { recursive: true })
    expect(store.recover()).toMatchObject({ end: last.position, isCut: true })
    expect(store.recover({ root: copy, checkCrc: false })).toMatchObject({ end: store.log.end })
    rmSync(copy, { recursive: true })
  })

  test('is before a message that says it stands elsewhere', () => {
    const store = new TestStore()
    const [, copied] = store.log.addMany(3)
    const { position } = store.log.add()
    store.log.overwrite(position, copied!.bytes)
    store.log.write(store.logDirectory)
    expect(store.recover().end).toBe(position)
  })

  test('behind which everything reads as zeros, and a second recovery changes nothing', () => {
    const store = someStore()
    const { end, fileSize } = store.log
    store.log.overwrite(end, Buffer.alloc(FILE - (end % FILE), 0xab))
    store.log.write(store.logDirectory)
    expect(store.recover()).toMatchObject({ end, isCut: true })
    const tail = logBytes(store.root, fileSize, end)
    expect(tail.equals(Buffer.alloc(tail.length))).toBe(true)
    expect(store.recover()).toMatchObject({ end, isCut: false, dispatched: 0 })
  })

  test('may lie at the end of a file, before one that holds nothing yet', () => {
    const store = new TestStore()
    const { length } = store.log.add().bytes
    while (store.log.end < FILE - 2 * length) store.log.add()
    const left = FILE - store.log.end
    const last = store.log.add({ body: Buffer.alloc(left - 8 - length + 'body'.length) })
    expect(last.position + last.bytes.length).toBe(FILE - 8)
    store.log.add() // puts the blank
    store.log.overwrite(FILE, Buffer.alloc(length))
    store.log.write(store.logDirectory)
    expect(store.recover().end).toBe(FILE)
    expect(readdirSync(store.logDirectory)).toEqual([logFileName(0)])
    expect(store.recover().end).toBe(FILE)
  })

  test('is not moved by a file made ahead, of full length or of none', () => {
    for (const length of [FILE, 0]) {
      const store = someStore()
      store.log.write(store.logDirectory)
      const ahead = join(store.logDirectory, logFileName(Math.ceil(store.log.end / FILE) * FILE))
      writeFileSync(ahead, Buffer.alloc(length))
      store.expectWhole(store.recover())
      expect(existsSync(ahead)).toBe(false)
    }
  })

  test('of no log at all, or of an empty one, is its beginning', () => {
    const store = new TestStore()
    expect(store.recover()).toMatchObject({ end: 0, minPosition: 0, timestamp: 0, queues: [] })
    writeFileSync(join(store.logDirectory, logFileName(0)), Buffer.alloc(FILE))
    expect(store.recover()).toMatchObject({ end: 0, minPosition: 0, timestamp: 0, queues: [] })
    expect(readdirSync(store.logDirectory)).toEqual([logFileName(0)])
  })

  test('is found behind messages longer than a piece that is read at once', () => {
    const store = new TestStore(new LogBuilder({ fileSize: 12 * 1024 * 1024 }))
    store.log.addMany(3, (nth) => ({ body: Buffer.alloc(nth * 300_000) }))
    store.log.add({ body: Buffer.alloc(5 * 1024 * 1024, 7) })
    store.log.addMany(3)
    store.log.write(store.logDirectory)
    store.expectWhole(store.recover())
  })

  test('comes with the time of the last message', () => {
    const store = someStore().writeAll()
    const timestamp = store.log.records.at(-1)!.storeTimestamp
    expect(store.recover().timestamp).toBe(timestamp)
    expect(store.stopCleanly().recover().timestamp).toBe(timestamp)
  })
})

describe('a folder that is not as it must be', () => {
  function refusal(store: TestStore): string {
    try {
      store.recover()
    } catch (error) {
      expect(error).toBeInstanceOf(StoreError)
      return (error as Error).message
    }
    return 'opened'
  }

  test('is refused with the name of the log file of another size', () => {
    for (const size of [1, FILE - 1, FILE + 1]) {
      const store = someStore().writeAll()
      truncateSync(join(store.logDirectory, logFileName(FILE)), size)
      expect(refusal(store)).toContain(join(store.logDirectory, logFileName(FILE)))
      expect(refusal(store)).toContain(`${size} bytes`)
    }
  })

  test('is refused when a log file that is not the last is empty', () => {
    const store = someStore().writeAll()
    truncateSync(join(store.logDirectory, logFileName(0)), 0)
    expect(refusal(store)).toContain(logFileName(0))
  })

  test('is refused with the name of the log file that is missing', () => {
    const store = someStore().writeAll()
    rmSync(join(store.logDirectory, logFileName(FILE)))
    expect(refusal(store)).toContain(`${logFileName(FILE)} is missing`)
  })

  test.each(['backup', '00000000000000004097', '4096', '00000000000000000000.tmp'])(
    'is refused with the name of the foreign file %s',
    (name) => {
      const store = someStore().writeAll()
      writeFileSync(join(store.logDirectory, name), '')
      expect(refusal(store)).toContain(join(store.logDirectory, name))
    },
  )

  test('is refused with the name of the queue file of another size or name', () => {
    const store = someStore().writeAll()
    const path = store.queueFile('Topic', 1)
    truncateSync(path, 100)
    expect(refusal(store)).toContain(`${path} has 100 bytes`)
    truncateSync(path, UNITS_PER_FILE * UNIT_LENGTH)
    writeFileSync(`${path}x`, '')
    expect(refusal(store)).toContain(`${path}x`)
  })

  test('is opened when all that is strange are folders', () => {
    const store = someStore().writeAll()
    mkdirSync(join(store.logDirectory, 'lost+found'))
    for (const name of ['x', '-1', '01']) mkdirSync(join(store.root, 'consumequeue', 'Topic', name))
    store.expectWhole(store.recover())
  })
})
