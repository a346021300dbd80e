import { crc32 } from 'node:zlib'
import type { LogFiles } from './log-files.ts'
import { RecordKind, RecordParts, readRecord } from './log-record.ts'

const CHUNK_LENGTH = 4 * 1024 * 1024
/** The longest record that is looked at; a length beyond it is damage. */
const RECORD_MAX = 64 * 1024 * 1024

/** One good message met on the way; all of it is valid only during the call. */
export type RecordVisitor = (record: RecordParts, bytes: Buffer, position: number) => void

/**
 * Walks the records of a log's files in order and stops at the first thing that is none: bad magic,
 * lengths that do not add up, another position than its own, or (when asked) a wrong body checksum.
 */
export class LogScan {
  readonly #files: LogFiles
  readonly #checkCrc: boolean
  readonly #record = new RecordParts()
  #bytes = Buffer.allocUnsafeSlow(CHUNK_LENGTH)
  #view = new DataView(this.#bytes.buffer)
  #start = 0
  #length = 0

  constructor(files: LogFiles, options: { checkCrc: boolean }) {
    this.#files = files
    this.#checkCrc = options.checkCrc
  }

  /** Returns the position behind the last good record. `end` is the end of the last file. */
  run(from: number, end: number, visit: RecordVisitor): number {
    let position = from
    while (position < end) {
      const kind = this.#readAt(position)
      if (kind === RecordKind.BAD) return position
      if (kind === RecordKind.MESSAGE) visit(this.#record, this.#bytes, position)
      position = this.#next(kind, position)
    }
    return position
  }

  /** A blank's length is not looked at: the next record is in the next file (Apache 5.3.3). */
  #next(kind: RecordKind, position: number): number {
    if (kind === RecordKind.BLANK) return this.#files.endOfFile(position)
    return position + this.#record.length
  }

  #readAt(position: number): RecordKind {
    if (position < this.#start || position + 8 > this.#start + this.#length) this.#load(position)
    const kind = this.#check(position)
    if (kind !== RecordKind.BAD) return kind
    const at = position - this.#start
    if (at === 0 || this.#length < 8) return this.#readLonger(position)
    this.#load(position) // perhaps only cut off by the end of the chunk
    return this.#readAt(position)
  }

  #readLonger(position: number): RecordKind {
    const length = this.#length < 8 ? 0 : this.#view.getInt32(0)
    if (length <= this.#bytes.length || length > RECORD_MAX) return RecordKind.BAD
    this.#bytes = Buffer.allocUnsafeSlow(length)
    this.#view = new DataView(this.#bytes.buffer)
    this.#load(position)
    return this.#check(position)
  }

  #load(position: number): void {
    this.#start = position
    this.#length = this.#files.read(position, this.#bytes.length, this.#bytes, 0)
  }

  #check(position: number): RecordKind {
    const record = this.#record
    const at = position - this.#start
    const kind = readRecord(record, this.#view, at, this.#length)
    if (kind !== RecordKind.MESSAGE) return kind
    if (record.position !== position) return RecordKind.BAD
    return !this.#checkCrc || this.#hasGoodBody() ? kind : RecordKind.BAD
  }

  #hasGoodBody(): boolean {
    const { bodyAt, bodyLength, bodyCrc } = this.#record
    return (crc32(this.#bytes.subarray(bodyAt, bodyAt + bodyLength)) & 0x7fffffff) === bodyCrc
  }
}
