import type { Clock } from '../base/clock.ts'
import { DiskWatch, type DiskFill } from './disk-watch.ts'
import { isDiskError } from './disk-error.ts'
import { Job } from './job.ts'
import { LogAge } from './log-age.ts'
import type { LogFiles } from './log-files.ts'
import { Fault, RetentionAsk, Shortage } from './log-memory.ts'
import { removeOldIndexFiles } from './old-index-files.ts'
import { QueueRetention, type QueueRetentionParts } from './queue-retention.ts'
import { RetentionRules, type DeleteReason, type RetentionConfig } from './retention-rules.ts'
import { removeSlowly } from './slow-removal.ts'

/** While sends are refused for lack of space, there may be some again at any moment. */
const LOOK_AGAIN_MS = 1000
/** The next log file waits: dispatch or the sync of the last bytes of the one before is a moment behind. */
const ROOM_PAUSE_MS = 20
/** Threads that were asked to close files are asked again this often. */
const CLOSE_PAUSE_MS = 10
/** A disk that refuses bytes although it says that it has some less than this full is full otherwise. */
const FULL_PERCENT = 98

/**
 * Entries of messages that are older than this need no sync: the kernel has written them back. It does
 * within half a minute (docs/storage.md); wrong here costs offsets, so that it gets four times as long.
 */
const YOUNG_MS = 120_000

/** What an operator should read of it. */
export type StoreNews =
  | { kind: 'deleted'; path: string; reason: DeleteReason; percent: number }
  | { kind: 'notDeleted'; error: string }

/** Settings by Apache's names, see docs/config.md. */
export interface RetentionOptions extends RetentionConfig {
  cleanResourceInterval: number
  deleteFileBatchMax: number
  deleteCommitLogFilesInterval: number
  deleteConsumeQueueFilesInterval: number
  destroyMapedFileIntervalForcibly: number
  redeleteHangedFileInterval: number
}

export interface RetentionParts extends QueueRetentionParts {
  /** As flush sees them. */
  files: LogFiles
  /** The folder of the index files, and the root of the store. */
  indexDirectory: string
  root: string
  /** The time of day, and one for pauses that nobody sets back. */
  clock: Clock
  elapsed: Clock
  /** Threads that open files of the store; flush itself is none of them. */
  closers: readonly number[]
  tell: (news: StoreNews) => void
}

/**
 * Moves `minPosition`: decides which log files go, and takes them away, the oldest first, one per
 * pause. First the position moves, then each queue's `min`, then all threads close what lies
 * below, then the files go; those of queues and of the index follow when they hold nothing else.
 */
export class Retention {
  readonly #parts: RetentionParts
  readonly #options: RetentionOptions
  readonly #rules: RetentionRules
  readonly #watch: DiskWatch
  readonly #age: LogAge
  readonly #queues: QueueRetention
  /** Start of the first log file that is still there. */
  #oldest: number
  #lookAtMs = 0
  /** After a deletion that failed: until then no other is begun. */
  #blockedUntilMs = 0
  #hasBegun = false
  #wasOutOfSpace = false
  #isAsked = false
  #needsRoom = false
  #percent = 0
  #deletion: Job | null = null
  #cleaning: Job | null = null
  /** Files of queues and index were looked through since `minPosition` was this. */
  #cleanedBelow = 0

  constructor(parts: RetentionParts, options: RetentionOptions) {
    this.#parts = parts
    this.#options = options
    this.#rules = new RetentionRules(options)
    this.#watch = new DiskWatch(parts.disk, { log: parts.files.directory, queues: parts.root })
    this.#age = new LogAge(parts.disk, parts.files)
    this.#queues = new QueueRetention(parts)
    this.#oldest = parts.shared.minPosition.value()
  }

