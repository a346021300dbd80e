import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { logFileName } from '../../src/store/log-files.ts'
import {
  goldenLogFileSize,
  goldenStore,
  GOLDEN_QUEUE_FILE_SIZE,
  unpackGolden,
  type GoldenStore,
} from '../support/golden-store.ts'
import {
  inOrder,
  logBytes,
  readQueues,
  recoverFolder,
  type ReadQueue,
} from '../support/recovered-store.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NAMES = [
  'basic',
  'rollover',
  'kill9',
  'torn-tail',
  'ipv6-v2',
  'delay-pending',
  'retry-dlq',
  'transaction',
  'lmq',
  'ha-slave',
  'ha-master',
  'delay-delivered',
  'timer',
  'pop',
  'propcrc',
  'preblank',
]

function expectedQueues({ queues }: GoldenStore): ReadQueue[] {
  return queues
    .map(({ topic, queueId, minOffset: min, maxOffset: next, units }) => ({
      topic,
      queueId,
      min,
      next,
      units: units.map(([, ...unit]) => unit.slice(0, 3) as [number, number, number]),
    }))
    .toSorted(inOrder)
}

describe.each(NAMES)('Apache’s store %s', (name) => {
  const golden = goldenStore(name)
  const logFileSize = goldenLogFileSize(name)

  function open(root: string) {
    return recoverFolder({ root, logFileSize, queueFileSize: GOLDEN_QUEUE_FILE_SIZE })
  }

  test('has the queues and the end that Apache finds', () => {
    const found = open(unpackGolden(name, tempFolder()))
    const { minPosition, end, isCut, damaged } = found
    expect({ minPosition, end, isCut, damaged }).toEqual({
      minPosition: golden.minPosition,
      end: golden.end,
      isCut: golden.recordsDropped > 0,
      damaged: 0,
    })
    expect(readQueues(found.queues)).toEqual(expectedQueues(golden))
  })

  test('holds the bytes of every message where its queue says', () => {
    const root = unpackGolden(name, tempFolder())
    open(root)
    for (const { physicalOffset, size, recordSha256 } of golden.messages) {
      const bytes = logBytes(root, logFileSize, physicalOffset).subarray(0, size)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(recordSha256)
    }
  })

  test('reads as zeros behind its end, and has no file there', () => {
    const root = unpackGolden(name, tempFolder())
    const { end } = open(root)
    const tail = logBytes(root, logFileSize, end)
    expect(tail.length).toBe(logFileSize - (end % logFileSize))
    expect(tail.equals(Buffer.alloc(tail.length))).toBe(true)
    const last = logFileName(end - (end % logFileSize))
    expect(readdirSync(join(root, 'commitlog')).toSorted().at(-1)).toBe(last)
  })

  test('is found the same by a second recovery, which adds nothing after a clean stop', () => {
    const root = unpackGolden(name, tempFolder())
    const first = open(root)
    const [queues, { end }] = [readQueues(first.queues), first]
    rmSync(join(root, 'abort'), { force: true })
    const second = open(root)
    expect(second).toMatchObject({ end, dispatched: 0, isCut: false, damaged: 0 })
    expect(readQueues(second.queues)).toEqual(queues)
  })
})

describe.each(NAMES)('the log of Apache’s store %s', (name) => {
  const golden = goldenStore(name)
  const logFileSize = goldenLogFileSize(name)

  test('alone is enough to build its queues again', () => {
    const root = unpackGolden(name, tempFolder())
    for (const entry of readdirSync(root)) {
      if (entry !== 'commitlog') rmSync(join(root, entry), { recursive: true })
    }
    const sizes = { logFileSize, queueFileSize: GOLDEN_QUEUE_FILE_SIZE }
    const found = recoverFolder({ root, ...sizes, hasLightQueues: true })
    expect(readQueues(found.queues)).toEqual(expectedQueues(golden))
    expect(found.end).toBe(golden.end)
  })
})

// Queues of the batch kind are left as they are; entries with an address of an extension are kept.
describe.each(['batchcq', 'cqext'])('Apache’s store %s', (name) => {
  const golden = goldenStore(name)

  test('opens, with its end and every message, and keeps files that we do not write', () => {
    const root = unpackGolden(name, tempFolder())
    const folder = name === 'batchcq' ? 'batchconsumequeue' : 'consumequeue_ext'
    const before = filesBelow(join(root, folder))
    const sizes = { logFileSize: 65_536, queueFileSize: GOLDEN_QUEUE_FILE_SIZE }
    const { end, isCut, damaged } = recoverFolder({ root, ...sizes })
    expect({ end, isCut, damaged }).toEqual({ end: golden.end, isCut: false, damaged: 0 })
    expect(filesBelow(join(root, folder))).toEqual(before)
  })
})

test('entries that lead to an extension lead to their messages, too', () => {
  const root = unpackGolden('cqext', tempFolder())
  const sizes = { logFileSize: 65_536, queueFileSize: GOLDEN_QUEUE_FILE_SIZE }
  const places = ([position, length]: number[]) => [position, length]
  const found = readQueues(recoverFolder({ root, ...sizes }).queues)
  const expected = expectedQueues(goldenStore('cqext'))
  expect(found.map(({ units }) => units.map(places))).toEqual(
    expected.map(({ units }) => units.map(places)),
  )
})

function filesBelow(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(paths.map((path) => [path, readFileSync(path)]))
}

test('a store without a log has no queues either', () => {
  const root = unpackGolden('basic', tempFolder())
  rmSync(join(root, 'commitlog'), { recursive: true })
  const sizes = { logFileSize: 65_536, queueFileSize: GOLDEN_QUEUE_FILE_SIZE }
  expect(recoverFolder({ root, ...sizes })).toMatchObject({ end: 0, queues: [] })
  expect(existsSync(join(root, 'consumequeue'))).toBe(false)
})
