import { read } from 'node:fs'
import { viewOf } from '../base/bytes.ts'
import { javaHashCode } from '../base/java-hash.ts'
import type { TimerFiles } from '../store/timer-files.ts'
import { dueTime, slotBegin, storedTime } from '../store/timer-time.ts'
import {
  newTimerUnit,
  readTimerUnit,
  TIMER_UNIT_LENGTH,
  TimerMagic,
  type TimerUnit,
} from '../store/timer-unit.ts'
import { type DueTimer, TimerHeap } from './timer-heap.ts'
import type { TimedMessage } from './timer-message.ts'

/** Slots are taken into memory so long before they begin. */
const LEAD_MS = 1000
/** Chains are read backwards in pieces of about this length. */
const PIECE_LENGTH = 315 * TIMER_UNIT_LENGTH
/** What was put in last is in the page cache, so that waiting for it costs more than reading it. */
const HOT_BYTES = 64 * 1024 * 1024
/** Ticks that one look ahead covers. */
const LOOK_TICKS = 2000

/** Reads off the event loop: bytes read. */
export type ReadLater = (
  descriptor: number,
  buffer: Buffer,
  length: number,
  position: number,
) => Promise<number>

export const readLater: ReadLater = (descriptor, buffer, length, position) =>
  new Promise((resolve, reject) => {
    read(descriptor, buffer, 0, length, position, (error, count) =>
      error === null ? resolve(count) : reject(error),
    )
  })

export interface TimerBookOptions {
  precisionMs: number
  /** What is further away than so many slots is put in for an earlier one, and then once more. */
  rollSlots: number
  readLater: ReadLater
}

/** All timers: those of slots that are near in memory, the others on the disk. */
export class TimerBook {
  readonly heap = new TimerHeap()
  readonly #files: TimerFiles
  readonly #options: TimerBookOptions
  /** Slots below it are in the heap. */
  #loadedTick = 0
  #readMs = 0

  constructor(files: TimerFiles, options: TimerBookOptions) {
    this.#files = files
    this.#options = options
  }

  /** Whatever was due up to then is done with. */
  get readMs(): number {
    return this.#readMs
  }

  /** Slots are taken into memory from there on. */
  begin(readMs: number): void {
    this.#readMs = readMs
    this.#loadedTick = this.#tickOf(readMs)
  }

  /** Whether the wheel has room for its slot: it goes round once in so many slots. */
  hasRoomFor({ outMs }: TimedMessage, now: number): boolean {
    const furthest = Math.min(outMs, now + this.#options.rollSlots * this.#options.precisionMs)
    return this.#tickOf(furthest) - this.#tickOf(this.#readMs) < this.#files.wheel.slots - 1
  }

  /**
   * Puts a message in. What comes too late for its time is due at once. Returns its timer when it is of a slot
   * that is in memory. Throws when the disk refuses: it is not put in.
   */
  put(
    message: TimedMessage,
    place: { position: number; length: number; now: number },
  ): DueTimer | null {
    const { precisionMs } = this.#options
    const unit = this.#unitFor(message, place)
    const storedMs = unit.writtenMs + unit.delayMs
    const tick = this.#tickOf(storedMs)
    const slot = this.#files.wheel.slot(tick)
    unit.previous = slot?.last ?? -1
    const unitAt = this.#files.log.append(unit)
    const change = message.deletes === null ? 1 : -1
    this.#files.wheel.put({
      tick,
      first: slot?.first ?? unitAt,
      last: unitAt,
      count: (slot?.count ?? 0) + change,
    })
    if (tick >= this.#loadedTick) return null
    const { position, length, magic, writtenMs } = unit
    const dueMs = dueTime(storedMs, precisionMs)
    return { dueMs, unitAt, position, length, magic, writtenMs }
  }

  /** What was put in is in the files. Throws when the disk refuses; the next call goes on. */
  write(): void {
    this.#files.log.write()
    this.#files.wheel.write()
  }

