import { readSafeInt64 } from '../base/bytes.ts'
import type { LogFiles } from './log-files.ts'
import {
  BLANK_LENGTH,
  hasGoodBody,
  MAGIC_V1,
  MAGIC_V2,
  RecordAt,
  RecordKind,
  RecordParts,
  readRecord,
} from './log-record.ts'

const CHUNK_LENGTH = 4 * 1024 * 1024
/** What both magics of messages begin with. */
const MAGIC_START = Buffer.from([0xda, 0xa3, 0x20])

/** A part of the log, from a position up to another. */
export interface Span {
  from: number
  to: number
}

/** One good message met on the way; all of it is valid only during the call. */
export type RecordVisitor = (record: RecordParts, bytes: Buffer, position: number) => void

export interface ScanOptions {
  checkCrc: boolean
  /**
   * Whether damage at a position is to be passed over: good records are known to lie behind it.
   * `timestamp` is the store time of the last good record before it.
   */
  isMiddle: (position: number, timestamp: number) => boolean
  /** Whether damage is the end after all, when it is known where the next good record is. */
  isEnd?: (damage: Span, timestamp: number) => boolean
  /**
   * From here on a record that is older than the one before it is none: a sync in the middle of its write,
   * and then a loss of power, may leave its head without the times. Where that is not certain: Infinity.
   */
  timesGrowFrom?: number
  /** Store time of the last good record before the walk, ms; 0 when it is not known. */
  timestamp: number
  /** Bytes that are read at once. */
  chunkLength?: number
  /** Now and then, so that whoever waits can be told that it goes on. */
  onProgress?: () => void
}

/**
 * Walks the records of a log's files in order. What is no record (bad magic, lengths that do not add
 * up, another position than its own, a wrong body checksum) ends the walk, or is passed over.
 */
export class LogScan {
  /** What was passed over. */
  readonly damage: Span[] = []
  readonly #files: LogFiles
  readonly #options: ScanOptions
  readonly #record = new RecordParts()
  #bytes: Buffer<ArrayBuffer>
  #view: DataView
  #start = 0
  #length = 0
  #timestamp: number

  constructor(files: LogFiles, options: ScanOptions) {
    this.#files = files
    this.#options = options
    this.#bytes = Buffer.allocUnsafeSlow(options.chunkLength ?? CHUNK_LENGTH)
    this.#view = new DataView(this.#bytes.buffer)
    this.#timestamp = options.timestamp
  }

  /**
   * Returns the position behind the last good record. `end` is the end of the last file; with `until`
   * the walk stops there, too: behind the first record that ends at or above it.
   */
  run(from: number, end: number, visit: RecordVisitor, until = end): number {
    let position = from
    while (position < until) {
      const kind = this.#readAt(position)
      if (kind === RecordKind.BAD) {
        const next = this.#passOver(position, end)
        if (next === -1) return position
        position = next
        continue
      }
      if (kind === RecordKind.MESSAGE) this.#visit(visit, position)
      position = this.#next(kind, position)
    }
    return position
  }

  /** Good records up to here were found by somebody else, the last one stored at that time. */
  passed(timestamp: number): void {
    this.#timestamp = timestamp
  }

  /** Bytes that were read are not looked at again. */
  forget(): void {
    this.#length = 0
  }

  #visit(visit: RecordVisitor, position: number): void {
    this.#timestamp = this.#record.storeTimestamp
    visit(this.#record, this.#bytes, position)
  }

