import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PRE_BLANK_LENGTH } from '../../src/store/consume-queue.ts'
import { LogBuilder } from '../support/log-builder.ts'
import { queueOf } from '../support/recovered-store.ts'
import { FILE, someStore, TestStore, TOTAL } from '../support/test-store.ts'

describe('a checkpoint', () => {
  test.each([
    ['that is missing', null],
    ['that is short', Buffer.alloc(39, 1)],
    ['of zeros', Buffer.alloc(4096)],
    ['of ones', Buffer.alloc(4096, 0xff)],
    ['far ahead', Buffer.alloc(4096, 0x11)],
    ['of noise', Buffer.from(Array.from({ length: 4096 }, (_, nth) => (nth * 7919) % 251))],
  ])('%s makes recovery longer, not wrong', (_, content) => {
    for (const isLost of [false, true]) {
      const store = someStore().writeAll().markAborted()
      if (content !== null) writeFileSync(join(store.root, 'checkpoint'), content)
      if (isLost) rmSync(join(store.root, 'consumequeue'), { recursive: true })
      store.expectWhole(store.recover())
    }
  })

  test('lets recovery begin with the last file that it covers', () => {
    const store = someStore().writeAll()
    const timestamp = store.log.records.at(-1)!.storeTimestamp
    const withoutOne = store.markAborted().recover().dispatched
    const { dispatched } = store.checkpoint(timestamp + 2999).recover()
    expect(withoutOne).toBe(TOTAL)
    expect(dispatched).toBeGreaterThan(0)
    expect(dispatched).toBeLessThan(30)
    expect(store.checkpoint(timestamp - 1).recover().dispatched).toBe(TOTAL)
  })
})

describe('damage in the middle of the log', () => {
  /** A flushed store with a wrong byte in the body of the nth message. */
  function damaged(nth: number, at = 90): TestStore {
    const store = someStore().writeAll()
    const record = store.log.records[nth]!
    store.log.overwrite(record.position + at, Buffer.from([~record.bytes[at]!]))
    store.log.write(store.logDirectory)
    return store.checkpoint(store.log.records.at(-1)!.storeTimestamp)
  }

  test.each([4, 5, 6, 8, 22, 30, 88, 91])(
    'at byte %d of a message costs that message only',
    (at) => {
      const store = damaged(40, at)
      rmSync(join(store.root, 'consumequeue'), { recursive: true })
      const recovered = store.recover()
      const lost = store.log.records[40]!
      const isSeen = ![22, 30].includes(at) || recovered.damaged > 0
      if (isSeen && at !== 22) expect(recovered.damaged).toBe(lost.bytes.length)
      expect(recovered).toMatchObject({ end: store.log.end, isCut: false })
      const { units } = queueOf(recovered, lost.topic, lost.queueId)
      const expected = store.log.unitsOf(lost.topic, lost.queueId)
      expected[lost.queueOffset] = [0, PRE_BLANK_LENGTH, 0]
      expect(units).toEqual(expected)
    },
  )

  test('takes the entry of a message that nobody could decode', () => {
    const store = damaged(TOTAL - 5)
    const lost = store.log.records[TOTAL - 5]!
    const { queues } = store.recover()
    const expected = store.log.unitsOf(lost.topic, lost.queueId)
    expected[lost.queueOffset] = [0, PRE_BLANK_LENGTH, 0]
    expect(queueOf({ queues }, lost.topic, lost.queueId).units).toEqual(expected)
    expect(store.recover().damaged).toBe(lost.bytes.length)
  })

  test('is passed over after a crash, when the checkpoint says that later messages were flushed', () => {
    for (const nth of [0, 30, 61]) {
      const store = damaged(nth).markAborted()
      const recovered = store.recover()
      expect(recovered.end).toBe(store.log.end)
      expect(recovered.queues.reduce((sum, { next }) => sum + next, 0)).toBe(TOTAL)
    }
  })

  test('is the end when nothing says that what is behind was flushed', () => {
    const store = damaged(61).markAborted().checkpoint(store61())
    expect(store.recover()).toMatchObject({
      end: store.log.records[61]!.position,
      isCut: true,
      damaged: 0,
    })
  })

  function store61(): number {
    return someStore().log.records[60]!.storeTimestamp
  }

  test('does not make queues that are built again lose what is behind it', () => {
    const store = damaged(5).checkpoint(0)
    rmSync(join(store.root, 'consumequeue', 'Topic', '1'), { recursive: true })
    const recovered = store.recover()
    expect(recovered.end).toBe(store.log.end)
    expect(queueOf(recovered, 'Topic', 1).next).toBe((TOTAL - 3) / 2)
  })

  test('of a whole file costs the messages of that file', () => {
    const store = someStore().writeAll()
    store.checkpoint(store.log.records.at(-1)!.storeTimestamp)
    store.log.overwrite(FILE, Buffer.alloc(FILE, 0xda))
    store.log.write(store.logDirectory)
    store.markAborted()
    const recovered = store.recover()
    expect(recovered).toMatchObject({ end: store.log.end, isCut: false })
    expect(recovered.damaged).toBeGreaterThanOrEqual(FILE)
  })

  test.each([
    ['offset', 20, 2 ** 40],
    ['queue', 12, 2 ** 31],
  ])('that gives a message an impossible %s leaves it without entry', (_, at, value) => {
    const store = someStore()
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(BigInt(value) << (at === 12 ? 32n : 0n))
    store.log.overwrite(
      store.log.records.at(-1)!.position + at,
      bytes.subarray(0, at === 12 ? 4 : 8),
    )
    store.log.write(store.logDirectory)
    const recovered = store.recover()
    expect(recovered.end).toBe(store.log.end)
    expect(recovered.queues.reduce((sum, { next }) => sum + next, 0)).toBe(TOTAL - 1)
  })

  test.each(['../..', '..', '.', 'a/b', 'a\0b', '/etc', 'x'.repeat(120)])(
    'cannot make a topic %j of the store',
    (topic) => {
      const store = someStore()
      store.log.add({ topic })
      store.log.write(store.logDirectory)
      const before = readdirSync(join(store.root, '..')).length
      const recovered = store.recover()
      expect(recovered.end).toBe(store.log.end)
      expect(recovered.queues.length).toBe(topic.startsWith('x') ? 4 : 3)
      expect(readdirSync(join(store.root, '..')).length).toBe(before)
    },
  )
})

