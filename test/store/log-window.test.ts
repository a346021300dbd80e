import { describe, expect, test } from 'vitest'
import { LogShared, Thread } from '../../src/store/log-memory.ts'
import { SMALL_WINDOW, SmallLog } from './small-log.ts'

const STARTS = [0, 2 ** 32 - 100, 5 * 2 ** 32 + 3]

describe('the window', () => {
  test('gives every position the address of its remainder', () => {
    const { window } = new SmallLog()
    for (const position of [0, 255, 256, 2 ** 31 + 7, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 300]) {
      expect(window.index(position)).toBe(position % SMALL_WINDOW)
    }
  })

  test('copies out across its end', () => {
    const { window } = new SmallLog()
    window.bytes.fill(1, 250, 256)
    window.bytes.fill(2, 0, 10)
    const target = Buffer.alloc(20, 9)
    window.copyOut(SMALL_WINDOW - 6, 16, target, 2)
    expect([...target]).toEqual([9, 9, ...Array(6).fill(1), ...Array(10).fill(2), 9, 9])
  })

  test('zeroes across its end and nothing else', () => {
    const { window } = new SmallLog()
    window.bytes.fill(7)
    window.zero(250, 260)
    expect([...window.bytes.subarray(248, 258)]).toEqual([7, 7, 0, 0, 0, 0, 0, 0, 7, 7])
    expect([...window.bytes.subarray(0, 6)]).toEqual([0, 0, 0, 0, 7, 7])
  })

  test('has what overruns its end at its head, too', () => {
    const { window } = new SmallLog()
    window.bytes.fill(3, 250, 262)
    window.copyOverrun(250, 12)
    expect([...window.bytes.subarray(0, 7)]).toEqual([3, 3, 3, 3, 3, 3, 0])
  })
})

describe.each(STARTS)('in a log that starts at %i, room for an append', (start) => {
  test('is there until the window is full of unwritten bytes', () => {
    const { window, shared } = new SmallLog({ start })
    expect(window.makeRoom(start + SMALL_WINDOW)).toBe(true)
    expect(window.makeRoom(start + SMALL_WINDOW + 1)).toBe(false)
    shared.written.publish(start + 60)
    expect(window.makeRoom(start + SMALL_WINDOW + 60)).toBe(true)
    expect(window.makeRoom(start + SMALL_WINDOW + 61)).toBe(false)
  })

  test('is not taken from a thread that reads there', () => {
    const { window, shared } = new SmallLog({ start })
    const reader = new LogShared(shared.memory, Thread.REPLICATE)
    shared.written.publish(start + 200)
    expect(reader.floor.guard(start + 100)).toBe(true)
    expect(window.makeRoom(start + SMALL_WINDOW + 150)).toBe(false)
    expect(window.makeRoom(start + SMALL_WINDOW + 60)).toBe(true)
    reader.floor.clear()
    expect(window.makeRoom(start + SMALL_WINDOW + 150)).toBe(true)
  })

  test('sends readers of what it takes to the file', () => {
    const { window, shared } = new SmallLog({ start })
    const reader = new LogShared(shared.memory, Thread.REPLICATE)
    shared.written.publish(start + 200)
    window.makeRoom(start + SMALL_WINDOW + 100)
    expect(reader.floor.guard(start + 99)).toBe(false)
    expect(reader.floor.guard(start + 150)).toBe(true)
  })
})
