import { readSafeInt64, writeSafeInt64 } from '../base/bytes.ts'

/** Bytes of one timer in the timer log (Apache 5.3.3, TimerLog). */
export const TIMER_UNIT_LENGTH = 52

/** Bits of a unit. */
export const TimerMagic = {
  DEFAULT: 1,
  /** Its time is further away than the wheel looks: it is put in once more. */
  ROLL: 2,
  /** Deletes another one of the same slot. */
  DELETE: 4,
} as const
const MAGIC_BITS = 0xf

/**
 *    0       4           12      16        24      28           36     40           44
 *    | 52    | previous  | magic | written | delay | position   | size | topic hash | 0       |
 *      i32     i64         i32     i64       i32     i64          i32    i32          i64
 *
 * Big-endian. `previous` is the unit before this one in its slot, -1 without one.
 */
export interface TimerUnit {
  previous: number
  magic: number
  /** When it was put in, ms, a multiple of the precision. */
  writtenMs: number
  /** From there to `storedMs`, see timer-time.ts. */
  delayMs: number
  /** Of the message, and its length, in the log. */
  position: number
  length: number
  /** Java's hash of the topic it is for. */
  topicHash: number
}

export function newTimerUnit(): TimerUnit {
  return {
    previous: -1,
    magic: 0,
    writtenMs: 0,
    delayMs: 0,
    position: 0,
    length: 0,
    topicHash: 0,
  }
}

export function writeTimerUnit(view: DataView, at: number, unit: TimerUnit): void {
  view.setInt32(at, TIMER_UNIT_LENGTH)
  writeSafeInt64(view, at + 4, unit.previous)
  view.setInt32(at + 12, unit.magic)
  writeSafeInt64(view, at + 16, unit.writtenMs)
  view.setInt32(at + 24, unit.delayMs)
  writeSafeInt64(view, at + 28, unit.position)
  view.setInt32(at + 36, unit.length)
  view.setInt32(at + 40, unit.topicHash)
  writeSafeInt64(view, at + 44, 0)
}

/** False: no unit stands there. */
export function readTimerUnit(unit: TimerUnit, view: DataView, at: number): boolean {
  unit.previous = readSafeInt64(view, at + 4)
  unit.magic = view.getInt32(at + 12)
  unit.writtenMs = readSafeInt64(view, at + 16)
  unit.delayMs = view.getInt32(at + 24)
  unit.position = readSafeInt64(view, at + 28)
  unit.length = view.getInt32(at + 36)
  unit.topicHash = view.getInt32(at + 40)
  const isUnit = view.getInt32(at) === TIMER_UNIT_LENGTH && (unit.magic | MAGIC_BITS) === MAGIC_BITS
  return isUnit && unit.position >= 0 && unit.length > 0 && unit.writtenMs + unit.delayMs >= 0
}
