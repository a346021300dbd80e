import { viewOf } from '../base/bytes.ts'
import type { FileSource } from './file-source.ts'
import { logFileName } from './log-files.ts'
import type { LogShared } from './log-memory.ts'
import type { LogWindow } from './log-window.ts'
import {
  hasGoodBody,
  readHead,
  readRecord,
  RECORD_LENGTH_MIN,
  RecordAt,
  RecordKind,
  RecordParts,
} from './log-record.ts'

/** Most records are no longer, and are read at once. */
const FIRST_LENGTH = 4096
/** Topic and properties, whose lengths take two bytes each. */
const TAIL_LENGTH_MAX = 2 * (2 + 0x7fff)

/** A whole message as it is stored, and where its parts lie in `bytes`. */
export interface StoredRecord {
  bytes: Buffer
  parts: RecordParts
}

/** Tells which messages are wanted before much of them is read. */
export interface RecordSieve {
  /** Is given the record as it would be without its body, whose checksum is not known yet. */
  isWanted(record: StoredRecord): boolean
  /** Grows by all bytes that are read, in vain or not. */
  bytesRead: number
}

/** Where a piece lies, from the start of its record. */
interface Piece {
  at: number
  length: number
}

/** Reads a record: says which piece it needs next, and is given its bytes. */
type Reading = Generator<Piece, StoredRecord | null, Buffer>

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

  /**
   * Null: no message begins at this position, or it is deleted, damaged, not to be seen yet or not
   * wanted.
   */
  async at(position: number, sieve: RecordSieve | null = null): Promise<StoredRecord | null> {
    const end = this.#endOf(position)
    if (end - position < RECORD_LENGTH_MIN) return null
    const read = () => reading(position, end - position, sieve)
    if (!this.#shared.floor.guard(position)) return this.#inFile(position, read())
    try {
      return this.#inWindow(position, read())
    } finally {
      this.#shared.floor.clear()
    }
  }

  /** Behind the last byte that a record at this position may have: none reaches into the next file. */
  #endOf(position: number): number {
    if (!Number.isSafeInteger(position) || position < this.#shared.minPosition.value()) return 0
    const { fileSize, visible } = this.#parts
    return Math.min(position - (position % fileSize) + fileSize, visible())
  }

  #inWindow(position: number, record: Reading): StoredRecord | null {
    let step = record.next()
    while (step.done !== true) {
      const { at, length } = step.value
      const bytes = Buffer.allocUnsafe(length)
      this.#parts.window.copyOut(position + at, length, bytes, 0)
      step = record.next(bytes)
    }
    return step.value
  }

  async #inFile(position: number, record: Reading): Promise<StoredRecord | null> {
    const { fileSize, files } = this.#parts
    const start = position - (position % fileSize)
    const file = await files.open(logFileName(start))
    if (file === null) return null
    try {
      let step = record.next()
      while (step.done !== true) {
        const { at, length } = step.value
        const bytes = Buffer.allocUnsafe(length)
        if ((await file.read(bytes, position - start + at)) < length) return null
        step = record.next(bytes)
      }
      return step.value
    } finally {
      await file.close()
    }
  }
}

function* reading(position: number, lengthMax: number, sieve: RecordSieve | null): Reading {
  const first = yield* take({ at: 0, length: Math.min(FIRST_LENGTH, lengthMax) }, sieve)
  const length = first.readInt32BE()
  if (length < RECORD_LENGTH_MIN || length > lengthMax) return null
  if (sieve !== null) {
    const bodiless = yield* withoutBody(first.subarray(0, length), length, sieve)
    if (bodiless?.parts.position !== position || !sieve.isWanted(bodiless)) return null
  }
  const isShort = length <= first.length
  return check(
    isShort ? first.subarray(0, length) : yield* take({ at: 0, length }, sieve),
    position,
  )
}

function* take(piece: Piece, sieve: RecordSieve | null): Generator<Piece, Buffer, Buffer> {
  if (sieve !== null) sieve.bytesRead += piece.length
  return yield piece
}

/** Of a body of 4 MiB nothing is read. Null: its lengths do not add up. */
function* withoutBody(first: Buffer, length: number, sieve: RecordSieve): Reading {
  const parts = new RecordParts()
  const headLength = readHead(parts, viewOf(first), 0) + 4
  if (headLength > first.length) return null
  const tailAt = headLength + first.readInt32BE(headLength - 4)
  const tailLength = length - tailAt
  if (tailAt < headLength || tailLength < 0 || tailLength > TAIL_LENGTH_MAX) return null
  const isShort = length <= first.length
  const tail = isShort
    ? first.subarray(tailAt)
    : yield* take({ at: tailAt, length: tailLength }, sieve)
  const bytes = Buffer.concat([first.subarray(0, headLength), tail])
  bytes.writeInt32BE(bytes.length, RecordAt.LENGTH)
  bytes.writeInt32BE(0, headLength - 4)
  const kind = readRecord(parts, viewOf(bytes), 0, bytes.length)
  return kind === RecordKind.MESSAGE ? { bytes, parts } : null
}

function check(bytes: Buffer, position: number): StoredRecord | null {
  const parts = new RecordParts()
  const view = viewOf(bytes)
  if (readRecord(parts, view, 0, bytes.length) !== RecordKind.MESSAGE) return null
  if (parts.position !== position || !hasGoodBody(view, parts)) return null
  return { bytes, parts }
}