describe('after our own process was killed', () => {
  function bigStore(): TestStore {
    const store = new TestStore(new LogBuilder({ fileSize: 1 << 21 }))
    store.log.addMany(400, (nth) => ({ queueId: nth % 2, body: 'x'.repeat(4000) }))
    return store.writeAll().markKilled()
  }

  test('only the newest part of the log is read: what is older is as it was written', () => {
    const store = bigStore()
    const [old] = store.log.records
    store.log.overwrite(old!.position + 100, Buffer.from('y'))
    store.log.write(store.logDirectory)
    const recovered = store.recover()
    expect(recovered).toMatchObject({ end: store.log.end, damaged: 0, dispatched: 0 })
    expect(recovered.timestamp).toBe(store.log.records.at(-1)!.storeTimestamp)
    store.expectWhole(recovered)
  })

  test('a torn message is cut off, and entries that the newest part lacks are made', () => {
    const store = bigStore()
    const last = store.log.records.at(-1)!
    store.log.overwrite(last.position + 200, Buffer.alloc(last.bytes.length - 200))
    store.log.write(store.logDirectory)
    const recovered = store.recover()
    expect(recovered).toMatchObject({ end: last.position, isCut: true })
    expect(queueOf(recovered, 'Topic', 1).next).toBe(199)
  })
})

describe('a clean stop of our own', () => {
  test('is believed: nothing is read but the end', () => {
    const store = someStore().writeAll().stopCleanly()
    // Damage that only a reader of the whole last file would meet.
    const record = store.log.records.at(-2)!
    store.log.overwrite(record.position + 90, Buffer.from([0xff]))
    store.log.write(store.logDirectory)
    store.expectWhole(store.recover())
  })

  test('is not believed when Apache has written to the store since', () => {
    const store = someStore().writeAll().stopCleanly()
    store.log.addMany(5, () => ({ topic: 'Topic', queueId: 1 }))
    store.log.write(store.logDirectory)
    store.expectWhole(store.recover())
    store.expectWhole(store.recover())
  })

  test.each(['', '{', '{"end":1}', 'null', '{"end":-1,"timestamp":0,"queues":0,"entries":0}'])(
    'that says %j is not believed',
    (text) => {
      const store = someStore().writeAll()
      writeFileSync(join(store.root, 'ringmq-clean-stop'), text)
      store.expectWhole(store.recover())
    },
  )

  test('is not believed after a crash', () => {
    const store = someStore().writeAll().stopCleanly().markAborted()
    store.log.addMany(5, () => ({ topic: 'Topic', queueId: 1 }))
    store.log.write(store.logDirectory)
    store.expectWhole(store.recover())
  })
})
