import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { firstNot } from '../base/first-not.ts'
import {
  ConsumeQueue,
  PRE_BLANK_LENGTH,
  UNIT_LENGTH,
  readUnit,
  queueDirectory,
  type QueuePlace,
  type Unit,
} from './consume-queue.ts'
import type { DescriptorCache } from './descriptor-cache.ts'
import type { Span } from './log-scan.ts'
import { QueueMin } from './queue-min.ts'
import { listExisting, listLogFiles, logFileName, StoreError } from './log-files.ts'

/** Most queues are short: the first look at a file takes this much, each further one more. */
const FIRST_READ = 4096
const READ_MAX = 1024 * 1024

/** The state of one queue on the disk, as recovery finds and mends it. */
export interface QueueState {
  topic: string
  queueId: number
  queue: ConsumeQueue
  /** Offset behind the last entry. */
  next: number
  /** Position behind the record of the last entry; 0 without entries. */
  maxPosition: number
  /** Position of that record. */
  lastPosition: number
  /** The lowest offset whose record is still in the log. */
  min: number
  /** The first offset that its files have room for. */
  first: number
  /** `next` as it was found. */
  found: number
  /** Not as it was found any more. */
  isChanged: boolean
}

/** Finds queues, and cuts what does not belong. All of it runs before any other thread does. */
export class QueueRecovery {
  readonly #disk: Disk
  readonly #place: QueuePlace
  readonly #descriptors: DescriptorCache
  readonly #unitsPerFile: number
  readonly #bytes = Buffer.allocUnsafeSlow(READ_MAX)
  readonly #view = new DataView(this.#bytes.buffer)
  #isClean = true
  #minPosition = 0
  readonly #min = new QueueMin()
  readonly #unit: Unit = { position: 0, length: 0, tagsCode: 0 }

  constructor(disk: Disk, place: QueuePlace, descriptors: DescriptorCache) {
    this.#disk = disk
    this.#place = place
    this.#descriptors = descriptors
    this.#unitsPerFile = place.fileSize / UNIT_LENGTH
  }

