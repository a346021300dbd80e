import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { messagesIn } from '../../src/protocol/message.ts'
import { PRE_BLANK_LENGTH } from '../../src/store/consume-queue.ts'
import { LogChunks } from '../../src/store/log-chunks.ts'
import { logFileName } from '../../src/store/log-files.ts'
import {
  PullReader,
  ReadStatus,
  type ReadRequest,
  type TransferLimits,
} from '../../src/store/pull-reader.ts'
import { UnitReader } from '../../src/store/unit-reader.ts'
import { StoreRig, type RigOptions } from '../support/store-rig.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { putUnit } from '../support/test-store.ts'

const LIMITS: TransferLimits = {
  hot: { bytes: 256 * 1024, count: 32 },
  cold: { bytes: 64 * 1024, count: 8 },
  hotBytes: 1 << 30,
}
const COLD = { ...LIMITS, hotBytes: 0 }

type Query = Partial<ReadRequest> & { topic?: string; queueId?: number }

/** A store with the reader of a network worker. */
class ReaderRig {
  readonly rig: StoreRig
  readonly reader: PullReader
  /** Positions of messages that turned out to be damaged. */
  readonly damaged: number[] = []
  readonly #queues = new Map<string, UnitReader>()

  constructor(limits = LIMITS, options: Partial<RigOptions> = {}) {
    this.rig = new StoreRig({ root: join(tempFolder(), 'store'), ...options })
    const { shared, window, files } = this.rig.network
    const chunks = new LogChunks(files, () => shared.written.value())
    this.reader = new PullReader(shared, {
      window,
      chunks,
      limits,
      onDamage: (position) => this.damaged.push(position),
    })
    this.rig.createTopic('Topic', 2)
    this.rig.createTopic('Other', 1)
  }

  send(count: number, params: (nth: number) => object = () => ({})): void {
    for (let nth = 0; nth < count; nth++) {
      this.rig.clock.time++
      this.rig.append({ body: `body ${nth}`, ...params(nth) })
      this.rig.settle()
    }
  }

  find({ topic = 'Topic', queueId = 0, ...query }: Query): PullReader {
    const key = `${topic}/${queueId}`
    const queue = this.#queues.get(key) ?? new UnitReader(this.rig.queue(topic, queueId))
    this.#queues.set(key, queue)
    const row = this.rig.row(topic, queueId)
    this.reader.find({ row, queue, offset: 0, countMax: 32, filter: null, ...query })
    return this.reader
  }

  /** As a pull does it: find, load what is on the disk only, find again, copy. */
  async pull(query: Query): Promise<{ offsets: number[]; bodies: string[]; wasHot: boolean }> {
    const wasHot = this.find(query).isAtHand()
    if (!wasHot) {
      await new Promise<void>((resolve, reject) => {
        this.reader.load((error) => (error === null ? resolve() : reject(error)))
      })
      this.find(query)
    }
    const bytes = Buffer.alloc(this.reader.length)
    expect(this.reader.copyOut(bytes, 0)).toBe(true)
    const messages = [...messagesIn(bytes)]
    expect(messages.length).toBe(this.reader.count)
    return {
      offsets: messages.map(({ queueOffset }) => queueOffset),
      bodies: messages.map(({ body }) => Buffer.from(body).toString()),
      wasHot,
    }
  }
}