  /** A bounded amount of work: a look, or a step of what is under way. Returns how much. */
  turn(): number {
    this.#takeAsks()
    if (!this.#hasBegun) return 0
    try {
      if (this.#deletion === null && this.#isLookDue()) this.#look()
      return this.#goOn()
    } catch (error) {
      if (!isDiskError(error)) throw error
      this.#giveUp(error as Error)
      return 0
    }
  }

  idleMs(): number {
    if (!this.#hasBegun) return Infinity
    const { dueMs } = this.#deletion ?? this.#cleaning ?? { dueMs: Infinity }
    const lookAtMs = this.#deletion === null ? this.#lookAtMs : Infinity
    return Math.max(0, Math.min(dueMs, lookAtMs) - this.#parts.elapsed.now())
  }

  /** The next turn looks: a file was made, say. */
  lookSoon(): void {
    this.#lookAtMs = 0
  }

  /**
   * Whether log files up to `end` would be more than maxStoreBytes while there are some that can go,
   * or soon can: they do in the next turns, and the one that ends at `end` is made after that.
   */
  isMakingRoom(end: number): boolean {
    const { maxStoreBytes } = this.#options
    if (maxStoreBytes === 0 || end - this.#oldest <= maxStoreBytes) return false
    const { shared, files } = this.#parts
    if (this.#oldest >= files.startOfFile(shared.appended.value()) || this.#isBlocked())
      return false
    if (!this.#needsRoom) this.lookSoon()
    this.#needsRoom = true
    return true
  }

  close(): void {
    this.#deletion?.end()
    this.#cleaning?.end()
  }

  #takeAsks(): void {
    const asks = this.#parts.shared.takeAsks()
    if ((asks & RetentionAsk.BEGIN) !== 0) this.#hasBegun = true
    if ((asks & RetentionAsk.DELETE_EXPIRED) !== 0) {
      this.#isAsked = true
      this.lookSoon()
    }
    if ((asks & RetentionAsk.SETTINGS) !== 0) this.lookSoon()
    if ((asks & RetentionAsk.CLEAN_QUEUES) !== 0) this.#cleanedBelow = 0
  }

  #isLookDue(): boolean {
    const isOutOfSpace = this.#parts.shared.fault() === Fault.NO_SPACE
    const hasJustRunOut = isOutOfSpace && !this.#wasOutOfSpace
    this.#wasOutOfSpace = isOutOfSpace
    return hasJustRunOut || this.#parts.elapsed.now() >= this.#lookAtMs
  }

  #look(): void {
    const { elapsed } = this.#parts
    this.#queues.applyChanges() // settings, too
    // Before the disk is asked: a look that throws must not be due again at once.
    this.#lookAtMs = elapsed.now() + this.#options.cleanResourceInterval
    const fill = this.#watch.look()
    const isOver = this.#rules.isOverLevel(fill.percent)
    this.#percent = fill.percent
    this.#parts.shared.publishDiskPercent(fill.logPercent, fill.queuesPercent)
    this.#parts.shared.setShortage(Shortage.OVER_LEVEL, isOver)
    this.#lookAtMs = elapsed.now() + this.#pauseMs(isOver)
    this.#needsRoom = false
    if (this.#isBlocked()) return
    const reasons = this.#choose(fill)
    const { shared, files } = this.#parts
    // A deletion that failed goes on although nothing new is chosen.
    const target = this.#oldest + reasons.length * files.fileSize
    if (Math.max(target, shared.minPosition.value()) > this.#oldest) {
      this.#deletion = new Job(this.#delete(target, reasons), elapsed)
    }
  }

  #pauseMs(isOver: boolean): number {
    if (this.#needsRoom) return ROOM_PAUSE_MS
    return isOver || this.#wasOutOfSpace ? LOOK_AGAIN_MS : this.#options.cleanResourceInterval
  }

  /** Why each of the oldest files goes that do. Where space is short, one: then it looks again. */
  #choose(fill: DiskFill): DeleteReason[] {
    const { files } = this.#parts
    const reasons: DeleteReason[] = []
    const limit = this.#limit()
    for (let start = this.#oldest; start < limit; start += files.fileSize) {
      if (reasons.length === this.#options.deleteFileBatchMax) break
      const reason = this.#reasonFor(start, limit, fill)
      if (reason !== null) reasons.push(reason)
      if (reason === null || reason === 'disk') break
    }
    if (reasons.length < this.#options.deleteFileBatchMax) this.#isAsked = false
    return reasons
  }

  #reasonFor(start: number, last: number, { percent }: DiskFill): DeleteReason | null {
    const { shared, files, clock } = this.#parts
    const end = files.endOfFile(shared.appended.value()) + files.fileSize
    const fallback = shared.storeTimestamp.value()
    return this.#rules.reasonToDelete({
      now: clock.now(),
      percent,
      // It may be descriptors that are short, or a quota: deleting the log would not help for sure.
      isOutOfSpace: this.#wasOutOfSpace && percent >= FULL_PERCENT,
      storeBytes: Math.max(shared.created.value(), end) - start,
      newestMs: this.#age.newestOf(start, { last, fallback }),
      isAsked: this.#isAsked,
    })
  }

  /** Start of the first file that must stay: it is being written, or somebody has yet to follow. */
  #limit(): number {
    const { shared, files } = this.#parts
    return files.startOfFile(Math.min(shared.flushed.value(), shared.dispatched.value()))
  }

  /** Queue files wait for the log's: those may come back with a power failure until they are all gone. */
  #goOn(): number {
    const job = this.#deletion ?? this.#cleaning
    if (job === null) return this.#beginCleaning()
    if (!job.isDue()) return 0
    if (!job.step()) return 1
    if (job === this.#deletion) this.#endDeletion()
    else this.#cleaning = null
    return 1
  }

  #isBlocked(): boolean {
    return this.#parts.elapsed.now() < this.#blockedUntilMs
  }

  #endDeletion(): void {
    this.#deletion = null
    this.lookSoon() // there may be more to do
  }

