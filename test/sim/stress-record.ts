import { BLANK_MAGIC } from '../../src/store/log-record.ts'
import type { RecordSource } from '../../src/store/log-appender.ts'
import type { LogWindow } from '../../src/store/log-window.ts'

/**
 * Records that say everything about themselves, so that whoever reads one knows what its bytes are:
 *
 *    0       4      8         12        16       20            24              28
 *    length  magic  appender  sequence  row      queue offset  position (low)  timestamp (low)
 *    then length - 32 bytes of (appender * 31 + sequence) & 255
 */
const MAGIC = 0x5354_5253
const FIXED = 32
/** Lengths differ and are mostly odd, so that records lie across every kind of boundary. */
const EXTRA = 19
/** Every so often a batch. */
const BATCH_EVERY = 13
const BATCH_COUNT = 3

export const STRESS_ROWS = 16
/** Longest append of a stress run. */
export const STRESS_APPEND_MAX = BATCH_COUNT * (FIXED + EXTRA)

function lengthOf(appender: number, sequence: number): number {
  return FIXED + ((sequence * 7 + appender) % EXTRA)
}

function rowOf(appender: number, sequence: number): number {
  // A batch shares a queue: all of its records come from the same append.
  return (Math.floor(sequence / BATCH_COUNT) + appender) % STRESS_ROWS
}

/** What one appender appends: `next()` prepares an append of one record, or of a batch. */
export class StressSource implements RecordSource {
  row = 0
  length = 0
  count = 0
  position = 0
  queueOffset = 0
  storeTimestamp = 0
  appends = 0
  /** Records prepared so far. */
  sequence = 0
  readonly #appender: number

  constructor(appender: number) {
    this.#appender = appender
  }

  next(): void {
    this.sequence += this.count
    const isBatch = this.appends % BATCH_EVERY === 0 && this.sequence % BATCH_COUNT === 0
    this.appends++
    this.count = isBatch ? BATCH_COUNT : 1
    this.row = rowOf(this.#appender, this.sequence)
    this.length = 0
    for (let nth = 0; nth < this.count; nth++) {
      this.length += lengthOf(this.#appender, this.sequence + nth)
    }
  }

  encodeInto(window: LogWindow, index: number): void {
    let at = index
    for (let nth = 0; nth < this.count; nth++) {
      at = this.#encodeOne(window, at, { nth, offset: at - index })
    }
  }

  #encodeOne(window: LogWindow, at: number, { nth, offset }: { nth: number; offset: number }) {
    const sequence = this.sequence + nth
    const length = lengthOf(this.#appender, sequence)
    const { view } = window
    view.setInt32(at, length)
    view.setInt32(at + 4, MAGIC)
    view.setInt32(at + 8, this.#appender)
    view.setInt32(at + 12, sequence)
    view.setInt32(at + 16, this.row)
    view.setInt32(at + 20, (this.queueOffset + nth) | 0)
    view.setInt32(at + 24, (this.position + offset) | 0)
    view.setInt32(at + 28, this.storeTimestamp | 0)
    const fill = (this.#appender * 31 + sequence) & 255
    for (let i = FIXED; i < length; i++) window.bytes[at + i] = fill
    return at + length
  }
}

/** One record as read back; `appender` is -1 for the blank record at a file's end. */
export interface StressRecord {
  length: number
  appender: number
  sequence: number
  row: number
  queueOffset: number
  timestamp: number
}

export const BLANK = -1

/** Reads the record of `position` at `at` into `record`. Throws when any of its bytes is wrong. */
export function readStressRecord(
  record: StressRecord,
  bytes: DataView,
  at: number,
  position: number,
): void {
  record.length = bytes.getInt32(at)
  const magic = bytes.getInt32(at + 4)
  if (magic === BLANK_MAGIC) {
    record.appender = BLANK
    return
  }
  record.appender = bytes.getInt32(at + 8)
  record.sequence = bytes.getInt32(at + 12)
  record.row = bytes.getInt32(at + 16)
  record.queueOffset = bytes.getInt32(at + 20)
  record.timestamp = bytes.getInt32(at + 28)
  if (magic !== MAGIC || !isWhole(record, bytes, at, position)) {
    throw new Error(`wrong bytes at position ${position}: ${JSON.stringify(record)}, ${magic}`)
  }
}

function isWhole(record: StressRecord, bytes: DataView, at: number, position: number): boolean {
  const { length, appender, sequence, row } = record
  if (length !== lengthOf(appender, sequence)) return false
  if (bytes.getInt32(at + 24) !== (position | 0)) return false
  if (row < 0 || row >= STRESS_ROWS) return false
  const fill = (appender * 31 + sequence) & 255
  for (let i = FIXED; i < length; i++) if (bytes.getUint8(at + i) !== fill) return false
  return true
}