describe('a look into a queue', () => {
  test.each([
    ['an empty queue', 'Other', 0, ReadStatus.NO_MESSAGE_IN_QUEUE, 0],
    ['an empty queue from elsewhere', 'Other', 9, ReadStatus.NO_MESSAGE_IN_QUEUE, 0],
    ['its end', 'Topic', 5, ReadStatus.OFFSET_OVERFLOW_ONE, 5],
    ['behind its end', 'Topic', 6, ReadStatus.OFFSET_OVERFLOW_BADLY, 5],
    ['before its beginning', 'Topic', -1, ReadStatus.OFFSET_TOO_SMALL, 0],
    ['its last message', 'Topic', 4, ReadStatus.FOUND, 5],
  ])('at %s', (_, topic, offset, status, nextOffset) => {
    const rig = new ReaderRig()
    rig.send(5)
    expect(rig.find({ topic, offset })).toMatchObject({ status, nextOffset })
  })

  test('before the beginning of a queue whose first messages are gone says where it begins', () => {
    const rig = new ReaderRig()
    rig.send(5)
    rig.rig.shared.rows.publishMin(rig.rig.row('Topic', 0), 3)
    const found = { status: ReadStatus.OFFSET_TOO_SMALL, nextOffset: 3, minOffset: 3, maxOffset: 5 }
    expect(rig.find({ offset: 1 })).toMatchObject(found)
  })

  test('at a file that is gone says where the next one begins', () => {
    const rig = new ReaderRig()
    rig.send(25)
    const { root } = rig.rig.options
    rmSync(join(root, 'consumequeue', 'Topic', '0', logFileName(0)))
    const found = { status: ReadStatus.OFFSET_FOUND_NULL, nextOffset: 10 }
    expect(rig.find({ offset: 3 })).toMatchObject(found)
  })

  test('passes over entries that stand for no message', async () => {
    const rig = new ReaderRig()
    rig.send(8)
    const { root } = rig.rig.options
    const path = join(root, 'consumequeue', 'Topic', '0', logFileName(0))
    for (const nth of [2, 3])
      putUnit(path, nth * 20, { position: 0, length: PRE_BLANK_LENGTH, tagsCode: 0 })
    expect((await rig.pull({ offset: 0 })).offsets).toEqual([0, 1])
    expect(rig.reader.nextOffset).toBe(2)
    expect((await rig.pull({ offset: 2 })).offsets).toEqual([4, 5, 6, 7])
  })
})

describe.each([
  ['recent', LIMITS, true],
  ['old', COLD, false],
])('of %s messages an answer', (_, limits, isHot) => {
  const windowSize = isHot ? 1 << 16 : 4096

  function rigOf(count: number, params?: (nth: number) => object): ReaderRig {
    const rig = new ReaderRig(limits, { windowSize, logFileSize: 5000 })
    rig.send(count, params)
    if (!isHot) rig.send(60, () => ({ topic: 'Other' })) // the window moves on
    return rig
  }

  test('holds those asked for, in order, as they are stored', async () => {
    const rig = rigOf(24, (nth) => ({ queueId: nth % 2 }))
    const { offsets, bodies, wasHot } = await rig.pull({ queueId: 1, offset: 3, countMax: 5 })
    expect(wasHot).toBe(isHot)
    expect(offsets).toEqual([3, 4, 5, 6, 7])
    expect(bodies).toEqual([7, 9, 11, 13, 15].map((nth) => `body ${nth}`))
    expect(rig.reader.nextOffset).toBe(8)
  })

  test('ends at the limits, with the file of the queue, and goes on from there', async () => {
    const rig = rigOf(70)
    const seen: number[] = []
    for (let offset = 0; offset < 70; offset = rig.reader.nextOffset) {
      const { offsets } = await rig.pull({ offset, countMax: 64 })
      expect(offsets.length).toBeLessThanOrEqual(isHot ? 32 : 8)
      seen.push(...offsets)
    }
    expect(seen).toEqual(Array.from({ length: 70 }, (_, nth) => nth))
  })

  test('holds only the tags that are wanted, and says how far it looked', async () => {
    const rig = rigOf(40, (nth) => ({ properties: `TAGS\u0001${nth % 4 === 3 ? 'B' : 'A'}\u0002` }))
    const filter = new Set([66])
    expect((await rig.pull({ offset: 0, countMax: 4, filter })).offsets).toEqual([3])
    const nothing = { status: ReadStatus.NO_MATCHED_MESSAGE, count: 0, nextOffset: 10 }
    expect(rig.find({ offset: 4, filter: new Set([1]) })).toMatchObject(nothing)
  })
})

