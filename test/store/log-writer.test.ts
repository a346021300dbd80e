import { describe, expect, test } from 'vitest'
import type { Span } from '../../src/base/disk.ts'
import { Fault, LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import { diskError } from '../sim/sim-disk.ts'
import { SMALL_WINDOW, SmallLog } from './small-log.ts'

/** Notes what is written. */
function watch(log: SmallLog): Span[] {
  const spans: Span[] = []
  const { disk } = log
  const pwrite = disk.pwrite.bind(disk)
  disk.pwrite = (descriptor, span) => {
    spans.push(span)
    pwrite(descriptor, span)
  }
  return spans
}

describe('a write', () => {
  test('brings everything that was appended into the file, and once', () => {
    const log = new SmallLog({ start: 30 })
    log.append(50, { fill: 1 })
    log.append(20, { fill: 2 })
    const spans = watch(log)
    expect(log.writer.write()).toBe(true)
    expect(log.writer.write()).toBe(true)
    expect(spans).toHaveLength(1)
    expect([...log.fileBytes(30, 70)]).toEqual([...Array(50).fill(1), ...Array(20).fill(2)])
    expect(log.shared.written.value()).toBe(100)
  })

  test('is cut at the window end and at the file end', () => {
    const log = new SmallLog({ fileSize: 300, start: SMALL_WINDOW - 20 })
    log.append(30, { fill: 1 })
    log.append(40, { fill: 2 })
    const spans = watch(log)
    log.writer.write()
    expect(spans.map(({ offset, length, position }) => [offset, length, position])).toEqual([
      [SMALL_WINDOW - 20, 20, SMALL_WINDOW - 20],
      [0, 44, SMALL_WINDOW],
      [44, 40, 0],
    ])
    expect([...log.fileBytes(SMALL_WINDOW - 20, 30)]).toEqual(Array(30).fill(1))
    expect([...log.fileBytes(300, 40)]).toEqual(Array(40).fill(2))
  })

  test('says the time of the last record that is in the file', () => {
    const log = new SmallLog()
    log.now = 7000
    log.append(10)
    log.writer.write()
    expect(log.shared.writtenTimestamp.value()).toBe(7000)
  })

  test('that fails leaves what is below written true, and the rest unwritten', () => {
    const log = new SmallLog({ start: SMALL_WINDOW - 20 })
    const { disk } = log
    const pwrite = disk.pwrite.bind(disk)
    let isFirst = true
    disk.pwrite = (descriptor, span) => {
      if (!isFirst) throw diskError('ENOSPC')
      isFirst = false
      pwrite(descriptor, span)
    }
    log.append(50)
    expect(log.writer.write()).toBe(false)
    expect(log.shared.written.value()).toBe(SMALL_WINDOW)
    expect(log.writer.unwritten()).toBe(30)
  })
})

describe('a disk that refuses', () => {
  function refuse(code: string): SmallLog {
    const log = new SmallLog()
    const { disk } = log
    const pwrite = disk.pwrite.bind(disk)
    disk.pwrite = () => {
      throw diskError(code)
    }
    log.append(10)
    expect(log.writer.write()).toBe(false)
    disk.pwrite = pwrite
    return log
  }

  test.each(['ENOSPC', 'EDQUOT'])('for want of space (%s) is tried again', (code) => {
    const log = refuse(code)
    expect(log.shared.fault()).toBe(Fault.NO_SPACE)
    expect(log.writer.write()).toBe(true)
    expect(log.shared.fault()).toBe(Fault.NONE)
    expect(log.shared.written.value()).toBe(10)
  })

  test('and takes bytes again lets go whoever waits for them, whichever thread writes', () => {
    const log = refuse('ENOSPC')
    const other = (thread: number) => new LogShared(log.shared.memory, thread)
    const threads = [Thread.NETWORK, Thread.DISPATCH, Thread.MAIN]
    other(Thread.NETWORK).setWaiting(true)
    const before = threads.map((thread) => other(thread).signal.seen())
    const writer = new LogWriter(other(Thread.NETWORK + 1), log.window, log.files, log.disk)
    expect(writer.write()).toBe(true) // flush has nothing to try again any more
    for (const [nth, thread] of threads.entries()) {
      expect([thread, other(thread).signal.seen()]).not.toEqual([thread, before[nth]])
    }
  })

  test('for any other reason is not: nobody knows what the file holds', () => {
    const log = refuse('EIO')
    expect(log.shared.fault()).toBe(Fault.FENCED)
    expect(log.writer.write()).toBe(false)
    expect(log.shared.written.value()).toBe(0)
  })

  test('a call that makes no sense is our bug, not its fault', () => {
    const log = new SmallLog()
    log.disk.pwrite = () => {
      throw Object.assign(new RangeError('out of range'), { code: 'ERR_OUT_OF_RANGE' })
    }
    log.append(10)
    expect(() => log.writer.write()).toThrow(RangeError)
    expect(log.shared.fault()).toBe(Fault.NONE)
  })

  test('wakes flush and main', () => {
    const log = new SmallLog()
    const [flush, main] = [Thread.FLUSH, Thread.MAIN].map((thread) =>
      new LogShared(log.shared.memory, thread).signal.seen(),
    )
    log.disk.pwrite = () => {
      throw diskError('EIO')
    }
    log.append(10)
    log.writer.write()
    const seen = (thread: number) => new LogShared(log.shared.memory, thread).signal.seen()
    expect(seen(Thread.FLUSH)).not.toBe(flush)
    expect(seen(Thread.MAIN)).not.toBe(main)
  })
})

describe('a slow disk', () => {
  /** A writer of this thread, and how long each of its writes takes. */
  function slowLog(thread: number): { write: (milliseconds: number) => void; shared: LogShared } {
    const log = new SmallLog()
    const shared = new LogShared(log.shared.memory, thread)
    let now = 0
    let took = 0
    const clock = { now: () => (now += took) }
    const writer = new LogWriter(shared, log.window, log.files, log.disk, clock)
    const write = (milliseconds: number) => {
      took = milliseconds
      log.append(10)
      writer.write()
    }
    return { write, shared }
  }

  test('is one with two slow writes in a row', () => {
    const { write, shared } = slowLog(Thread.NETWORK)
    for (const milliseconds of [20, 1, 20, 1]) write(milliseconds)
    expect(shared.isStalled()).toBe(false)
    write(20)
    write(20)
    expect(shared.isStalled()).toBe(true)
  })

  test('is over after sixteen quick writes of flush, and of nobody else', () => {
    const other = slowLog(Thread.NETWORK)
    const flush = slowLog(Thread.FLUSH)
    for (const { shared } of [other, flush]) shared.setStalled(true)
    for (let nth = 0; nth < 15; nth++) for (const { write } of [other, flush]) write(1)
    expect(flush.shared.isStalled()).toBe(true)
    for (const { write } of [other, flush]) write(1)
    expect([other.shared.isStalled(), flush.shared.isStalled()]).toEqual([true, false])
  })
})
