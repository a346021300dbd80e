import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { writeUnit, UNIT_LENGTH, type QueuePlace } from './consume-queue.ts'
import type { CheckpointTimes } from './checkpoint.ts'
import { DescriptorCache } from './descriptor-cache.ts'
import { listLogFiles, logFileName, LogFiles, StoreError } from './log-files.ts'
import { HEAD_LENGTH, RecordParts, readHead } from './log-record.ts'
import { LogScan } from './log-scan.ts'
import { PRE_BLANK_LENGTH, QueueRecovery, type QueueState } from './queue-recovery.ts'
import { entryCodeOf } from './tags-code.ts'

const DESCRIPTORS_MAX = 1024
/** How far a checkpoint's times may be ahead of what is on the disk (Apache 5.3.3). */
const CHECKPOINT_SLACK_MS = 3000

export interface RecoveryOptions {
  logDirectory: string
  logFileSize: number
  queues: QueuePlace
  /** The last stop was not clean. */
  isAbnormal: boolean
  checkCrc: boolean
  times: CheckpointTimes
  /** Topics that were deleted: their records below the position have no entries any more. */
  deletedBelow: ReadonlyMap<string, number>
}

export interface Recovered {
  /** Start of the first file. */
  minPosition: number
  /** Behind the last good record; everything in the files behind it reads as zeros now. */
  end: number
  /** Store time of the last record that was looked at, ms; 0 when none was. */
  timestamp: number
  queues: QueueState[]
  /** Entries that the queues lacked. */
  dispatched: number
  /** Behind the last good record stood something else; it was cut off. */
  isCut: boolean
}

/**
 * Brings log and consume queues to one truth before any thread starts: finds the end of the log,
 * cuts what lies behind it, gives the queues the entries they lack and takes those too many.
 */
export function recover(disk: Disk, options: RecoveryOptions): Recovered {
  return new Recovery(disk, options).run()
}

class Recovery {
  readonly #disk: Disk
  readonly #options: RecoveryOptions
  readonly #files: LogFiles
  readonly #descriptors: DescriptorCache
  readonly #queues: QueueRecovery
  readonly #states = new Map<string, QueueState>()
  readonly #unit = Buffer.alloc(UNIT_LENGTH)
  #starts: number[] = []
  #timestamp = 0
  #dispatched = 0
  #hasGap = false

  constructor(disk: Disk, options: RecoveryOptions) {
    this.#disk = disk
    this.#options = options
    const { logDirectory: directory, logFileSize: fileSize } = options
    this.#files = new LogFiles(disk, { directory, fileSize })
    this.#descriptors = new DescriptorCache(disk, { max: DESCRIPTORS_MAX })
    this.#queues = new QueueRecovery(disk, options.queues, this.#descriptors)
  }

