import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { Agent } from '../ring/agent.ts'
import { Checkpoint, readCheckpoint, type CheckpointTimes } from './checkpoint.ts'
import { isDiskError, isOutOfDescriptors, isPassing } from './disk-error.ts'
import type { LogFiles } from './log-files.ts'
import { Fault, Shortage, Thread, type LogShared } from './log-memory.ts'
import type { LogWriter } from './log-writer.ts'
import type { Retention } from './retention.ts'

/** Files kept ready beyond the one being written. */
const FILES_AHEAD = 1
/** While the disk is full, the unwritten bytes are tried again this often. */
const RETRY_MS = 200
/**
 * Consume queues are not synced one by one; the kernel writes dirty pages back within about 30 s.
 * So the checkpoint tells of dispatches that are at least this old.
 */
const DISPATCH_AGE_MS = 60_000
/** Apache 5.3.3 writes its checkpoint as often; it costs a sync of its own. */
const CHECKPOINT_MS = 1000
/** As Apache counts what the log has grown by. */
const PAGE = 4096

export interface FlushOptions {
  root: string
  isSyncFlush: boolean
  /** flushIntervalCommitLog: with ASYNC_FLUSH, time between two looks whether there is enough to sync. */
  intervalMs: number
  /** flushCommitLogLeastPages: less than so many pages are synced only with the next setting. */
  leastPages: number
  /** flushCommitLogThoroughInterval: time after which whatever there is gets synced. */
  thoroughMs: number
}

export interface FlushParts {
  files: LogFiles
  writer: LogWriter
  disk: Disk
  clock: Clock
  /** None: nothing is ever deleted. */
  retention?: Retention
}

/**
 * Moves `flushed`, and makes log files ahead of the appenders. With SYNC_FLUSH whatever was written
 * while one sync ran is covered by the next: groups form by themselves.
 */
export class FlushAgent implements Agent {
  readonly #shared: LogShared
  readonly #files: LogFiles
  readonly #writer: LogWriter
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #options: FlushOptions
  readonly #retention: Retention | undefined
  readonly #checkpoint: Checkpoint
  #times: CheckpointTimes
  #checkpointDueMs = 0
  #flushDueMs = 0
  /** When bytes were first found that wait for their sync; 0 when none do. */
  #behindSinceMs = 0
  #dispatchSample = { atMs: 0, timestamp: 0 }

  constructor(shared: LogShared, parts: FlushParts, options: FlushOptions) {
    this.#shared = shared
    this.#files = parts.files
    this.#writer = parts.writer
    this.#disk = parts.disk
    this.#clock = parts.clock
    this.#options = options
    this.#retention = parts.retention
    this.#times = this.#knownTimes()
    this.#checkpoint = new Checkpoint(parts.disk, options.root)
    this.#createAhead()
  }

  /** The last run's: until there are newer ones, a crash must not mean to begin at the first file. */
  #knownTimes(): CheckpointTimes {
    const times = readCheckpoint(this.#disk, this.#options.root)
    const latest = this.#shared.dispatchedTimestamp.value() // later ones are garbage
    const { physic, logics } = times
    return { ...times, physic: Math.min(physic, latest), logics: Math.min(logics, latest) }
  }

  /** With ASYNC_FLUSH a write must not wake it before the interval is over; the first one must. */
  naps = false

