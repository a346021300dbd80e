import { type Clock, monotonicClock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { isDiskError, isPassing } from './disk-error.ts'
import { Fault, Thread, type LogShared } from './log-memory.ts'
import type { LogFiles } from './log-files.ts'
import type { LogWindow } from './log-window.ts'

/** A write that takes longer than this, and than its size explains, is slow. */
const SLOW_MS = 5
const BYTES_PER_MS = 512 * 1024
/** So many slow ones in a row, and flush does the writing; so many quick ones, and no longer. */
const SLOW_WRITES = 2
const QUICK_WRITES = 16

/**
 * Moves `written`: what was appended goes to the files in order, by one thread at a time, so a
 * kill -9 never leaves a hole below it. Bytes in the page cache survive the process.
 */
export class LogWriter {
  readonly #shared: LogShared
  readonly #window: LogWindow
  readonly #files: LogFiles
  readonly #disk: Disk
  readonly #clock: Clock
  /** What this thread has seen of `written`: it only grows. */
  #seen = 0
  /** Writes in a row that were slow, or quick. */
  #inRow = 0
  #wasSlow = false

  constructor(
    shared: LogShared,
    window: LogWindow,
    files: LogFiles,
    disk: Disk,
    clock: Clock = monotonicClock,
  ) {
    this.#shared = shared
    this.#window = window
    this.#files = files
    this.#disk = disk
    this.#clock = clock
  }

  /**
   * True: everything that was appended before the call is written. False: the disk refused, the
   * fault word says how; what is below `written` stays true.
   */
  write(): boolean {
    const target = this.#shared.appended.value()
    if (this.#shared.written.value() >= target) return true
    this.#shared.writeLock.acquire()
    const from = this.#clock.now()
    const start = this.#shared.written.peek()
    const isDone = this.#writeLocked()
    this.#judge(this.#clock.now() - from, this.#shared.written.peek() - start)
    this.#shared.writeLock.release()
    return isDone
  }

  /** Whether more than `length` bytes below `position` are in no file yet. Cheap when they are not. */
  isBehind(position: number, length: number): boolean {
    if (position - this.#seen <= length) return false
    this.#seen = this.#shared.written.value()
    return position - this.#seen > length
  }

  /** Bytes appended that are in no file yet. */
  unwritten(): number {
    return this.#shared.appended.value() - this.#shared.written.value()
  }

  #writeLocked(): boolean {
    if (this.#shared.fault() === Fault.FENCED) return false
    // The time first, then the position: the record with this time then lies below `end`.
    const timestamp = this.#shared.storeTimestamp.value()
    const end = this.#shared.appended.value()
    let position = this.#shared.written.peek()
    while (position < end) {
      const pieceEnd = this.#pieceEnd(position, end)
      if (!this.#writePiece(position, pieceEnd)) return false
      this.#shared.written.publish(pieceEnd)
      position = pieceEnd
      // A file is full: the next but one must be made, and perhaps an old one go.
      if (pieceEnd % this.#files.fileSize === 0) this.#shared.signalOf(Thread.FLUSH).rouse()
    }
    this.#shared.writtenTimestamp.publish(timestamp)
    if ((this.#shared.refusal() & Fault.NO_SPACE) !== 0) this.#endShortage()
    return true
  }

  /** Flush would not try again any more: who waits for these bytes is told here, and main, who logs it. */
  #endShortage(): void {
    this.#shared.setFault(Fault.NONE)
    this.#shared.wakeWaiting()
    this.#shared.signalOf(Thread.DISPATCH).wake()
    this.#shared.signalOf(Thread.MAIN).wake()
  }

  /** Whether the disk is so slow that only the thread whose job it is should wait for it. */
  #judge(milliseconds: number, bytes: number): void {
    const isSlow = milliseconds > SLOW_MS + bytes / BYTES_PER_MS
    this.#inRow = isSlow === this.#wasSlow ? this.#inRow + 1 : 1
    this.#wasSlow = isSlow
    if (isSlow && this.#inRow === SLOW_WRITES) this.#shared.setStalled(true)
    const isFlush = this.#shared.thread === Thread.FLUSH
    if (!isFlush || isSlow || this.#inRow < QUICK_WRITES) return
    this.#shared.setStalled(false)
    this.#inRow = 0
  }

  /** Up to the end of the window's memory or of the file, whichever comes first. */
  #pieceEnd(position: number, end: number): number {
    const windowEnd = position + this.#window.size - this.#window.index(position)
    return Math.min(end, windowEnd, this.#files.endOfFile(position))
  }

  #writePiece(position: number, end: number): boolean {
    try {
      const { descriptor, start } = this.#files.at(position)
      this.#disk.pwrite(descriptor, {
        buffer: this.#window.bytes,
        offset: this.#window.index(position),
        length: end - position,
        position: position - start,
      })
    } catch (error) {
      this.#onError(error)
      return false
    }
    return true
  }

  /** No space may come back; any other error means that we no longer know what the file holds. */
  #onError(error: unknown): void {
    if (!isDiskError(error)) throw error
    this.#shared.setFault(isPassing(error) ? Fault.NO_SPACE : Fault.FENCED)
    this.#shared.signalOf(Thread.FLUSH).rouse() // it retries when there is space
    this.#shared.signalOf(Thread.MAIN).wake() // it says so in the log
  }
}