test('the first message is always answered with, however long', async () => {
  const limits = { ...LIMITS, hot: { bytes: 100, count: 32 } }
  const rig = new ReaderRig(limits, { windowSize: 1 << 16, logFileSize: 1 << 16 })
  rig.send(3, () => ({ body: 'x'.repeat(1000) }))
  expect((await rig.pull({ offset: 1 })).offsets).toEqual([1])
})

test('messages of which some are in the window still are read together', async () => {
  const rig = new ReaderRig(LIMITS, { windowSize: 4096, logFileSize: 5000 })
  rig.send(60)
  for (let offset = 0; offset < 60; offset++) {
    const { bodies } = await rig.pull({ offset, countMax: 60 })
    expect(bodies[0]).toBe(`body ${offset}`)
  }
})

test('what was at hand may have left the window before it is copied', () => {
  const rig = new ReaderRig(LIMITS, { windowSize: 4096, logFileSize: 5000 })
  rig.send(20)
  expect(rig.find({ offset: 15 }).isAtHand()).toBe(true)
  rig.send(60, () => ({ topic: 'Other' }))
  expect(rig.reader.copyOut(Buffer.alloc(rig.reader.length), 0)).toBe(false)
})

describe('what the disk has changed', () => {
  async function rigOfOld(): Promise<ReaderRig> {
    const rig = new ReaderRig(COLD, { windowSize: 4096, logFileSize: 1 << 16 })
    rig.send(6)
    rig.send(60, () => ({ topic: 'Other' }))
    return rig
  }

  function change(rig: ReaderRig, offset: number, at: number): void {
    const unit = Buffer.alloc(20)
    rig.rig.queue('Topic', 0).read(offset, 1, unit)
    const path = join(rig.rig.options.root, 'commitlog', logFileName(0))
    const descriptor = openSync(path, 'r+')
    writeSync(descriptor, Buffer.from([0xee]), 0, 1, Number(unit.readBigInt64BE(0)) + at)
    closeSync(descriptor)
  }

  /** Again, as a pull does it, when something turned out to be damaged. */
  async function pullGood(rig: ReaderRig, offset: number): Promise<number[]> {
    for (let tries = 0; tries < 3; tries++) {
      rig.find({ offset })
      if (rig.reader.count === 0) return []
      await new Promise<void>((resolve, reject) => {
        rig.reader.load((error) => (error === null ? resolve() : reject(error)))
      })
      rig.find({ offset })
      const bytes = Buffer.alloc(rig.reader.length)
      if (!rig.reader.copyOut(bytes, 0)) continue
      return [...messagesIn(bytes)].map(({ queueOffset }) => queueOffset)
    }
    throw new Error('a pull comes to no end')
  }

  test.each([
    ['its body', 89],
    ['its length', 0],
    ['its magic', 5],
    ['its position', 33],
    ['its offset', 27],
  ])('in a message, %s, is answered to nobody: consumers pass over it', async (_, at) => {
    const rig = await rigOfOld()
    change(rig, 2, at)
    expect(await pullGood(rig, 0)).toEqual([0, 1, 3, 4, 5])
    expect(rig.damaged.length).toBe(1)
    expect(await pullGood(rig, 2)).toEqual([3, 4, 5])
    expect(rig.damaged.length).toBe(1)
  })

  test.each([
    ['behind the end of the log', { position: 1 << 40, length: 120 }],
    ['before its beginning', { position: -5, length: 120 }],
    ['to a message beyond its file', { position: 0, length: 1 << 30 }],
    ['to nothing', { position: 0, length: 0 }],
  ])('in an entry, so that it leads %s, is passed over', async (_, unit) => {
    const rig = await rigOfOld()
    const path = join(rig.rig.queue('Topic', 0).directory, logFileName(0))
    putUnit(path, 3 * 20, { ...unit, tagsCode: 0 })
    expect(await pullGood(rig, 0)).toEqual([0, 1, 2, 4, 5])
  })
})
