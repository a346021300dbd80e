import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { LogChunks } from '../../src/store/log-chunks.ts'
import { logFileName, LogFiles } from '../../src/store/log-files.ts'
import { Random } from '../sim/random.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PIECE = 256 * 1024

/** A byte of the log that follows from its position. */
function byteAt(position: number): number {
  return (Math.imul(position, 0x9e3779b1) >>> 24) & 0xff
}

function expectBytes(bytes: Buffer, position: number): void {
  const expected = Buffer.from(Array.from(bytes, (_, nth) => byteAt(position + nth)))
  expect(bytes.equals(expected)).toBe(true)
}

/** A log of some files; `written` says how far it goes. */
class Log {
  readonly directory = join(tempFolder(), 'commitlog')
  readonly files: LogFiles
  readonly chunks: LogChunks
  written: number

  constructor(fileSize: number, count: number) {
    mkdirSync(this.directory)
    for (let nth = 0; nth < count; nth++) {
      const start = nth * fileSize
      const bytes = Buffer.alloc(fileSize)
      for (let i = 0; i < fileSize; i++) bytes[i] = byteAt(start + i)
      writeFileSync(join(this.directory, logFileName(start)), bytes)
    }
    this.files = new LogFiles(systemDisk, { directory: this.directory, fileSize })
    this.written = fileSize * count
    this.chunks = new LogChunks(this.files, () => this.written)
    onTestFinished(() => this.files.closeAll())
  }

  load(...ranges: [number, number][]): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      const [positions, lengths] = [ranges.map(([at]) => at), ranges.map(([, length]) => length)]
      this.chunks.load(positions, lengths, (error) => {
        if (error !== null) return reject(error)
        resolve(ranges.map(([at, length]) => this.copyOut(at, length)))
      })
    })
  }

  copyOut(position: number, length: number): Buffer {
    expect(this.chunks.missing(position, length)).toBe(-1)
    const bytes = Buffer.alloc(length + 2, 0xee)
    this.chunks.copyOut(position, length, bytes, 1)
    expect([bytes[0], bytes[length + 1]]).toEqual([0xee, 0xee])
    return bytes.subarray(1, length + 1)
  }
}

describe.each([3 * PIECE, 2 * PIECE + 4096, PIECE - 7, 1000])(
  'pieces of files of %d bytes',
  (size) => {
    test('hold the bytes of the log at every edge', async () => {
      const log = new Log(size, 3)
      for (const edge of [0, PIECE, size, 2 * size]) {
        for (const at of [edge - 3, edge, edge + 2]) {
          const position = Math.max(0, Math.min(at, 3 * size - 10))
          const [bytes] = await log.load([position, 10])
          expectBytes(bytes!, position)
        }
      }
      expectBytes((await log.load([5, 3 * size - 9]))[0]!, 5)
    })
  },
)

test('several ranges are here together', async () => {
  const log = new Log(3 * PIECE + 100, 4)
  const ranges = Array.from({ length: 12 }, (_, nth): [number, number] => [nth * PIECE + 50, 300])
  const found = await log.load(...ranges)
  for (const [nth, bytes] of found.entries()) expectBytes(bytes, ranges[nth]![0])
})

test('nothing is missing twice, and what nobody asked for is missing', async () => {
  const log = new Log(4 * PIECE, 1)
  expect(log.chunks.missing(10, 20)).toBe(10)
  await log.load([10, 20])
  expect(log.chunks.missing(10, 20)).toBe(-1)
  expect(log.chunks.missing(0, PIECE)).toBe(-1)
  expect(log.chunks.missing(PIECE - 1, 2)).toBe(PIECE)
})

test('bytes that were written after a piece was read are read again', async () => {
  const log = new Log(2 * PIECE, 1)
  log.written = 1000
  await log.load([0, 1000])
  log.written = 2000
  expect(log.chunks.missing(500, 1500)).toBe(500)
  expectBytes((await log.load([500, 1500]))[0]!, 500)
})

test('a reader that comes while a shorter piece is on its way gets its bytes, too', async () => {
  const log = new Log(2 * PIECE, 1)
  log.written = 1000
  const first = log.load([0, 1000])
  log.written = 2000
  const second = log.load([0, 2000])
  expectBytes((await first)[0]!, 0)
  expectBytes((await second)[0]!, 0)
})

test('readers with more than all pieces together come to their end', async () => {
  const log = new Log(20 * PIECE + 11, 6)
  const long = 17 * PIECE
  const at = Array.from({ length: 6 }, (_, nth) => nth * 17 * PIECE + nth * 1000)
  const found = await Promise.all(at.map((position) => log.load([position, long])))
  for (const [nth, [bytes]] of found.entries())
    expectBytes(bytes!.subarray(-5000), at[nth]! + long - 5000)
  const [whole] = await log.load([0, 110 * PIECE])
  expectBytes(whole!.subarray(109 * PIECE), 109 * PIECE)
})

test('a reader that asks again from its callback is served', async () => {
  const log = new Log(10 * PIECE, 1)
  const order: number[] = []
  await new Promise<void>((resolve, reject) => {
    const next = (nth: number): void =>
      log.chunks.load([nth * PIECE], [100], (error) => {
        order.push(nth)
        if (error !== null) reject(error)
        else if (nth === 9) resolve()
        else next(nth + 1)
      })
    next(0)
  })
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('any mixture of readers gets the bytes of the log', async () => {
  const log = new Log(3 * PIECE + 77, 12)
  const random = new Random(7)
  const reads = Array.from({ length: 200 }, async () => {
    const length = random.oneIn(20) ? 5 * PIECE : 1 + random.below(3000)
    const position = random.below(log.written - length)
    const [bytes] = await log.load([position, length])
    expectBytes(bytes!.subarray(0, 300), position)
    expectBytes(bytes!.subarray(-300), position + length - Math.min(300, length))
  })
  await Promise.all(reads)
})

test('a file that is gone, or shorter than the log, is an error for those who want it only', async () => {
  const log = new Log(2 * PIECE, 3)
  rmSync(join(log.directory, logFileName(0)))
  truncateSync(join(log.directory, logFileName(2 * PIECE)), 100)
  const gone = log.load([100, 100])
  const both = log.load([4 * PIECE, 100], [2 * PIECE, 300])
  const good = log.load([4 * PIECE, 100])
  await expect(gone).rejects.toThrow('ENOENT')
  await expect(both).rejects.toThrow(`${logFileName(2 * PIECE)} is shorter than the log`)
  expectBytes((await good)[0]!, 4 * PIECE)
})

test('no file may be closed while a piece of it is being read', async () => {
  const log = new Log(2 * PIECE, 2)
  const loaded = log.load([2 * PIECE, 10])
  expect(log.chunks.forgetBelow(2 * PIECE)).toBe(true)
  expect(log.chunks.forgetBelow(4 * PIECE)).toBe(false)
  await loaded
  expect(log.chunks.forgetBelow(4 * PIECE)).toBe(true)
})

test('pieces of deleted files are forgotten', async () => {
  const log = new Log(2 * PIECE, 2)
  await log.load([0, 10], [2 * PIECE, 10])
  expect(log.chunks.forgetBelow(2 * PIECE)).toBe(true)
  expect(log.chunks.missing(0, 10)).toBe(0)
  expect(log.chunks.missing(2 * PIECE, 10)).toBe(-1)
})