  #beginCleaning(): number {
    const minPosition = this.#parts.shared.minPosition.value()
    if (this.#isBlocked() || minPosition <= this.#cleanedBelow) return 0
    this.#cleanedBelow = minPosition
    this.#cleaning = new Job(this.#clean(minPosition), this.#parts.elapsed)
    return 1
  }

  *#delete(target: number, reasons: readonly DeleteReason[]): Generator<number, void> {
    const { shared, files } = this.#parts
    const minPosition = Math.max(target, shared.minPosition.value())
    shared.minPosition.publish(minPosition)
    yield* this.#queues.moveMins(minPosition, this.#isYoung(minPosition))
    yield* this.#awaitClosed(minPosition)
    const first = this.#oldest
    while (this.#oldest < minPosition) {
      const reason = reasons[(this.#oldest - first) / files.fileSize] ?? 'disk'
      yield* this.#remove(this.#oldest, reason)
      this.#oldest += files.fileSize
      const isLast = this.#oldest === minPosition
      if (!(isLast && this.#needsRoom)) yield this.#options.deleteCommitLogFilesInterval
    }
  }

  /** Whether the kernel may not have written back yet what dispatch made of messages below. */
  #isYoung(position: number): boolean {
    const { shared, files, clock } = this.#parts
    const fallback = shared.storeTimestamp.value()
    const newestMs = this.#age.newestOf(position - files.fileSize, { last: position, fallback })
    return newestMs > clock.now() - YOUNG_MS
  }

  *#awaitClosed(position: number): Generator<number, void> {
    const { shared, files, elapsed, closers } = this.#parts
    shared.deletable.publish(position)
    files.closeBelow(position)
    const until = elapsed.now() + this.#options.destroyMapedFileIntervalForcibly
    for (const thread of closers) {
      while (shared.closedBy(thread) < position && elapsed.now() < until) {
        shared.signalOf(thread).wake()
        yield CLOSE_PAUSE_MS
      }
    }
  }

  *#remove(start: number, reason: DeleteReason): Generator<number, void> {
    const { disk, files, tell } = this.#parts
    const path = files.path(start)
    if (!disk.exists(path)) return // somebody else has removed it
    yield* removeSlowly(disk, path)
    disk.syncDirectory(files.directory) // a later file must not be gone while this one is there
    tell({ kind: 'deleted', path, reason, percent: this.#percent })
  }

  *#clean(minPosition: number): Generator<number, void> {
    const { disk, indexDirectory } = this.#parts
    const pauseMs = this.#options.deleteConsumeQueueFilesInterval
    yield* this.#queues.removeFiles(pauseMs)
    yield* removeOldIndexFiles(disk, indexDirectory, { minPosition, pauseMs })
  }

  /** The disk would not: it is tried again, later. */
  #giveUp(error: Error): void {
    this.close()
    this.#deletion = null
    this.#cleaning = null
    this.#cleanedBelow = 0
    this.#blockedUntilMs = this.#parts.elapsed.now() + this.#options.redeleteHangedFileInterval
    this.#parts.tell({ kind: 'notDeleted', error: error.message })
  }
}
