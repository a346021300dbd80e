import { describe, expect, test } from 'vitest'
import { PoisonedError } from '../../src/ring/poison.ts'
import { allocateLogMemory, Fault, LogShared, Thread } from '../../src/store/log-memory.ts'

const THREADS = 6

function newShared(thread: number = Thread.MAIN): LogShared {
  const options = { windowSize: 256, slack: 64, threads: THREADS, rows: 2 }
  return new LogShared(allocateLogMemory(options), thread)
}

function other({ memory }: LogShared, thread: number): LogShared {
  return new LogShared(memory, thread)
}

describe('shared memory of the log', () => {
  test('has a place of its own for every word', () => {
    const shared = newShared()
    const positions = [
      shared.appended,
      shared.storeTimestamp,
      shared.verified,
      shared.written,
      shared.writtenTimestamp,
      shared.flushed,
      shared.created,
      shared.minPosition,
      shared.dispatched,
      shared.dispatchedTimestamp,
      shared.replicated,
    ]
    for (const [nth, position] of positions.entries()) position.publish((nth + 1) * 2 ** 33 + nth)
    expect(positions.map((position) => position.value())).toEqual(
      positions.map((_, nth) => (nth + 1) * 2 ** 33 + nth),
    )
    expect([shared.fault(), shared.isStopped(), shared.poison.isSet()]).toEqual([0, false, false])
  })

  test('starts with everything in files and nothing in the window', () => {
    const shared = newShared()
    shared.start(5000, { minPosition: 1000, timestamp: 77 })
    const { appended, written, flushed, dispatched, minPosition } = shared
    const values = [appended, written, flushed, dispatched].map((position) => position.value())
    expect(values).toEqual([5000, 5000, 5000, 5000])
    expect(minPosition.value()).toBe(1000)
    expect(shared.floor.guard(4999)).toBe(false)
    expect(shared.floor.guard(5000)).toBe(true)
  })

  test('keeps a fence, and lets want of space come and go', () => {
    const shared = newShared()
    for (const fault of [Fault.NO_SPACE, Fault.NONE, Fault.FENCED]) {
      shared.setFault(fault)
      expect(shared.fault()).toBe(fault)
    }
    shared.setFault(Fault.NONE)
    expect(shared.fault()).toBe(Fault.FENCED)
  })

  test('wakes those who wait for flushed, once', () => {
    const shared = newShared(Thread.FLUSH)
    const waiting = other(shared, Thread.NETWORK)
    const busy = other(shared, Thread.NETWORK + 1)
    const before = [waiting.signal.seen(), busy.signal.seen()]
    waiting.setWaiting(true)
    shared.wakeWaiting()
    const once = waiting.signal.seen()
    expect(once).not.toBe(before[0])
    shared.wakeWaiting()
    expect([waiting.signal.seen(), busy.signal.seen()]).toEqual([once, before[1]])
  })

  test('knows whether any network worker holds pulls', () => {
    const shared = newShared(Thread.DISPATCH)
    const worker = other(shared, Thread.NETWORK + 1)
    expect(shared.isAnyoneHolding()).toBe(false)
    worker.setHolding(true)
    expect(shared.isAnyoneHolding()).toBe(true)
    worker.setHolding(false)
    expect(shared.isAnyoneHolding()).toBe(false)
  })

  test('tells how far each thread has applied what main published', () => {
    const shared = newShared()
    shared.publishMetadataVersion(7)
    const worker = other(shared, Thread.NETWORK)
    worker.publishApplied(worker.metadataVersion())
    expect([shared.appliedBy(Thread.NETWORK), shared.appliedBy(Thread.DISPATCH)]).toEqual([7, 0])
  })
})

describe('a wait for a file', () => {
  test('ends at once when it is there, and after its time when nobody makes it', () => {
    const shared = newShared()
    shared.publishCreated(100)
    expect(shared.awaitCreated(100, Infinity)).toBe(true)
    expect(shared.awaitCreated(101, 20)).toBe(false)
  })

  test('ends when a thread broke', () => {
    const shared = newShared()
    shared.poison.setBy(Thread.FLUSH)
    expect(() => shared.awaitCreated(1, 1000)).toThrow(PoisonedError)
  })
})

describe('a lock', () => {
  test('is not had once a thread broke', () => {
    const shared = newShared()
    shared.appendLock.acquire()
    shared.appendLock.release()
    shared.poison.setBy(Thread.DISPATCH)
    expect(() => shared.appendLock.acquire()).toThrow('thread 2 failed')
    expect(() => shared.writeLock.acquire()).toThrow(PoisonedError)
  })

  test('that a broken thread holds is not waited for', () => {
    const shared = newShared()
    shared.appendLock.acquire()
    shared.poison.setBy(Thread.DISPATCH)
    expect(() => other(shared, Thread.FLUSH).appendLock.acquire()).toThrow(PoisonedError)
  })

  test('the first thread that broke is the one that is named', () => {
    const shared = newShared()
    expect([shared.poison.setBy(3), shared.poison.setBy(4)]).toEqual([true, false])
    expect(() => shared.poison.check()).toThrow('thread 3 failed')
  })
})
