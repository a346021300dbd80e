import { PRE_BLANK_LENGTH, readUnit, UNIT_LENGTH, type Unit } from './consume-queue.ts'
import type { LogChunks } from './log-chunks.ts'
import type { LogShared } from './log-memory.ts'
import type { LogWindow } from './log-window.ts'
import { viewOf } from '../base/bytes.ts'
import {
  hasGoodBody,
  isMultiDispatched,
  RECORD_LENGTH_MIN,
  RecordKind,
  RecordParts,
  readRecord,
} from './log-record.ts'
import type { UnitReader } from './unit-reader.ts'

/** How a look into a queue went (Apache 5.3.3, GetMessageStatus, by what the reader must do). */
export const ReadStatus = {
  FOUND: 'FOUND',
  NO_MATCHED_MESSAGE: 'NO_MATCHED_MESSAGE',
  OFFSET_FOUND_NULL: 'OFFSET_FOUND_NULL',
  OFFSET_OVERFLOW_BADLY: 'OFFSET_OVERFLOW_BADLY',
  OFFSET_OVERFLOW_ONE: 'OFFSET_OVERFLOW_ONE',
  OFFSET_TOO_SMALL: 'OFFSET_TOO_SMALL',
  NO_MESSAGE_IN_QUEUE: 'NO_MESSAGE_IN_QUEUE',
} as const
export type ReadStatus = (typeof ReadStatus)[keyof typeof ReadStatus]

/** Entries looked at in one call (Apache 5.3.3: 16000 bytes of the queue). */
const SCAN_UNITS = 800

/** Damaged messages that are remembered; more are met again. */
const DAMAGED_MAX = 65_536

/** How much one answer may hold: more of what is recent than of what must come from a disk. */
export interface TransferLimits {
  hot: { bytes: number; count: number }
  cold: { bytes: number; count: number }
  /** Bytes behind the end of the log that count as recent. */
  hotBytes: number
}

export interface ReadRequest {
  row: number
  queue: UnitReader
  offset: number
  countMax: number
  /** Tags codes that are wanted; null for all. */
  filter: ReadonlySet<number> | null
}

/** Finds messages of one queue and copies them out as stored. One object per thread, used again. */
export class PullReader {
  status: ReadStatus = ReadStatus.FOUND
  nextOffset = 0
  minOffset = 0
  maxOffset = 0
  /** Bytes of all records found. */
  length = 0
  count = 0
  #appended = 0
  readonly #shared: LogShared
  readonly #window: LogWindow
  readonly #chunks: LogChunks
  readonly #limits: TransferLimits
  readonly #units = Buffer.allocUnsafeSlow(SCAN_UNITS * UNIT_LENGTH)
  readonly #view = new DataView(this.#units.buffer)
  readonly #unit: Unit = { position: 0, length: 0, tagsCode: 0 }
  /** Records that lie next to each other in the log are one range. */
  readonly #rangeAt: number[] = []
  readonly #rangeLength: number[] = []
  /** The same, record by record. */
  readonly #recordAt: number[] = []
  readonly #recordLength: number[] = []
  readonly #recordOffset: number[] = []
  readonly #record = new RecordParts()
  /** Positions of messages that were read from the disk and are not what was stored. */
  readonly #damaged = new Set<number>()
  readonly #onDamage: (position: number) => void

  constructor(
    shared: LogShared,
    parts: {
      window: LogWindow
      chunks: LogChunks
      limits: TransferLimits
      /** A message cannot be read any more; told once. */
      onDamage?: (position: number) => void
    },
  ) {
    this.#shared = shared
    this.#onDamage = parts.onDamage ?? (() => {})
    this.#window = parts.window
    this.#chunks = parts.chunks
    this.#limits = parts.limits
  }

  /** Fills the fields above; with FOUND, `copyOut` then brings the records. */
  find(request: ReadRequest): void {
    this.#reset(request.row)
    const { offset } = request
    if (this.maxOffset === 0) this.#none(ReadStatus.NO_MESSAGE_IN_QUEUE, 0)
    else if (offset < this.minOffset) this.#none(ReadStatus.OFFSET_TOO_SMALL, this.minOffset)
    else if (offset === this.maxOffset) this.#none(ReadStatus.OFFSET_OVERFLOW_ONE, offset)
    else if (offset > this.maxOffset) {
      this.#none(ReadStatus.OFFSET_OVERFLOW_BADLY, this.maxOffset)
    } else this.#scan(request)
  }

  /** What was found is not wanted after all: the reader goes on behind it. */
  passOver(): void {
    this.status = ReadStatus.NO_MATCHED_MESSAGE
    this.length = 0
  }

  /** Messages there were deleted since they were found. */
  isBelowMin(row: number, offset: number): boolean {
    return offset < this.#shared.rows.min(row)
  }