  turn(): number {
    const created = this.#createAhead() + this.#writeWhenAsked()
    if (this.#isOutOfSpace()) this.#retryWrite()
    const flushed = this.#flushWhenDue()
    return created + flushed + (this.#retention?.turn() ?? 0)
  }

  #flushWhenDue(): number {
    const isBehind = this.#isBehind()
    this.naps = isBehind && !this.#options.isSyncFlush
    if (isBehind) return this.#isDue() ? this.#flush() : 0
    this.#flushDueMs = this.#behindSinceMs = 0
    return 0
  }

  idleMs(): number {
    return Math.min(this.#flushIdleMs(), this.#retention?.idleMs() ?? Infinity)
  }

  #flushIdleMs(): number {
    if (this.#shared.fault() === Fault.NO_SPACE) return RETRY_MS
    if (!this.#isBehind()) return Infinity
    return Math.max(0, this.#flushDueMs - this.#clock.now())
  }

  close(): void {
    if (this.#isBehind()) this.#flush()
    this.#retention?.close()
    this.#checkpoint.close()
    this.#files.closeAll()
  }

  /** While the disk is slow, the network workers leave the writing to this thread. */
  #writeWhenAsked(): number {
    if (!this.#shared.takeWriteAsked()) return 0
    this.#writer.write()
    this.#shared.wakeWaiting()
    this.#shared.signalOf(Thread.DISPATCH).wake()
    return 1
  }

  /** There may be space again: then sends wait for their answers, and dispatch for its records. */
  #retryWrite(): void {
    if (!this.#writer.write() || !this.#isOutOfSpace()) return // the writer has told them
    this.#setFault(Fault.NONE)
    this.#shared.wakeWaiting()
    this.#shared.signalOf(Thread.DISPATCH).wake()
  }

  /** For a write or a sync; a file that is lacking is another matter: see Shortage. */
  #isOutOfSpace(): boolean {
    return (this.#shared.refusal() & Fault.NO_SPACE) !== 0
  }

  #isBehind(): boolean {
    const isFenced = this.#shared.fault() === Fault.FENCED
    return !isFenced && this.#shared.flushed.value() < this.#shared.written.value()
  }

  #isDue(): boolean {
    if (this.#options.isSyncFlush) return true
    const now = this.#clock.now()
    const latest = now + this.#options.intervalMs
    if (this.#behindSinceMs === 0 || this.#behindSinceMs > now) this.#behindSinceMs = now
    // Later than that: the clock was set back, and what is written must not wait for it.
    if (this.#flushDueMs === 0 || this.#flushDueMs > latest) this.#flushDueMs = latest
    if (this.#hasFullFile()) return true // once in a file; before that none before it can go
    if (now < this.#flushDueMs) return false
    if (this.#isEnough() || now >= this.#behindSinceMs + this.#options.thoroughMs) return true
    this.#flushDueMs = latest
    return false
  }

  #hasFullFile(): boolean {
    return this.#shared.written.value() >= this.#files.endOfFile(this.#shared.flushed.value())
  }

  /** Whether it is worth a sync (Apache 5.3.3, isAbleToFlush). */
  #isEnough(): boolean {
    const [flushed, written] = [this.#shared.flushed.value(), this.#shared.written.value()]
    return Math.floor(written / PAGE) - Math.floor(flushed / PAGE) >= this.#options.leastPages
  }

  #flush(): number {
    // The time first: it then belongs to a record below the position.
    const physic = this.#shared.writtenTimestamp.value()
    const end = this.#shared.written.value()
    if (!this.#sync(end)) return 0
    this.#shared.flushed.publish(end)
    this.#shared.wakeWaiting()
    if (this.#options.isSyncFlush) this.#shared.signalOf(Thread.DISPATCH).wake()
    this.#writeCheckpoint(physic)
    this.#flushDueMs = this.#behindSinceMs = 0
    return 1
  }

  /** False: from now on nobody is answered OK. Linux reports the next sync as fine although data is gone. */
  #sync(end: number): boolean {
    try {
      for (let at = this.#shared.flushed.value(); at < end; at = this.#files.endOfFile(at)) {
        this.#disk.fdatasync(this.#files.at(at).descriptor)
      }
      return true
    } catch (error) {
      if (!isDiskError(error)) throw error
      // Without a descriptor the sync was not tried, so it did not fail: that may pass.
      this.#setFault(isOutOfDescriptors(error) ? Fault.NO_SPACE : Fault.FENCED)
      this.#shared.wakeWaiting()
      return false
    }
  }

  #setFault(fault: number): void {
    this.#shared.setFault(fault)
    this.#shared.signalOf(Thread.MAIN).wake()
  }

  /** What was dispatched DISPATCH_AGE_MS ago. */
  #settledDispatch(): number {
    const now = this.#clock.now()
    if (now - this.#dispatchSample.atMs < DISPATCH_AGE_MS) return this.#times.logics
    const { timestamp } = this.#dispatchSample
    this.#dispatchSample = { atMs: now, timestamp: this.#shared.dispatchedTimestamp.value() }
    return Math.max(timestamp, this.#times.logics)
  }

  #writeCheckpoint(physic: number): void {
    const now = this.#clock.now()
    if (now < this.#checkpointDueMs) return
    this.#checkpointDueMs = now + CHECKPOINT_MS
    const confirmed = this.#shared.flushed.value()
    this.#times = { ...this.#times, physic, confirmed, logics: this.#settledDispatch() }
    const { indexDurable } = this.#shared
    try {
      do {
        this.#times = { ...this.#times, index: indexDurable.value() }
        this.#checkpoint.write(this.#times)
        // Set back meanwhile: dispatch drops index files, and may have written before us, see `dropFrom`.
      } while (indexDurable.value() < this.#times.index)
    } catch (error) {
      if (!isDiskError(error)) throw error // an older checkpoint only makes a recovery longer
    }
  }

  #createAhead(): number {
    const wanted =
      this.#files.endOfFile(this.#shared.appended.value()) + FILES_AHEAD * this.#files.fileSize
    let created = this.#shared.created.value()
    if (created >= wanted || this.#shared.fault() === Fault.FENCED) return 0
    if (this.#mayWait(created)) return 0
    while (created < wanted) {
      if (!this.#create(created)) return 0
      created += this.#files.fileSize
      this.#shared.publishCreated(created)
    }
    this.#retention?.lookSoon() // a whole file more may be written before the next look
    return 1
  }

  /** While there is half a file to write yet, the next one waits until an old one has made room. */
  #mayWait(created: number): boolean {
    const left = created - this.#shared.appended.value()
    if (left * 2 < this.#files.fileSize) return false
    return this.#retention?.isMakingRoom(created + this.#files.fileSize) === true
  }

  /** False: the disk refused. Sends are refused, too, before they wait for a file in vain. */
  #create(start: number): boolean {
    try {
      this.#files.create(start)
      this.#shared.setShortage(Shortage.NO_FILE, false)
      return true
    } catch (error) {
      if (!isDiskError(error)) throw error
      if (isPassing(error)) this.#shared.setShortage(Shortage.NO_FILE, true)
      else this.#setFault(Fault.FENCED)
      return false
    }
  }
}
