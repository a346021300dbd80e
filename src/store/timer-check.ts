import { readSafeInt64, viewOf, writeSafeInt64 } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { StoreError } from './log-files.ts'
import { slotBegin } from './timer-time.ts'

const LENGTH = 4096
/** What Apache 5.3.3 (TimerCheckpoint) knows of it, and what GET_TIMER_CHECK_POINT answers. */
export const CHECK_LENGTH = 56
/** Ours begins behind that. */
const MARK = Buffer.from('RingMQ 1')
const LIVE_AT = 80
const SLOTS_AT = 96
const OURS_LENGTH = 104

/** How far timers are done with. Times in ms since 1970. */
export interface TimerCheck {
  /** Whatever was due up to then is delivered. Apache keeps the begin of the slot that this lies in. */
  readMs: number
  /** Units below this position of the timer log, and their slots, are on the disk. */
  logEnd: number
  /** Messages of the timer queue below this offset have their unit. */
  queueOffset: number
  version: { stateVersion: number; timestamp: number; counter: number }
}

/** What the last run left. */
export interface LastTimerCheck extends TimerCheck {
  /** Ours, and not changed by Apache since: `readMs` is exact. */
  isOurs: boolean
  /** All units below this position are known to their slots. */
  slotsEnd: number
  /** As `readMs` and `queueOffset`, but true only as long as the machine has not stopped since. */
  liveMs: number
  liveOffset: number
}

/**
 * `config/timercheck`: seven numbers of Apache's; behind them, where it writes nothing, a mark, the exact
 * `readMs`, `logEnd` again, how far deliveries have come that the log has not been synced for, and up to where
 * slots can be relied on. One sector.
 */
export class TimerCheckFile {
  readonly #disk: Disk
  readonly #descriptor: number
  readonly #precisionMs: number
  readonly #bytes = Buffer.alloc(OURS_LENGTH)
  readonly #view = viewOf(this.#bytes)
  #last: LastTimerCheck

  /** Throws StoreError when what stands there cannot be a check point. */
  constructor(disk: Disk, path: string, precisionMs: number) {
    this.#disk = disk
    this.#precisionMs = precisionMs
    this.#descriptor = disk.create(path)
    if (disk.size(this.#descriptor) < LENGTH) disk.truncate(this.#descriptor, LENGTH)
    const span = { buffer: this.#bytes, offset: 0, length: OURS_LENGTH, position: 0 }
    disk.pread(this.#descriptor, span)
    const last = this.#read()
    if (last === null) {
      disk.close(this.#descriptor)
      throw damaged(path)
    }
    this.#last = last
  }

  get descriptor(): number {
    return this.#descriptor
  }

  get last(): LastTimerCheck {
    return this.#last
  }

  /** The machine has stopped since: what was true of its memory must not be believed by a later start either. */
  forgetLive(): void {
    const { readMs: liveMs, queueOffset: liveOffset } = this.#last
    this.#last = { ...this.#last, liveMs, liveOffset }
    this.writeLive(liveMs, liveOffset)
  }

  /** Slots are about to lose units: all must be counted in again, also when that is broken off. Durable. */
  distrustSlots(): void {
    this.#last = { ...this.#last, slotsEnd: 0 }
    this.markOurs()
    this.#disk.fdatasync(this.#descriptor)
  }

  /** Time has gone back: durable, and no more is known of slots than before. */
  setBack(check: TimerCheck): void {
    this.write(check, Math.min(check.logEnd, readSafeInt64(this.#view, SLOTS_AT)))
    this.#disk.fdatasync(this.#descriptor)
  }

  /** From now on `liveMs` counts; what is said otherwise stays. */
  markOurs(): void {
    this.write(this.#last, this.#last.isOurs ? this.#last.slotsEnd : 0)
    this.writeLive(this.#last.liveMs, this.#last.liveOffset)
  }

  /** Durable when the file is synced. */
  write(check: TimerCheck, slotsEnd = check.logEnd): void {
    encodeTimerCheck(check, this.#precisionMs).copy(this.#bytes)
    MARK.copy(this.#bytes, CHECK_LENGTH)
    writeSafeInt64(this.#view, 64, check.readMs)
    writeSafeInt64(this.#view, 72, check.logEnd)
    writeSafeInt64(this.#view, SLOTS_AT, slotsEnd)
    this.#pwrite(0, OURS_LENGTH)
  }

  /** Survives the process, not the machine. */
  writeLive(readMs: number, queueOffset: number): void {
    writeSafeInt64(this.#view, LIVE_AT, readMs)
    writeSafeInt64(this.#view, LIVE_AT + 8, queueOffset)
    this.#pwrite(LIVE_AT, SLOTS_AT - LIVE_AT)
  }

  close(): void {
    this.#disk.close(this.#descriptor)
  }

  #pwrite(position: number, length: number): void {
    const span = { buffer: this.#bytes, offset: position, length, position }
    this.#disk.pwrite(this.#descriptor, span)
  }

  /** Null: it is damaged. */
  #read(): LastTimerCheck | null {
    const at = (place: number) => readSafeInt64(this.#view, place)
    const [readMs, logEnd, queueOffset] = [at(0), at(8), Math.min(at(16), at(24))]
    const others = [at(16), at(24), at(32), at(40), at(48)]
    if (![readMs, logEnd, ...others].every(isSane)) return null
    const version = { stateVersion: at(32), timestamp: at(40), counter: at(48) }
    const check = { readMs, logEnd, queueOffset, version }
    const exactMs = at(64)
    const isMarked = MARK.equals(this.#bytes.subarray(CHECK_LENGTH, CHECK_LENGTH + MARK.length))
    const isOurs = isMarked && at(72) === logEnd && slotBegin(exactMs, this.#precisionMs) === readMs
    if (!isOurs) {
      return { ...check, isOurs, slotsEnd: logEnd, liveMs: readMs, liveOffset: queueOffset }
    }
    const liveMs = Math.max(at(LIVE_AT), exactMs)
    const liveOffset = Math.max(at(LIVE_AT + 8), queueOffset)
    return { ...check, readMs: exactMs, isOurs, slotsEnd: at(SLOTS_AT), liveMs, liveOffset }
  }
}

function damaged(path: string): StoreError {
  return new StoreError(
    `${path}: not a check point of timers, it is damaged; restore it, or move it away: then all timers are delivered once more that the timer log still has and whose time is over`,
  )
}

function isSane(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** As Apache 5.3.3 writes and sends it. */
export function encodeTimerCheck(check: TimerCheck, precisionMs: number): Buffer {
  const { readMs, logEnd, queueOffset, version } = check
  const bytes = Buffer.alloc(CHECK_LENGTH)
  const view = viewOf(bytes)
  const numbers = [slotBegin(readMs, precisionMs), logEnd, queueOffset, queueOffset]
  const { stateVersion, timestamp, counter } = version
  for (const [nth, value] of [...numbers, stateVersion, timestamp, counter].entries()) {
    writeSafeInt64(view, nth * 8, value)
  }
  return bytes
}