  /** Whether `copyOut` can be called right away; else `load` comes first. */
  isAtHand(): boolean {
    if (this.#shared.floor.guard(this.#rangeAt[0]!)) {
      this.#shared.floor.clear()
      return true
    }
    return this.#rangeAt.every(
      (at, nth) => this.#chunks.missing(at, this.#rangeLength[nth]!) === -1,
    )
  }

  /** Brings what was found from the disk; find it again in the callback, this object serves others. */
  load(done: (error: Error | null) => void): void {
    this.#chunks.load(this.#rangeAt, this.#rangeLength, done)
  }

  /**
   * Copies all records found, in order. False: find them again, because the window moved on meanwhile or
   * some of them turned out to be damaged on the disk; those are passed over from then on.
   */
  copyOut(target: Buffer, at: number): boolean {
    if (this.#shared.floor.guard(this.#rangeAt[0]!)) {
      this.#copyFrom(this.#window, target, at)
      this.#shared.floor.clear()
      return true
    }
    if (!this.isAtHand()) return false
    this.#copyFrom(this.#chunks, target, at)
    return this.#isWhole(target, at)
  }

  /** What comes from the window was never away from us; what comes from a disk may have changed there. */
  #isWhole(target: Buffer, at: number): boolean {
    const view = viewOf(target)
    let isWhole = true
    let next = at
    for (let nth = 0; nth < this.#recordAt.length; nth++) {
      const length = this.#recordLength[nth]!
      if (!this.#isGood(view, next, nth)) {
        isWhole = false
        this.#remember(this.#recordAt[nth]!)
      }
      next += length
    }
    return isWhole
  }

  #isGood(view: DataView, at: number, nth: number): boolean {
    const record = this.#record
    const length = this.#recordLength[nth]!
    if (readRecord(record, view, at, at + length) !== RecordKind.MESSAGE) return false
    if (record.position !== this.#recordAt[nth]! || record.length !== length) return false
    if (!hasGoodBody(view, record)) return false
    // Consumers commit what it says. One that stands in queues of other topics, too, knows its own alone.
    if (record.queueOffset === this.#recordOffset[nth]!) return true
    const isPossible = record.queueOffset >= 0 && record.queueOffset <= record.position
    return isPossible && isMultiDispatched(view, record)
  }

  #remember(position: number): void {
    if (this.#damaged.size === DAMAGED_MAX) this.#damaged.clear()
    this.#damaged.add(position)
    this.#onDamage(position)
  }

  #copyFrom(source: LogWindow | LogChunks, target: Buffer, at: number): void {
    let next = at
    for (let nth = 0; nth < this.#rangeAt.length; nth++) {
      source.copyOut(this.#rangeAt[nth]!, this.#rangeLength[nth]!, target, next)
      next += this.#rangeLength[nth]!
    }
  }

  #reset(row: number): void {
    this.minOffset = this.#shared.rows.min(row)
    this.maxOffset = this.#shared.rows.max(row)
    this.length = 0
    this.count = 0
    this.#rangeAt.length = 0
    this.#rangeLength.length = 0
    this.#recordAt.length = 0
    this.#recordLength.length = 0
    this.#recordOffset.length = 0
  }

  #none(status: ReadStatus, nextOffset: number): void {
    this.status = status
    this.nextOffset = nextOffset
  }

  #scan(request: ReadRequest): void {
    const { offset, countMax } = request
    this.#appended = this.#shared.appended.value() // after `max`: entries below it lie below this
    const wanted = Math.min(SCAN_UNITS, this.maxOffset - offset)
    // Most subscriptions want everything: then no more entries than messages are needed.
    const first = Math.min(wanted, countMax)
    let taken = this.#take(request, offset, first)
    if (this.count === 0 && taken === first && first < wanted) {
      taken += this.#take(request, offset + first, wanted - first)
    }
    this.nextOffset = offset + taken
    // The file is gone: the next one is where the queue goes on.
    if (taken === 0) this.#none(ReadStatus.OFFSET_FOUND_NULL, request.queue.queue.nextFile(offset))
    else this.status = this.count > 0 ? ReadStatus.FOUND : ReadStatus.NO_MATCHED_MESSAGE
  }

  /** Returns how many entries were looked at. */
  #take({ queue, filter, countMax }: ReadRequest, offset: number, length: number): number {
    const read = queue.read(offset, length, this.maxOffset, this.#units)
    const unit = this.#unit
    for (let nth = 0; nth < read; nth++) {
      readUnit(unit, this.#view, nth * UNIT_LENGTH)
      const isBlank = unit.length === PRE_BLANK_LENGTH // stands for a message that is no more
      if (!isBlank && !this.#isPossible(unit)) continue
      if (this.count > 0 && this.#isFull(unit, countMax)) return nth
      if (isBlank) continue
      if (filter === null || filter.has(unit.tagsCode)) this.#add(unit, offset + nth)
    }
    return read
  }

  /** A damaged entry leads anywhere: to bytes that are not there, or to more than there is memory for. */
  #isPossible({ position, length }: Unit): boolean {
    if (position < 0 || length < RECORD_LENGTH_MIN) return false
    const end = position + length
    if (end > this.#appended || end > this.#chunks.endOfFile(position)) return false
    return this.#damaged.size === 0 || !this.#damaged.has(position)
  }

  #isFull({ position, length }: Unit, countMax: number): boolean {
    const isHot = this.#appended - position <= this.#limits.hotBytes
    const { bytes, count } = isHot ? this.#limits.hot : this.#limits.cold
    return this.count >= Math.min(count, countMax) || this.length + length > bytes
  }

  #add({ position, length }: Unit, offset: number): void {
    const last = this.#rangeAt.length - 1
    if (last >= 0 && this.#rangeAt[last]! + this.#rangeLength[last]! === position) {
      this.#rangeLength[last]! += length
    } else {
      this.#rangeAt.push(position)
      this.#rangeLength.push(length)
    }
    this.#recordAt.push(position)
    this.#recordLength.push(length)
    this.#recordOffset.push(offset)
    this.length += length
    this.count++
  }
}
