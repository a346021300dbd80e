import type { Clock } from '../base/clock.ts'
import type { LightCopies } from './light-copies.ts'
import { BLANK_LENGTH, BLANK_MAGIC } from './log-record.ts'
import { type LogShared } from './log-memory.ts'
import type { LogWindow } from './log-window.ts'

/** How an append went. Everything but OK left the log as it was (a file end may have been passed). */
export const AppendStatus = {
  OK: 0,
  /** The window is full of bytes that are unwritten or being read: try after a write, or be busy. */
  NO_ROOM: 1,
  /** The flush worker has not made the next file yet (it makes it ahead). */
  NO_FILE: 2,
} as const
export type AppendStatus = (typeof AppendStatus)[keyof typeof AppendStatus]

/** Something to append: one record, or a batch of them that share a queue and one file. */
export interface RecordSource {
  /** The row of its queue. */
  row: number
  /** Bytes of all records together. */
  length: number
  /** How many queue offsets it takes. */
  count: number
  /** Filled by the append. */
  position: number
  queueOffset: number
  storeTimestamp: number
  /** Writes the records at `index` of the window's view, contiguously, from the fields above. */
  encodeInto(window: LogWindow, index: number): void
}

/**
 * Puts records behind `appended`, from any thread, one at a time under the append lock: so queue
 * order is log order is time order, and everything below `appended` is complete.
 */
export class LogAppender {
  readonly #shared: LogShared
  readonly #window: LogWindow
  readonly #fileSize: number
  readonly #clock: Clock
  /** What this thread has seen of `created`: it only grows. */
  #created = 0

  constructor(shared: LogShared, window: LogWindow, options: { fileSize: number; clock: Clock }) {
    this.#shared = shared
    this.#window = window
    this.#fileSize = options.fileSize
    this.#clock = options.clock
  }

  /** `copies`: of a message that stands in light queues, too. */
  append(source: RecordSource, copies: LightCopies | null = null): AppendStatus {
    this.#shared.appendLock.acquire()
    const status = this.#appendWith(copies, source)
    this.#shared.appendLock.release()
    return status
  }

  #appendWith(copies: LightCopies | null, source: RecordSource): AppendStatus {
    if (copies === null) return this.#appendLocked(source)
    copies.number(this.#shared.rows)
    const status = this.#appendLocked(source)
    if (status === AppendStatus.OK) copies.count(this.#shared.rows)
    return status
  }

  #appendLocked(source: RecordSource): AppendStatus {
    let position = this.#shared.appended.peek()
    const fileEnd = (Math.floor(position / this.#fileSize) + 1) * this.#fileSize
    // Every file ends with a blank of at least 8 bytes (Apache 5.3.3, CommitLog).
    if (source.length + BLANK_LENGTH > fileEnd - position) {
      if (!this.#window.makeRoom(fileEnd)) return AppendStatus.NO_ROOM
      this.#endFile(position, fileEnd)
      position = fileEnd
    }
    const end = position + source.length
    if (!this.#window.makeRoom(end)) return AppendStatus.NO_ROOM
    if (!this.#hasFile(end)) return AppendStatus.NO_FILE
    this.#place(source, position)
    return AppendStatus.OK
  }

  #hasFile(end: number): boolean {
    if (this.#created >= end) return true
    this.#created = this.#shared.created.value()
    return this.#created >= end
  }

  #place(source: RecordSource, position: number): void {
    const shared = this.#shared
    const index = this.#window.index(position)
    source.position = position
    source.queueOffset = shared.rows.next(source.row)
    const last = shared.storeTimestamp.peek()
    source.storeTimestamp = Math.max(this.#clock.now(), last)
    source.encodeInto(this.#window, index)
    this.#window.copyOverrun(position, source.length)
    shared.rows.publishNext(source.row, source.queueOffset + source.count)
    shared.appended.publish(position + source.length) // publishes the record
    if (source.storeTimestamp === last) return
    shared.storeTimestamp.publish(source.storeTimestamp) // after: see LogWriter
  }

  /** A blank record takes the rest of the file; its zeros are real bytes, slaves are sent them. */
  #endFile(position: number, fileEnd: number): void {
    const window = this.#window
    const index = window.index(position)
    window.zero(position, fileEnd)
    // Contiguous as every record is, also where it straddles the window's end.
    window.view.setInt32(index, fileEnd - position)
    window.view.setInt32(index + 4, BLANK_MAGIC)
    window.copyOverrun(position, BLANK_LENGTH)
    this.#shared.appended.publish(fileEnd)
  }
}
