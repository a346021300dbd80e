import { viewOf } from '../base/bytes.ts'
import type { TimerCheckFile } from './timer-check.ts'
import type { TimerLog } from './timer-log.ts'
import { newTimerUnit, readTimerUnit, TIMER_UNIT_LENGTH } from './timer-unit.ts'
import type { TimerSlot, TimerWheel } from './timer-wheel.ts'

/** Units that are looked at between two rests. */
const BLOCK_UNITS = 1260

export interface TimerRecoveryParts {
  log: TimerLog
  wheel: TimerWheel
  check: TimerCheckFile
  precisionMs: number
  /** Behind the last message of the log: units of later ones are of messages that are lost. */
  messagesEnd: number
  /** Lets the event loop do something else. */
  rest: () => Promise<void>
}

export interface RecoveredTimers {
  /** Position of the message of the last unit; -1 without one. */
  lastMessage: number
  /** Every unit that the check point knows of is there. */
  isWhole: boolean
  /** Timers in slots that are not over yet. */
  pending: number
  /** The first slot, in ticks, that is in use and was not done with; Infinity without one. */
  firstTick: number
}

/**
 * Finds the end of the timer log and gives the slots the units that they lack: those that were put in after the
 * check point, whose slots may not have been written (facts of Apache 5.3.3, TimerMessageStore.recover).
 */
export class TimerRecovery {
  readonly #parts: TimerRecoveryParts
  #lastMessage = -1

  constructor(parts: TimerRecoveryParts) {
    this.#parts = parts
  }

  async run(): Promise<RecoveredTimers> {
    const { log, wheel, check, precisionMs } = this.#parts
    const { logEnd } = check.last
    const end = await this.#scan(this.#begin())
    log.endAt(end)
    const tick = Math.floor(check.last.readMs / precisionMs)
    await this.#mend(tick, end)
    let [pending, firstTick] = [0, Infinity]
    for (const slots of wheel.all(tick)) {
      for (const slot of slots) {
        pending += Math.max(0, slot.count)
        firstTick = Math.min(firstTick, slot.tick)
      }
      await this.#parts.rest()
    }
    const isWhole = log.end >= logEnd
    return { lastMessage: this.#lastMessage, isWhole, pending, firstTick }
  }

  /**
   * Where units may be that their slots do not know of. Apache goes back a file behind its check point; without
   * the wheel all units are needed.
   */
  #begin(): number {
    const { log, wheel } = this.#parts
    const check = this.#parts.check.last
    if (wheel.isNew) return log.begin
    const from = check.slotsEnd - (check.isOurs ? TIMER_UNIT_LENGTH : log.fileSize)
    if (from <= log.begin || log.descriptorAt(from) === undefined) return log.begin
    const start = log.startOf(from)
    return start + Math.floor((from - start) / TIMER_UNIT_LENGTH) * TIMER_UNIT_LENGTH
  }

  /** Returns where units end. */
  async #scan(begin: number): Promise<number> {
    const { log, wheel, rest } = this.#parts
    const bytes = Buffer.alloc(BLOCK_UNITS * TIMER_UNIT_LENGTH)
    for (let position = begin; ;) {
      const length = log.read(bytes, bytes.length, position)
      const taken = this.#take(bytes, length, position)
      wheel.write()
      position += taken
      const isFileOver = position === log.unitsEnd(position)
      const next = log.startOf(position) + log.fileSize
      if (isFileOver && log.descriptorAt(next) !== undefined) position = next
      else if (isFileOver || taken < length || taken === 0) return position
      await rest()
    }
  }

  /** Bytes up to the first that are no unit. */
  #take(bytes: Buffer, length: number, position: number): number {
    const view = viewOf(bytes)
    const unit = newTimerUnit()
    let at = 0
    for (; at + TIMER_UNIT_LENGTH <= length; at += TIMER_UNIT_LENGTH) {
      if (!readTimerUnit(unit, view, at) || unit.previous >= position + at) break
      if (unit.position + unit.length > this.#parts.messagesEnd) break
      this.#lastMessage = unit.position
      this.#count(unit.writtenMs + unit.delayMs, position + at)
    }
    return at
  }

  /** A unit that its slot does not know of becomes its last one. */
  #count(timeMs: number, position: number): void {
    const { wheel, precisionMs } = this.#parts
    const tick = Math.floor(timeMs / precisionMs)
    const slot = wheel.slot(tick)
    if (slot === null) wheel.put({ tick, first: position, last: position, count: 1 })
    else if (slot.last < position) {
      wheel.put({ ...slot, last: position, count: slot.count + 1 })
    }
  }

  /** After a power failure slots may know of units that are lost: they get the last one that is not. */
  async #mend(tick: number, end: number): Promise<void> {
    const broken: TimerSlot[] = []
    for (const slots of this.#parts.wheel.all(tick)) {
      broken.push(...slots.filter(({ last }) => last >= end))
      await this.#parts.rest()
    }
    if (broken.length === 0) return
    const { wheel, log, check } = this.#parts
    check.distrustSlots()
    for (const slot of broken) wheel.put({ ...slot, first: -1, last: -1, count: 0 })
    wheel.write()
    const first = Math.min(...broken.map((slot) => slot.first))
    if (first < end) await this.#scan(Math.max(log.begin, first))
  }
}