  /** A blank's length is not looked at: the next record is in the next file (Apache 5.3.3). */
  #next(kind: RecordKind, position: number): number {
    if (kind === RecordKind.BLANK) return this.#files.endOfFile(position)
    return position + this.#record.length
  }

  /** Where the next good record is, if damage here is to be passed over; else -1. */
  #passOver(position: number, end: number): number {
    if (!this.#options.isMiddle(position, this.#timestamp)) return -1
    for (let at = position + 1; at < end; at = this.#files.endOfFile(at)) {
      const found = this.find(at, this.#files.endOfFile(at))
      if (found === -1) continue
      const span = { from: position, to: found }
      if (this.#options.isEnd?.(span, this.#timestamp) === true) return -1
      this.damage.push(span)
      return found
    }
    return -1
  }

  /**
   * The first good message that begins in `[from, end)`, a part of one file; -1 when there is none.
   * Whoever searches for speed gives up after some that only look like one.
   */
  find(from: number, end: number, triesMax = Infinity): number {
    let tries = 0
    for (let at = this.#magicFrom(from, end); at !== -1; at = this.#magicFrom(at + 1, end)) {
      if (!this.#isOfItsPlace(at)) continue // cheap: bodies may be full of magic
      if (++tries > triesMax) return -1
      if (this.#readAt(at) === RecordKind.MESSAGE && this.#hasGoodBody()) return at
    }
    return -1
  }

  /** Where a record could begin, by the magic in it; -1 when there is no such place below `end`. */
  #magicFrom(from: number, end: number): number {
    for (let at = from; at < end;) {
      if (!this.#isLoaded(at, RecordAt.BODY_CRC)) this.#load(at)
      if (!this.#isLoaded(at, RecordAt.BODY_CRC)) return -1 // the file ends here
      const read = this.#bytes.subarray(0, this.#length)
      const hit = read.indexOf(MAGIC_START, at - this.#start + RecordAt.MAGIC)
      if (hit !== -1) {
        const found = this.#start + hit - RecordAt.MAGIC
        return found < end ? found : -1
      }
      at = this.#start + this.#length - RecordAt.BODY_CRC + 1
    }
    return -1
  }

  #isOfItsPlace(position: number): boolean {
    if (!this.#isLoaded(position, RecordAt.SYS_FLAG)) this.#load(position)
    if (!this.#isLoaded(position, RecordAt.SYS_FLAG)) return false
    return readSafeInt64(this.#view, position - this.#start + RecordAt.POSITION) === position
  }

  #isLoaded(position: number, length: number): boolean {
    return position >= this.#start && position + length <= this.#start + this.#length
  }

  #readAt(position: number): RecordKind {
    if (!this.#isLoaded(position, BLANK_LENGTH)) this.#load(position)
    const kind = this.#check(position)
    if (kind !== RecordKind.BAD) return kind
    const at = position - this.#start
    if (at === 0 || this.#length < 8) return this.#readLonger(position)
    this.#load(position) // perhaps only cut off by the end of the chunk
    return this.#readAt(position)
  }

  /** A record never reaches into the next file: a length that does is damage. */
  #readLonger(position: number): RecordKind {
    const length = this.#length < 8 ? 0 : this.#view.getInt32(0)
    if (length <= this.#bytes.length || !isMagic(this.#view)) return RecordKind.BAD
    if (position + length > this.#files.endOfFile(position)) return RecordKind.BAD
    this.#bytes = Buffer.allocUnsafeSlow(length)
    this.#view = new DataView(this.#bytes.buffer)
    this.#load(position)
    return this.#check(position)
  }

  #load(position: number): void {
    this.#start = position
    this.#length = this.#files.read(position, this.#bytes.length, this.#bytes, 0)
    this.#options.onProgress?.()
  }

  #check(position: number): RecordKind {
    const record = this.#record
    const at = position - this.#start
    const kind = readRecord(record, this.#view, at, this.#length)
    if (kind !== RecordKind.MESSAGE) return kind
    if (record.position !== position || this.#isOlder(position)) return RecordKind.BAD
    return !this.#options.checkCrc || this.#hasGoodBody() ? kind : RecordKind.BAD
  }

  #isOlder(position: number): boolean {
    const { timesGrowFrom = Infinity } = this.#options
    return position >= timesGrowFrom && this.#record.storeTimestamp < this.#timestamp
  }

  #hasGoodBody(): boolean {
    return hasGoodBody(this.#view, this.#record)
  }
}

function isMagic(view: DataView): boolean {
  const magic = view.getInt32(RecordAt.MAGIC)
  return magic === MAGIC_V1 || magic === MAGIC_V2
}
