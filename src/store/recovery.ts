import { dirname, join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import type { CheckpointTimes } from './checkpoint.ts'
import type { QueuePlace } from './consume-queue.ts'
import { DescriptorCache } from './descriptor-cache.ts'
import { LogFiles } from './log-files.ts'
import { LogRecovery } from './log-recovery.ts'
import {
  beginRebuild,
  beginRecovery,
  StopKind,
  type CleanStop,
  type LastStop,
} from './last-stop.ts'
import { HEAD_LENGTH, storeTimeIn } from './log-record.ts'
import { LogScan, type RecordVisitor } from './log-scan.ts'
import { removeManifestsAbove } from './manifest.ts'
import { QueueFiller } from './queue-filler.ts'
import { READ_ALONE, type ScanAnswer, type ScanAsk } from './scan-digest.ts'
import { QueueRecovery, type QueueState } from './queue-recovery.ts'
import { QueueStates } from './queue-states.ts'
import { StaleEntries } from './stale-entries.ts'

const DESCRIPTORS_MAX = 1024
/** How far a checkpoint's times may be ahead of what is on the disk (Apache 5.3.3). */
const CHECKPOINT_SLACK_MS = 3000
/** Dispatch writes entries in lots, queue by queue: of so much of the log some may be missing. */
const DISPATCH_LAG = 1024 * 1024

export interface RecoveryOptions {
  root: string
  logDirectory: string
  logFileSize: number
  queues: QueuePlace
  lastStop: LastStop
  checkCrc: boolean
  times: CheckpointTimes
  /** Topics that were deleted: their records below the position have no entries any more. */
  deletedBelow: ReadonlyMap<string, number>
  /** Messages may stand in light queues, too. */
  hasLightQueues?: boolean
  /** Of delay levels 1, 2, …; Apache's default when absent. */
  delaysMs?: readonly number[]
  /** Now and then: it may take minutes. */
  onProgress?: () => void
}

export interface Recovered {
  /** Start of the first file. */
  minPosition: number
  /** Behind the last good record; everything in the files behind it reads as zeros now. */
  end: number
  /** Store time of the last record, ms; 0 when there is none. */
  timestamp: number
  queues: readonly QueueState[]
  /** Entries that the queues lacked. */
  dispatched: number
  /** Behind the last good record stood something else; it was cut off. */
  isCut: boolean
  /** Bytes of the log that are damaged although they were flushed once; what lies behind is kept. */
  damaged: number
}

/**
 * Brings log and consume queues to one truth before any thread starts: finds the end of the log,
 * cuts what lies behind it, gives the queues the entries they lack and takes those too many.
 */
export function recover(disk: Disk, options: RecoveryOptions): Recovered {
  const steps = recoverInSteps(disk, options)
  for (;;) {
    const step = steps.next(READ_ALONE)
    if (step.done === true) return step.value
  }
}

/** The same for whoever can have parts of the log read ahead. Answers change how long it takes, and nothing else. */
export function recoverInSteps(disk: Disk, options: RecoveryOptions): Steps<Recovered> {
  return new Recovery(disk, options).run()
}

type Steps<T> = Generator<ScanAsk, T, ScanAnswer>

class Recovery {
  readonly #disk: Disk
  readonly #options: RecoveryOptions
  readonly #files: LogFiles
  readonly #log: LogRecovery
  readonly #descriptors: DescriptorCache
  readonly #queues: QueueRecovery
  readonly #states = new QueueStates()
  #starts: readonly number[] = []
  #timestamp = 0
  #dispatched = 0
  #damaged = 0

  constructor(disk: Disk, options: RecoveryOptions) {
    this.#disk = disk
    this.#options = options
    const { logDirectory: directory, logFileSize: fileSize } = options
    this.#files = new LogFiles(disk, { directory, fileSize })
    this.#log = new LogRecovery(disk, this.#files)
    this.#descriptors = new DescriptorCache(disk, { max: DESCRIPTORS_MAX })
    this.#queues = new QueueRecovery(disk, options.queues, this.#descriptors)
  }

  *run(): Steps<Recovered> {
    const isClean = this.#options.lastStop.kind === StopKind.CLEAN
    this.#starts = this.#log.load({ isClean })
    const minPosition = this.#starts[0] ?? 0
    const queues = this.#queues.load({ isClean, minPosition })
    beginRecovery(this.#disk, this.#options.root) // the store is one of ours, or we had thrown
    this.#takeQueues(queues)
    const end = this.#starts.length === 0 ? 0 : yield* this.#findEnd()
    if (!isClean) this.#makeDurable(end)
    // First the queues, then the log from its end on: broken off anywhere, it finds the same again.
    for (const state of this.#states.all()) this.#queues.settle(state, end)
    const isCut = this.#log.cut(end)
    if (isCut) removeManifestsAbove(this.#disk, this.#options.root, end)
    this.#files.closeAll()
    this.#descriptors.closeAll()
    const [timestamp, dispatched, damaged] = [this.#timestamp, this.#dispatched, this.#damaged]
    const recovered = { minPosition, end, timestamp, dispatched, isCut, damaged }
    return { ...recovered, queues: this.#states.all() }
  }

  /** Whatever was found, from where the last run knew of a sync: one that failed may have ended it. */
  #makeDurable(end: number): void {
    const { confirmed } = this.#options.times
    const unflushed = this.#firstUnflushed(end)
    const isOurs = confirmed > 0 || this.#options.lastStop.kind === StopKind.KILLED
    if (isOurs) this.#log.rewrite(Math.max(confirmed, unflushed), end)
    this.#log.sync(unflushed)
  }

  /** Without a log no entry can be true (Apache 5.3.3 destroys the queues then, too). */
  #takeQueues(states: readonly QueueState[]): void {
    const { queues, deletedBelow } = this.#options
    if (this.#starts.length === 0) {
      if (this.#disk.exists(queues.root)) this.#disk.remove(queues.root)
      return
    }
    for (const state of states) {
      // Its folder outlived the deletion of its topic.
      if (state.maxPosition <= (deletedBelow.get(state.topic) ?? -1)) this.#queues.remove(state)
      else this.#states.add(state)
    }
  }

  *#findEnd(): Steps<number> {
    const { kind, clean } = this.#options.lastStop
    if (kind === StopKind.UNKNOWN) return yield* this.#findEndByTime()
    if (kind === StopKind.KILLED) return yield* this.#findEndByQueues(DISPATCH_LAG)
    if (clean === null || !this.#isEndOf(clean)) return yield* this.#findEndByQueues(0)
    const { end, timestamp } = clean
    const missing = this.#missingEntries(clean)
    if (missing > 0) return yield* this.#rebuild(end) // a queue's folder was lost
    if (missing < 0) return yield* this.#findEndByQueues(0)
    this.#timestamp = timestamp
    return (yield* this.#scanFrom(end, 0)).end
  }

  /** Whether the log ends as it did then: nobody else has written to it since. */
  #isEndOf({ end, timestamp }: CleanStop): boolean {
    const last = this.#states.all().find(({ maxPosition }) => maxPosition === end)
    if (last === undefined || end > this.#files.endOfFile(this.#starts.at(-1)!)) return false
    return new StaleEntries(this.#queues, this.#files, this.#starts).timeOfLast(last) === timestamp
  }

  /** How many entries the queues had more then. */
  #missingEntries({ queues, entries }: CleanStop): number {
    const used = this.#states.all().filter(({ next }) => next > 0)
    const sum = used.reduce((total, { next }) => total + next, 0)
    return queues > used.length ? Math.max(1, entries - sum) : entries - sum
  }

  /**
   * From the file on that the queues know last: everything before it has its entries, but for what
   * lies within `lag` of the last one. With a lag, from a record before that on.
   */
  *#findEndByQueues(lag: number): Steps<number> {
    let known = 0
    const stale = new StaleEntries(this.#queues, this.#files, this.#starts)
    for (const state of this.#states.all()) {
      stale.drop(state)
      known = Math.max(known, state.lastPosition)
    }
    const file = this.#lastFile((start) => start <= known - lag)
    // Our process died, the machine did not: what is older than the lag is as it was written.
    const first = lag > 0 ? Math.max(file, this.#boundaryBelow(known - lag)) : file
    // After a clean stop the checkpoint claims entries that somebody has taken away.
    const isLacking = first < this.#starts.at(-1)! && lag === 0
    if (isLacking) beginRebuild(this.#disk, this.#options.root)
    // Apache leaves records and entries that it cut where they are: they prove nothing.
    const { end, hasGap } = yield* this.#scanFrom(first, lag > 0 ? known : 0)
    // Entries missing from before the start file: a queue's folder was lost.
    return hasGap && first > this.#starts[0]! ? yield* this.#rebuild(end) : end
  }

  /** Where a record begins that is not much newer than `end`, and no newer. */
  #boundaryBelow(end: number): number {
    const all = this.#states.all()
    return all.reduce((last, state) => Math.max(last, this.#queues.boundaryBelow(state, end)), 0)
  }

  /**
   * From the last file on that lies wholly before the checkpoint. Entries from there on are made
   * anew: a power failure may have taken some and left others.
   */
  *#findEndByTime(): Steps<number> {
    const { physic, logics } = this.#options.times
    const latest = Math.max(0, Math.min(physic, logics) - CHECKPOINT_SLACK_MS)
    const first = this.#lastFile((start) => {
      const timestamp = this.#firstTimestamp(start)
      return timestamp > 0 && timestamp <= latest
    })
    const stale = new StaleEntries(this.#queues, this.#files, this.#starts)
    for (const state of this.#states.all()) {
      this.#queues.forgetAbove(state, first)
      stale.drop(state)
    }
    const { end, hasGap } = yield* this.#scanFrom(first, 0)
    // A checkpoint ahead of the whole log is none.
    const isMissing = hasGap || this.#timestamp < latest
    return isMissing && first > this.#starts[0]! ? yield* this.#rebuild(end) : end
  }

  /** Start of the file that holds the end of what the checkpoint says was flushed. */
  #firstUnflushed(end: number): number {
    const { physic } = this.#options.times
    // A checkpoint ahead of the whole log is none.
    const flushed = physic > this.#timestamp ? 0 : physic - CHECKPOINT_SLACK_MS
    return this.#lastFile((start) => {
      if (start >= end) return false // half a record may stand there: its time would be anything
      const timestamp = this.#firstTimestamp(start)
      return timestamp > 0 && timestamp < flushed
    })
  }

  #lastFile(isBegin: (start: number) => boolean): number {
    return this.#starts.findLast(isBegin) ?? this.#starts[0] ?? 0
  }

  #firstTimestamp(start: number): number {
    const head = Buffer.alloc(HEAD_LENGTH)
    const length = this.#files.read(start, HEAD_LENGTH, head, 0)
    return storeTimeIn(head.subarray(0, length), start) ?? 0
  }

  /** All entries anew, from a log whose end is known. */
  *#rebuild(end: number): Steps<number> {
    beginRebuild(this.#disk, this.#options.root)
    // What was deleted from the log keeps its entries: they tell where the offsets go on.
    for (const state of this.#states.all()) this.#queues.cut(state, state.min)
    this.#timestamp = 0
    return (yield* this.#scanFrom(this.#starts[0]!, end)).end
  }

  /** Below `sound` the log was good once: damage there is passed over, above it is the end. */
  *#scanFrom(first: number, sound: number): Steps<{ end: number; hasGap: boolean }> {
    const { checkCrc, onProgress, times } = this.#options
    const filler = this.#filler()
    const scan = new LogScan(this.#files, {
      checkCrc,
      timesGrowFrom: timesGrowFrom(times),
      timestamp: this.#timestamp,
      isMiddle: (position, timestamp) => position < sound || isFlushed(times, position, timestamp),
      // A record in which the last sync ended is none: what follows it was not synced.
      isEnd: ({ from, to }, timestamp) => from >= sound && !isFlushed(times, to - 1, timestamp),
      ...(onProgress && { onProgress }),
    })
    const end = yield* this.#walk(first, scan, filler)
    filler.flush()
    for (const span of scan.damage) {
      for (const state of this.#states.all()) this.#queues.blank(state, span)
    }
    this.#dispatched = filler.dispatched
    this.#damaged = scan.damage.reduce((sum, { from, to }) => sum + to - from, 0)
    return { end, hasGap: filler.hasGap && scan.damage.length === 0 }
  }

  /** Returns the end of the log. Reads what nobody else has read for it. */
  *#walk(first: number, scan: LogScan, filler: QueueFiller): Steps<number> {
    const end = this.#files.endOfFile(this.#starts.at(-1)!)
    const sound = timesGrowFrom(this.#options.times) // threads do not compare times
    const visit: RecordVisitor = (record, bytes) => {
      this.#timestamp = record.storeTimestamp
      filler.take(record, bytes)
    }
    for (let position = first; position < end;) {
      const { digest, until } = yield { first, position, end }
      if (digest?.begin === position && digest.end <= sound) {
        position = filler.takeDigest(digest)
        this.#timestamp = digest.timestamp
        scan.passed(digest.timestamp)
        this.#options.onProgress?.()
        continue
      }
      const stop = Math.min(until, end)
      position = scan.run(position, end, visit, stop)
      if (position < stop) return position
    }
    return end
  }

  #filler(): QueueFiller {
    const { queues: place, deletedBelow, hasLightQueues, delaysMs } = this.#options
    const batchRoot = join(dirname(place.root), 'batchconsumequeue')
    const names = this.#disk.exists(batchRoot) ? this.#disk.list(batchRoot) : []
    const batchTopics = new Set(names.map(({ name }) => name))
    const minPosition = this.#starts[0] ?? 0
    const options = { place, deletedBelow, minPosition, batchTopics, hasLightQueues, delaysMs }
    return new QueueFiller(this.#queues, this.#states, options)
  }
}

/** What we append is never older than what stands before it; Apache's clock may be set back. */
function timesGrowFrom({ confirmed }: CheckpointTimes): number {
  return confirmed > 0 ? confirmed : Infinity
}

/**
 * Whether the checkpoint tells that what stands at a position was flushed, from the store time of the
 * last good record before it; 0 when there is none. Only ours tells of positions, too.
 */
function isFlushed({ physic, confirmed }: CheckpointTimes, at: number, timestamp: number): boolean {
  if (at < confirmed) return true
  return timestamp < physic && (timestamp > 0 || confirmed === 0)
}