  /** Every queue that has a folder, with its entries up to the last that could be one. @throws StoreError */
  load({ isClean, minPosition }: { isClean: boolean; minPosition: number }): QueueState[] {
    const { root } = this.#place
    this.#isClean = isClean
    this.#minPosition = minPosition
    if (!this.#disk.exists(root)) return []
    const states: QueueState[] = []
    for (const topic of this.#disk.list(root)) {
      if (!topic.isDirectory) continue
      for (const queue of this.#disk.list(join(root, topic.name))) {
        if (queue.isDirectory && /^(0|[1-9]\d{0,8})$/.test(queue.name)) {
          states.push(this.#loadQueue(topic.name, Number(queue.name)))
        }
      }
    }
    return states
  }

  /** A queue that the log speaks of and the disk does not have. */
  empty(topic: string, queueId: number): QueueState {
    const { fileSize } = this.#place
    const options = { fileSize, disk: this.#disk, descriptors: this.#descriptors }
    const queue = new ConsumeQueue(queueDirectory(this.#place, topic, queueId), options)
    const numbers = { next: 0, maxPosition: 0, lastPosition: 0, min: 0, first: 0, found: 0 }
    return { topic, queueId, queue, ...numbers, isChanged: false }
  }

  /** Takes the queue's files away. */
  remove(state: QueueState): void {
    this.#descriptors.closeUnder(state.queue.directory)
    this.#disk.remove(state.queue.directory)
  }

  /**
   * Drops entries from `next` on, so that none of their bytes can come back to life. Not synced: as
   * long as the stop was not clean, recovery drops them again.
   */
  cut(state: QueueState, next: number): void {
    const { directory } = state.queue
    const keep = Math.floor(next / this.#unitsPerFile) * this.#place.fileSize
    this.#descriptors.closeUnder(directory)
    const starts = listLogFiles(this.#disk, directory, this.#place.fileSize)
    for (const start of starts.toReversed()) {
      if (start > keep) this.#disk.remove(join(directory, logFileName(start)))
      if (start === keep) this.#zeroTail(join(directory, logFileName(start)), next)
    }
    const first = starts[0] !== undefined && starts[0] <= keep ? starts[0] / UNIT_LENGTH : next
    const numbers = { next, first, found: next, isChanged: true }
    Object.assign(state, this.empty(state.topic, state.queueId), numbers)
    this.#readLast(state)
  }

  /**
   * Forgets entries of records that do not end by `end` of the log, but leaves them in the files: most
   * are made anew. Positions grow within a queue; what a power failure left of entries that were never
   * durable lies behind all that are kept.
   */
  forgetAbove(state: QueueState, end: number): void {
    if (state.maxPosition <= end) return
    const span = { from: state.first, to: state.next - 1 }
    state.next = firstNot((offset) => this.#endsBy(state, offset, end), span)
    state.isChanged = true
    this.#readLast(state)
  }

  /** A position up to `end` at which a record ends, the last one that the queue knows; 0 without one. */
  boundaryBelow(state: QueueState, end: number): number {
    if (state.maxPosition <= end) return state.maxPosition
    const span = { from: state.first, to: state.next - 1 }
    const offset = firstNot((each) => this.#endsBy(state, each, end), span)
    const isThere = offset > state.first && this.#read(state, offset - 1)
    if (!isThere || this.#unit.length === PRE_BLANK_LENGTH) return 0
    return this.#unit.position + this.#unit.length
  }

  /** When the end of the log is known: takes entries from the files that are not the queue's any more. */
  settle(state: QueueState, end: number): void {
    this.forgetAbove(state, end)
    if (!state.isChanged) return
    const isLeft = state.next < state.found || (this.#read(state, state.next) && this.#isUnit(0))
    if (isLeft) this.cut(state, state.next)
    this.findMin(state)
  }

  /** Entries of records in a damaged part of the log stand for none: nobody could decode them. */
  blank(state: QueueState, { from, to }: Span): void {
    const none = Buffer.alloc(UNIT_LENGTH)
    none.writeInt32BE(PRE_BLANK_LENGTH, 8)
    for (let offset = state.next - 1; offset >= state.first; offset--) {
      if (!this.#read(state, offset) || this.#unit.length === PRE_BLANK_LENGTH) continue
      if (this.#unit.position < from) return
      if (this.#unit.position < to) state.queue.write(offset, none, 1)
    }
  }

  /** Sets `min`: the first entry of a record at or above the start of the log. */
  findMin(state: QueueState): void {
    const span = { from: state.first, to: state.next }
    state.min = this.#min.find(state.queue, span, this.#minPosition)
  }

  /** What the queue says of a message; valid until the next call. */
  unitAt(state: QueueState, offset: number): Unit | null {
    return this.#read(state, offset) ? this.#unit : null
  }

  #loadQueue(topic: string, queueId: number): QueueState {
    const state = this.empty(topic, queueId)
    const { directory } = state.queue
    const starts = listExisting(this.#disk, directory, this.#place.fileSize)
    if (starts.length > 0 && this.#isUnmade(directory, starts.at(-1)!)) starts.pop()
    for (const start of starts) this.#checkSize(join(directory, logFileName(start)))
    // Without any entry a queue goes on where its file begins: older ones were deleted.
    state.first = state.next = (starts[0] ?? 0) / UNIT_LENGTH
    for (const start of starts.reverse()) {
      const count = this.#countUnits(join(directory, logFileName(start)))
      if (count === 0) continue
      state.next = start / UNIT_LENGTH + count
      this.#readLast(state)
      break
    }
    state.found = state.next
    this.findMin(state)
    return state
  }

  /** The last file may have been made, and not yet given its length, when the process ended. */
  #isUnmade(directory: string, start: number): boolean {
    const path = join(directory, logFileName(start))
    if (this.#disk.size(this.#descriptors.get(path)) > 0) return false
    this.#descriptors.closeUnder(directory)
    this.#disk.remove(path)
    return true
  }

  /** Entries from the file's start up to the first that is none (position >= 0 and length > 0 are). */
  #countUnits(path: string): number {
    const descriptor = this.#descriptors.get(path)
    let count = 0
    for (let length = FIRST_READ; ; length = Math.min(length * 4, READ_MAX)) {
      const units = Math.floor(length / UNIT_LENGTH)
      const wanted = Math.min(units, this.#unitsPerFile - count)
      if (wanted === 0) return count
      const span = { offset: 0, length: wanted * UNIT_LENGTH, position: count * UNIT_LENGTH }
      const read = this.#disk.pread(descriptor, { buffer: this.#bytes, ...span })
      for (let nth = 0; nth < wanted; nth++, count++) {
        if (nth * UNIT_LENGTH >= read || !this.#isUnit(nth * UNIT_LENGTH)) return count
      }
    }
  }

  #checkSize(path: string): void {
    const size = this.#disk.size(this.#descriptors.get(path))
    if (size === this.#place.fileSize) return
    // A power failure took its length, or a recovery was broken off: what it lacks is made anew.
    if (size < this.#place.fileSize && !this.#isClean) {
      this.#disk.truncate(this.#descriptors.get(path), this.#place.fileSize)
      return
    }
    throw new StoreError(
      `${path} has ${size} bytes; with mappedFileSizeConsumeQueue=${this.#place.fileSize} every file of a queue has that many; if others have, ringmq fsck --repair makes this one anew`,
    )
  }

  #isUnit(at: number): boolean {
    return this.#view.getInt32(at) >= 0 && this.#view.getInt32(at + 8) > 0
  }

  #read(state: QueueState, offset: number): boolean {
    if (state.queue.read(offset, 1, this.#bytes) !== 1) return false
    readUnit(this.#unit, this.#view, 0)
    return true
  }

  #readLast(state: QueueState): void {
    state.lastPosition = state.maxPosition = 0
    if (state.next === 0 || !this.#read(state, state.next - 1)) return
    if (this.#unit.length === PRE_BLANK_LENGTH) return
    state.lastPosition = this.#unit.position
    state.maxPosition = this.#unit.position + this.#unit.length
  }

  /** An entry, and of a record that ends by `end`. Lost bytes read as zeros: they are none. */
  #endsBy(state: QueueState, offset: number, end: number): boolean {
    if (!this.#read(state, offset) || !this.#isUnit(0)) return false
    return this.#unit.length === PRE_BLANK_LENGTH || this.#unit.position + this.#unit.length <= end
  }

  #zeroTail(path: string, next: number): void {
    const descriptor = this.#disk.open(path)
    this.#disk.truncate(descriptor, (next % this.#unitsPerFile) * UNIT_LENGTH)
    this.#disk.truncate(descriptor, this.#place.fileSize)
    this.#disk.close(descriptor)
  }
}
