import { fdatasync } from 'node:fs'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../log/log.ts'
import type { TimerCheck } from '../store/timer-check.ts'
import type { TimerFiles } from '../store/timer-files.ts'
import { nextVersion } from './data-version.ts'
import type { TimerBook } from './timer-book.ts'

/** Makes a file durable, off the event loop. */
export type SyncLater = (descriptor: number) => Promise<void>

export const syncLater: SyncLater = (descriptor) =>
  new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)))
  })

/** How far the log of messages is. */
export interface LogEnds {
  appended(): number
  flushed(): number
  /** Where it begins. */
  min(): number
}

export interface TimerProgressParts {
  files: TimerFiles
  book: TimerBook
  /** Messages of the timer queue below it were put in. */
  queueOffset: () => number
  ends: LogEnds
  syncLater: SyncLater
  intervalMs: number
  clock: Clock
  log: Log
  /** After each check point. */
  onCheck: () => Promise<void>
}

/**
 * Keeps the check point: what it says is done was done by messages, units and slots that are on the disk. So it
 * waits until the log is flushed beyond what had been delivered then.
 */
export class TimerProgress {
  readonly #parts: TimerProgressParts
  #check: TimerCheck
  #waiting: { check: TimerCheck; after: number } | null = null
  #isChanged = false
  /** A file could not be synced: nobody knows what the disk has of it. The next start finds out. */
  #isFenced = false
  #timer: NodeJS.Timeout | undefined
  #run: Promise<void> = Promise.resolve()

  constructor(parts: TimerProgressParts, last: TimerCheck) {
    this.#parts = parts
    this.#check = last
  }

  /** The last one that is on the disk. */
  get check(): TimerCheck {
    return this.#check
  }

  /** Ends when nothing is being written. */
  get settled(): Promise<void> {
    return this.#run
  }

  /** What was put in is written, or something was delivered: that survives the end of the process at once. */
  onProgress(): void {
    this.#writeLive()
    this.#isChanged = true
    this.#timer ??= setTimeout(() => this.#tick(), this.#parts.intervalMs)
  }

  /**
   * The clock was set back. Durable before anything is put in: by the old check point the next start would take
   * it for delivered. Throws when the disk refuses.
   */
  setBack(readMs: number): void {
    const { files, queueOffset } = this.#parts
    const check = { ...this.#check, readMs }
    files.check.writeLive(readMs, queueOffset())
    files.check.setBack(check)
    this.#check = check
    if (this.#waiting !== null) this.#waiting.check = { ...this.#waiting.check, readMs }
  }

  /** Nothing changes any more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#run
    if (this.#isWritten()) this.#writeLive()
  }

  #writeLive(): void {
    const { files, book, queueOffset } = this.#parts
    files.check.writeLive(book.readMs, queueOffset())
  }

  /** After the log was flushed for the last time. */
  async seal(): Promise<void> {
    this.#waiting = null
    this.#isChanged = true
    await this.#step()
  }

  #tick(): void {
    this.#timer = undefined
    this.#run = this.#step()
      .catch((error: unknown) => {
        this.#isFenced = true
        this.#parts.log.error({ error: String(error) }, 'the timer check point cannot be written')
      })
      .then(() => {
        if (this.#isFenced || (this.#waiting === null && !this.#isChanged)) return
        this.#timer ??= setTimeout(() => this.#tick(), this.#parts.intervalMs)
      })
  }

  async #step(): Promise<void> {
    if (this.#isFenced) return
    if (this.#waiting === null && this.#isChanged) await this.#take()
    const { files, ends, syncLater: sync } = this.#parts
    if (this.#waiting === null || ends.flushed() < this.#waiting.after) return
    files.check.write(this.#waiting.check)
    await sync(files.check.descriptor)
    this.#check = this.#waiting.check
    this.#waiting = null
    files.log.removeBelow(ends.min())
    await this.#parts.onCheck()
  }

  /** What is true now; units and slots are made durable. */
  async #take(): Promise<void> {
    const { files, book, queueOffset, ends, clock, syncLater: sync } = this.#parts
    if (!this.#isWritten()) return
    this.#isChanged = false
    const version = nextVersion(this.#check.version, clock.now())
    const logEnd = files.log.end
    const check = { readMs: book.readMs, logEnd, queueOffset: queueOffset(), version }
    const after = ends.appended()
    const descriptors = [...files.log.takeUnsynced(), files.wheel.descriptor]
    await Promise.all(descriptors.map((descriptor) => sync(descriptor)))
    this.#waiting = { check, after }
  }

  /** A full disk may have room again at the next look. */
  #isWritten(): boolean {
    try {
      this.#parts.book.write()
      return true
    } catch (error) {
      this.#parts.log.error({ error: String(error) }, 'timers cannot be written')
      return false
    }
  }
}