  /**
   * Takes the next slot that is near: its timers, newest first. Null when there is none; everything that was put
   * in is written.
   */
  async load(now: number): Promise<DueTimer[] | null> {
    const end = this.#tickOf(now + LEAD_MS) + 1
    if (end <= this.#loadedTick) return null
    const to = Math.min(end, this.#loadedTick + LOOK_TICKS)
    const slot = this.#files.wheel.next(this.#loadedTick, to)
    const timers = slot === null ? [] : await this.#chain(slot.last)
    this.#loadedTick = slot === null ? to : slot.tick + 1
    return timers
  }

  /** When something is to be done next, as far as is to be seen; at most some time from now. */
  nextMs(now: number): number {
    const { precisionMs } = this.#options
    const end = this.#tickOf(now) + LOOK_TICKS
    const slot = end > this.#loadedTick ? this.#files.wheel.next(this.#loadedTick, end) : null
    const loadMs = slot === null ? Infinity : slot.tick * precisionMs - LEAD_MS
    return Math.min(this.heap.dueMs, loadMs, now + LOOK_TICKS * precisionMs)
  }

  /** Nothing below the first in memory is left, up to now. */
  advance(now: number): void {
    const loadedMs = this.#loadedTick * this.#options.precisionMs
    this.#readMs = Math.max(this.#readMs, Math.min(now, loadedMs, this.heap.dueMs - 1))
  }

  /** The clock was set back: what was put in for the time that is to come once more is done with already. */
  setBack(now: number): void {
    const { wheel } = this.#files
    const from = this.#tickOf(now)
    const end = Math.min(this.#tickOf(this.#readMs), from + wheel.slots) // once round, however far back
    for (let tick = from; tick < end;) {
      const slot = wheel.next(tick, end)
      if (slot === null) break
      wheel.put({ ...slot, first: -1, last: -1, count: 0 })
      tick = slot.tick + 1
    }
    wheel.write()
    this.heap.clear()
    this.begin(now)
  }

  #tickOf(timeMs: number): number {
    return Math.floor(timeMs / this.#options.precisionMs)
  }

  #unitFor(
    message: TimedMessage,
    { position, length, now }: { position: number; length: number; now: number },
  ): TimerUnit {
    const { precisionMs } = this.#options
    const writtenMs = slotBegin(now, precisionMs)
    const dueMs = Math.max(message.dueMs, this.#readMs + 1)
    const rollMs = this.#rollTime(message.outMs, writtenMs)
    const timeMs = rollMs ?? storedTime(dueMs, precisionMs)
    let magic: number = TimerMagic.DEFAULT
    if (rollMs !== null) magic |= TimerMagic.ROLL
    if (message.deletes !== null) magic |= TimerMagic.DELETE
    const topicHash = javaHashCode(message.topic)
    const delayMs = timeMs - writtenMs
    return { previous: -1, magic, writtenMs, delayMs, position, length, topicHash }
  }

  /** The slot that it is put in for instead (Apache 5.3.3, TimerMessageStore.doEnqueue); null: its own. */
  #rollTime(outMs: number, writtenMs: number): number | null {
    const { precisionMs, rollSlots } = this.#options
    const window = rollSlots * precisionMs
    const beyond = outMs - writtenMs - window
    if (beyond < 0) return null
    const isLittle = beyond < Math.floor(rollSlots / 3) * precisionMs // leave time for the next roll
    return writtenMs + (isLittle ? Math.floor(rollSlots / 2) * precisionMs : window)
  }

  /** Newest first. What is done with already is left out. */
  async #chain(last: number): Promise<DueTimer[]> {
    const { log } = this.#files
    const timers: DueTimer[] = []
    const piece = Buffer.alloc(PIECE_LENGTH)
    const view = viewOf(piece)
    const unit = newTimerUnit()
    let [from, to] = [0, 0] // what of the log is in `piece`
    for (let unitAt = last; unitAt >= log.begin; unitAt = unit.previous) {
      if (unitAt < from || unitAt >= to) {
        from = Math.max(log.startOf(unitAt), unitAt + TIMER_UNIT_LENGTH - PIECE_LENGTH)
        to = from + (await this.#read(piece, unitAt + TIMER_UNIT_LENGTH - from, from))
      }
      if (unitAt + TIMER_UNIT_LENGTH > to || !readTimerUnit(unit, view, unitAt - from)) break
      const dueMs = dueTime(unit.writtenMs + unit.delayMs, this.#options.precisionMs)
      const { position, length, magic, writtenMs } = unit
      // A deletion is due as its slot begins, those that it is for may be later.
      const isWanted = dueMs > this.#readMs || (magic & TimerMagic.DELETE) !== 0
      if (isWanted) timers.push({ dueMs, unitAt, position, length, magic, writtenMs })
      if (unit.previous >= unitAt) break
    }
    return timers
  }

  async #read(piece: Buffer, length: number, position: number): Promise<number> {
    const { log } = this.#files
    if (log.end - position < HOT_BYTES) return log.read(piece, length, position)
    const descriptor = log.descriptorAt(position)
    if (descriptor === undefined) return 0
    return this.#options.readLater(descriptor, piece, length, position - log.startOf(position))
  }
}
