import { read } from 'node:fs'
import { viewOf } from '../base/bytes.ts'
import type { TimerLog } from '../store/timer-log.ts'
import { dueTime } from '../store/timer-time.ts'
import {
  newTimerUnit,
  readTimerUnit,
  TIMER_UNIT_LENGTH,
  TimerMagic,
  type TimerUnit,
} from '../store/timer-unit.ts'
import type { TimerSlot } from '../store/timer-wheel.ts'
import type { DueTimer } from './timer-heap.ts'

/** Units are read backwards in pieces of so many. */
const PIECE_UNITS = 315
const PIECE_LENGTH = PIECE_UNITS * TIMER_UNIT_LENGTH
/** Pieces that one call reads at most: others have something to do, too. */
const PIECES_MAX = 16
/** What was put in last is in the page cache, so that waiting for it costs more than reading it. */
const HOT_BYTES = 64 * 1024 * 1024

/** Behind the first unit of a slot. */
const NOWHERE = -1

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

export interface TimerChainOptions {
  precisionMs: number
  readLater: ReadLater
  /** Timers that are taken into memory together. */
  partMax: number
  /** Deletions of one slot that are taken, the newest. */
  deletionsMax: number
}

/**
 * The units of one slot, found from its last one backwards. They are looked at once, for the deletions among them;
 * of more than `partMax` timers only the oldest are kept then, and where each younger part begins.
 */
export class TimerChain {
  readonly slot: TimerSlot
  /** All of them, as soon as the chain is known. */
  readonly deletions: DueTimer[] = []
  /** Deletions that there was no room for. */
  deletionsLeft = 0
  readonly #log: TimerLog
  readonly #options: TimerChainOptions
  /** What is due up to then was done with by the last run. */
  readonly #readMs: number
  readonly #piece = Buffer.alloc(PIECE_LENGTH)
  readonly #view = viewOf(this.#piece)
  readonly #unit = newTimerUnit()
  /** What of the log is in `piece`. */
  #from = 0
  #to = 0
  /** The next unit that is looked at; -1 behind the first of the slot. */
  #at: number
  #isKnown = false
  /** Where the parts that are still to come begin, the youngest first. */
  readonly #parts: number[] = []
  #timers: DueTimer[] = []

  constructor(slot: TimerSlot, log: TimerLog, options: TimerChainOptions & { readMs: number }) {
    this.slot = slot
    this.#log = log
    this.#options = options
    this.#readMs = options.readMs
    this.#at = slot.last
  }

  /** The deletions are all found. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Nothing is left to be taken. */
  get isOver(): boolean {
    return this.#isKnown && this.#at === NOWHERE && this.#timers.length === 0
  }

  /** The next part, newest first, the oldest part first of all; null when there is more to be looked at before. */
  async take(): Promise<DueTimer[] | null> {
    for (let pieces = 0; pieces < PIECES_MAX; pieces++) {
      if (this.#isPartOver() || !(await this.#lookAtPiece())) return this.#endPart()
    }
    return null
  }

  #isPartOver(): boolean {
    return this.#isKnown && this.#timers.length >= this.#options.partMax
  }

  #endPart(): DueTimer[] {
    this.#isKnown = true
    const timers = this.#timers
    this.#timers = []
    this.#at = this.#parts.pop() ?? NOWHERE
    return timers
  }

  /** False: there is nothing more. */
  async #lookAtPiece(): Promise<boolean> {
    const log = this.#log
    if (this.#at < log.begin) return false
    if (!this.#isInPiece()) await this.#readPiece()
    if (!this.#isInPiece()) return false
    while (this.#isInPiece()) {
      const unitAt = this.#at
      if (!readTimerUnit(this.#unit, this.#view, unitAt - this.#from)) return false
      if (this.#isPartOver()) return true
      this.#look(this.#unit, unitAt)
      this.#at = this.#unit.previous
      if (this.#at >= unitAt) return false // no chain goes forward
    }
    return true
  }

  #isInPiece(): boolean {
    return this.#at >= this.#from && this.#at + TIMER_UNIT_LENGTH <= this.#to
  }

  #look(unit: TimerUnit, unitAt: number): void {
    const dueMs = dueTime(unit.writtenMs + unit.delayMs, this.#options.precisionMs)
    const { position, length, magic, writtenMs } = unit
    if (!isDeletion(unit)) {
      if (dueMs <= this.#readMs) return // done with already
      this.#beginPart()
      this.#timers.push({ dueMs, unitAt, position, length, magic, writtenMs })
    } else if (this.#isKnown) return
    else if (this.deletions.length === this.#options.deletionsMax) this.deletionsLeft++
    // A deletion is due as its slot begins, those that it is for may be later.
    else this.deletions.push({ dueMs, unitAt, position, length, magic, writtenMs })
  }

  /** At first the whole chain is looked at: the younger parts come later. */
  #beginPart(): void {
    if (this.#isKnown || this.#timers.length < this.#options.partMax) return
    this.#parts.push(this.#timers[0]!.unitAt)
    this.#timers = []
  }

  async #readPiece(): Promise<void> {
    const log = this.#log
    const end = this.#at + TIMER_UNIT_LENGTH
    const from = Math.max(log.startOf(this.#at), end - PIECE_LENGTH)
    this.#to = this.#from = from
    this.#to = from + (await this.#read(end - from, from))
  }

  async #read(length: number, position: number): Promise<number> {
    const log = this.#log
    if (log.end - position < HOT_BYTES) return log.read(this.#piece, length, position)
    const descriptor = log.descriptorAt(position)
    if (descriptor === undefined) return 0
    const at = position - log.startOf(position)
    return this.#options.readLater(descriptor, this.#piece, length, at)
  }
}

/** Rolls are put in once more, whatever they are. */
export function isDeletion({ magic }: { magic: number }): boolean {
  return (magic & TimerMagic.DELETE) !== 0 && (magic & TimerMagic.ROLL) === 0
}