  run(): Recovered {
    this.#disk.makeDirectory(this.#options.logDirectory)
    this.#starts = this.#loadLog()
    this.#loadQueues()
    const minPosition = this.#starts[0] ?? 0
    const end = this.#starts.length === 0 ? 0 : this.#scan()
    const isCut = this.#cutLog(end)
    for (const state of this.#states.values()) this.#settle(state, end, minPosition)
    this.#files.closeAll()
    this.#descriptors.closeAll()
    const queues = [...this.#states.values()]
    const [timestamp, dispatched] = [this.#timestamp, this.#dispatched]
    return { minPosition, end, timestamp, queues, dispatched, isCut }
  }

  /** Start positions of the files, after their sizes were checked. */
  #loadLog(): number[] {
    const { logDirectory, logFileSize } = this.#options
    const starts = listLogFiles(this.#disk, logDirectory, logFileSize)
    for (const [nth, start] of starts.entries()) {
      const path = this.#files.path(start)
      const size = this.#sizeOf(path)
      if (size === 0 && nth === starts.length - 1) {
        this.#disk.remove(path) // made, and not yet given its length, when the process ended
        starts.pop()
      } else if (size !== logFileSize) {
        throw new StoreError(
          `${path} has ${size} bytes; with mappedFileSizeCommitLog=${logFileSize} every file of the log has that many`,
        )
      }
    }
    this.#checkGaps(starts)
    return starts
  }

  #sizeOf(path: string): number {
    const descriptor = this.#disk.openRead(path)
    const size = this.#disk.size(descriptor)
    this.#disk.close(descriptor)
    return size
  }

  #checkGaps(starts: number[]): void {
    for (let nth = 1; nth < starts.length; nth++) {
      const expected = starts[nth - 1]! + this.#options.logFileSize
      if (starts[nth] !== expected) {
        throw new StoreError(`${this.#files.path(expected)} is missing, and later files are there`)
      }
    }
  }

  /** Without a log no entry can be true (Apache 5.3.3 destroys the queues then, too). */
  #loadQueues(): void {
    const { root } = this.#options.queues
    if (this.#starts.length === 0) {
      if (this.#disk.exists(root)) this.#disk.remove(root)
      return
    }
    for (const state of this.#queues.load())
      this.#states.set(keyOf(state.topic, state.queueId), state)
    for (const state of this.#states.values()) this.#dropStaleEntries(state)
  }

  /**
   * Entries left behind a cut of long ago may look valid: the last entry counts only when the log
   * has that very message where it says.
   */
  #dropStaleEntries(state: QueueState): void {
    let next = state.next
    while (next > 0 && this.#isStale(state, next - 1)) next--
    if (next < state.next) this.#queues.cut(state, next)
  }

  #isStale(state: QueueState, offset: number): boolean {
    const position = this.#queues.positionOf(state, offset)
    const start = this.#files.startOfFile(position)
    if (start < this.#starts[0]!) return false // deleted since, and true before
    if (start > this.#starts.at(-1)!) return true
    const head = this.#headAt(position)
    const { queueId } = state
    return head.position !== position || head.queueId !== queueId || head.queueOffset !== offset
  }

  #headAt(position: number): RecordParts {
    const bytes = Buffer.alloc(HEAD_LENGTH)
    this.#files.read(position, HEAD_LENGTH, bytes, 0)
    const record = new RecordParts()
    readHead(record, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0)
    return record
  }

  #scan(): number {
    const first = this.#startFile()
    const end = this.#scanFrom(first)
    // Entries missing from before the start file: a queue's folder was lost.
    return this.#hasGap && first > this.#starts[0]! ? this.#rebuild() : end
  }

  #rebuild(): number {
    for (const state of this.#states.values()) this.#queues.cut(state, 0)
    this.#hasGap = false
    return this.#scanFrom(this.#starts[0]!)
  }

  #scanFrom(first: number): number {
    const scan = new LogScan(this.#files, { checkCrc: this.#options.checkCrc })
    const end = this.#files.endOfFile(this.#starts.at(-1)!)
    return scan.run(first, end, (record, bytes, position) => {
      this.#timestamp = record.storeTimestamp
      if (record.hasQueueEntry()) this.#dispatch(record, bytes, position)
    })
  }

  #dispatch(record: RecordParts, bytes: Buffer, position: number): void {
    const topic = bytes.toString('utf8', record.topicAt, record.topicAt + record.topicLength)
    if (position < (this.#options.deletedBelow.get(topic) ?? 0)) return
    const state = this.#stateOf(topic, record.queueId)
    if (position + record.length <= state.maxPosition || record.queueOffset < state.next) return
    if (record.queueOffset > state.next) this.#fillGap(state, record.queueOffset)
    const { length } = record
    const tagsCode = entryCodeOf(bytes, record)
    this.#add(state, { position, length, tagsCode })
    this.#dispatched++
  }

  #stateOf(topic: string, queueId: number): QueueState {
    const key = keyOf(topic, queueId)
    let state = this.#states.get(key)
    if (state === undefined) {
      state = this.#queues.empty(topic, queueId)
      this.#states.set(key, state)
    }
    return state
  }

  /** The messages before this one are no longer in the log: their entries stand for none. */
  #fillGap(state: QueueState, offset: number): void {
    this.#hasGap = true
    if (state.next === 0) {
      const perFile = this.#options.queues.fileSize / UNIT_LENGTH
      state.next = Math.floor(offset / perFile) * perFile
    }
    while (state.next < offset) {
      this.#add(state, { position: 0, length: PRE_BLANK_LENGTH, tagsCode: 0 })
    }
  }

  #add(state: QueueState, unit: { position: number; length: number; tagsCode: number }): void {
    writeUnit(new DataView(this.#unit.buffer, this.#unit.byteOffset), 0, unit)
    state.queue.write(state.next, this.#unit, 1)
    state.next++
    if (unit.length !== PRE_BLANK_LENGTH) state.maxPosition = unit.position + unit.length
  }

  /** Where to begin: the oldest file that may hold records the queues do not know of. */
  #startFile(): number {
    const isBegin = this.#options.isAbnormal ? this.#isBeforeCheckpoint() : this.#isKnownToQueues()
    return this.#starts.findLast(isBegin) ?? this.#starts[0]!
  }

  #isKnownToQueues(): (start: number) => boolean {
    let known = -1
    for (const { maxPosition } of this.#states.values()) known = Math.max(known, maxPosition)
    return (start) => start <= known
  }

  #isBeforeCheckpoint(): (start: number) => boolean {
    const { physic, logics } = this.#options.times
    const latest = Math.max(0, Math.min(physic, logics) - CHECKPOINT_SLACK_MS)
    return (start) => {
      const timestamp = this.#firstTimestamp(start)
      return timestamp > 0 && timestamp <= latest
    }
  }

  #firstTimestamp(start: number): number {
    const head = this.#headAt(start)
    return head.position === start && head.length > 0 ? head.storeTimestamp : 0
  }

  /** Behind the end everything reads as zeros: no byte of a cut record can come back to life. */
  #cutLog(end: number): boolean {
    let isCut = false
    for (const start of this.#starts) {
      if (start >= end && start > 0) this.#disk.remove(this.#files.path(start))
      else if (end < this.#files.endOfFile(start)) isCut = this.#zeroTail(start, end)
    }
    if (this.#starts.length > 0) this.#disk.syncDirectory(this.#options.logDirectory)
    return isCut
  }

  /** Whether something stood there. The file is sparse behind `end` afterwards. */
  #zeroTail(start: number, end: number): boolean {
    const { descriptor } = this.#files.at(start)
    const next = Buffer.alloc(8)
    this.#files.read(end, next.length, next, 0)
    this.#disk.truncate(descriptor, end - start)
    this.#disk.truncate(descriptor, this.#options.logFileSize)
    this.#disk.fdatasync(descriptor)
    return next.some((byte) => byte !== 0)
  }

  #settle(state: QueueState, end: number, minPosition: number): void {
    this.#queues.cutAbove(state, end)
    this.#queues.findMin(state, minPosition)
  }
}

function keyOf(topic: string, queueId: number): string {
  return join(topic, logFileName(queueId))
}
