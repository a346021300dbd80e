import { viewOf } from '../base/bytes.ts'
import { crc32 } from '../base/crc32.ts'
import type { FileSource } from './file-source.ts'
import { logFileName } from './log-files.ts'
import type { LogShared } from './log-memory.ts'
import type { LogWindow } from './log-window.ts'
import { readRecord, RECORD_LENGTH_MIN, RecordKind, RecordParts } from './log-record.ts'

/** Most records are no longer, and are read at once. */
const FIRST_LENGTH = 4096
/** What tells how long a record is. */
const START_LENGTH = 4

/** A whole message as it is stored, and where its parts lie in `bytes`. */
export interface StoredRecord {
  bytes: Buffer
  parts: RecordParts
}

export interface StoredRecordsParts {
  window: LogWindow
  /** The folder of the log. */
  files: FileSource
  fileSize: number
  /** How far anyone may look. */
  visible: () => number
}

/** Messages by their position in the log. For one thread with an event loop. */
export class StoredRecords {
  readonly #shared: LogShared
  readonly #parts: StoredRecordsParts

  constructor(shared: LogShared, parts: StoredRecordsParts) {
    this.#shared = shared
    this.#parts = parts
  }

  /** Null: no message begins at this position, or it is deleted, damaged or not to be seen yet. */
  async at(position: number): Promise<StoredRecord | null> {
    const end = this.#endOf(position)
    if (end - position < RECORD_LENGTH_MIN) return null
    const bytes = this.#inWindow(position, end) ?? (await this.#inFile(position, end))
    return bytes === null ? null : check(bytes, position)
  }

  /** Behind the last byte that a record at this position may have: none reaches into the next file. */
  #endOf(position: number): number {
    if (!Number.isSafeInteger(position) || position < this.#shared.minPosition.value()) return 0
    const { fileSize, visible } = this.#parts
    return Math.min(position - (position % fileSize) + fileSize, visible())
  }

  #inWindow(position: number, end: number): Buffer | null {
    if (!this.#shared.floor.guard(position)) return null
    try {
      const start = this.#copy(position, START_LENGTH)
      const length = recordLength(start, end - position)
      return length === 0 ? start : this.#copy(position, length)
    } finally {
      this.#shared.floor.clear()
    }
  }

  #copy(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    this.#parts.window.copyOut(position, length, bytes, 0)
    return bytes
  }

  async #inFile(position: number, end: number): Promise<Buffer | null> {
    const { fileSize, files } = this.#parts
    const start = position - (position % fileSize)
    const file = await files.open(logFileName(start))
    if (file === null) return null
    try {
      const first = Buffer.allocUnsafe(Math.min(FIRST_LENGTH, end - position))
      if ((await file.read(first, position - start)) < first.length) return null
      const length = recordLength(first, end - position)
      if (length <= first.length) return first.subarray(0, length)
      const bytes = Buffer.allocUnsafe(length)
      return (await file.read(bytes, position - start)) < length ? null : bytes
    } finally {
      await file.close()
    }
  }
}

/** What the bytes at a position say; 0 when that cannot be. */
function recordLength(bytes: Buffer, lengthMax: number): number {
  const length = bytes.readInt32BE()
  return length < RECORD_LENGTH_MIN || length > lengthMax ? 0 : length
}

function check(bytes: Buffer, position: number): StoredRecord | null {
  const parts = new RecordParts()
  const view = viewOf(bytes)
  if (readRecord(parts, view, 0, bytes.length) !== RecordKind.MESSAGE) return null
  if (parts.position !== position) return null
  const crc = crc32(view, parts.bodyAt, parts.bodyLength) & 0x7fffffff
  return crc === parts.bodyCrc ? { bytes, parts } : null
}
