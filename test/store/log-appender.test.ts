import { describe, expect, test } from 'vitest'
import { AppendStatus } from '../../src/store/log-appender.ts'
import { BLANK_LENGTH, BLANK_MAGIC } from '../../src/store/log-record.ts'
import { SMALL_WINDOW, SmallLog } from './small-log.ts'

describe('an append', () => {
  test('takes the next position and the next offsets of its queue', () => {
    const log = new SmallLog({ start: 100 })
    expect(log.append(20)).toMatchObject({ position: 100, queueOffset: 0 })
    expect(log.append(30, { count: 3 })).toMatchObject({ position: 120, queueOffset: 1 })
    expect(log.append(10, { row: 1 })).toMatchObject({ position: 150, queueOffset: 0 })
    expect(log.append(10)).toMatchObject({ position: 160, queueOffset: 4 })
    expect(log.shared.appended.value()).toBe(170)
    expect(log.shared.rows.next(0)).toBe(5)
  })

  test('never lets time go back', () => {
    const log = new SmallLog()
    const at = (now: number) => {
      log.now = now
      return log.append(10).storeTimestamp
    }
    expect([5000, 4000, 5000, 5001].map(at)).toEqual([5000, 5000, 5000, 5001])
  })

  test('is readable at its wrapped place when it straddles the window end', () => {
    const log = new SmallLog({ start: SMALL_WINDOW - 10 })
    const { position } = log.append(40, { fill: 5 })
    expect([...log.windowBytes(position, 40)]).toEqual(Array(40).fill(5))
  })

  test('leaves the log as it was when there is no room', () => {
    const log = new SmallLog()
    log.append(100)
    log.append(100)
    const before = [log.shared.appended.value(), log.shared.rows.next(0)]
    expect(log.append(100).status).toBe(AppendStatus.NO_ROOM)
    expect([log.shared.appended.value(), log.shared.rows.next(0)]).toEqual(before)
    log.writer.write()
    expect(log.append(100).status).toBe(AppendStatus.OK)
  })

  test('waits for its file, and says so when nobody makes it', () => {
    const log = new SmallLog({ fileSize: 200, files: 1 })
    log.append(100)
    log.writer.write()
    expect(log.append(100).status).toBe(AppendStatus.NO_FILE)
    log.files.create(200)
    log.shared.publishCreated(400)
    expect(log.append(100)).toMatchObject({ status: AppendStatus.OK, position: 200 })
  })
})

describe('a file ends with a blank record', () => {
  test('of at least eight bytes: a record that leaves them stays', () => {
    const log = new SmallLog({ fileSize: 200 })
    log.append(92)
    expect(log.append(100).position).toBe(92)
    expect(log.append(10).position).toBe(200)
    expect(blankAt(log, 192)).toEqual({ length: 8, magic: BLANK_MAGIC })
  })

  test('of zeros behind its head: a record that leaves less goes into the next file', () => {
    const log = new SmallLog({ fileSize: 200 })
    log.append(92, { fill: 1 })
    log.writer.write()
    expect(log.append(101).position).toBe(200)
    expect(blankAt(log, 92)).toEqual({ length: 108, magic: BLANK_MAGIC })
    expect(log.windowBytes(100, 100).every((byte) => byte === 0)).toBe(true)
  })

  test.each(Array.from({ length: BLANK_LENGTH }, (_, over) => over))(
    'of which %i bytes lie behind the window end, contiguous and wrapped',
    (over) => {
      const log = new SmallLog({ fileSize: 300, start: 170 })
      log.append(78 + over)
      log.writer.write()
      log.append(80)
      const position = 248 + over
      const blank = { length: 300 - position, magic: BLANK_MAGIC }
      expect(blankAt(log, position)).toEqual(blank)
      const index = log.window.index(position)
      const { view } = log.window
      const contiguous = { length: view.getInt32(index), magic: view.getInt32(index + 4) }
      expect(contiguous).toEqual(blank)
    },
  )
})

function blankAt(log: SmallLog, position: number): { length: number; magic: number } {
  const head = log.windowBytes(position, BLANK_LENGTH)
  return { length: head.readInt32BE(0), magic: head.readInt32BE(4) }
}
