import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import {
  ConsumeQueue,
  UNIT_LENGTH,
  readUnit,
  queueDirectory,
  type QueuePlace,
  type Unit,
} from './consume-queue.ts'
import type { DescriptorCache } from './descriptor-cache.ts'
import { listLogFiles, logFileName, StoreError } from './log-files.ts'

/** Size of an entry that stands for none (Apache 5.3.3: queues whose first entries were never there). */
export const PRE_BLANK_LENGTH = 0x7fffffff

/** The state of one queue on the disk, as recovery finds and mends it. */
export interface QueueState {
  topic: string
  queueId: number
  queue: ConsumeQueue
  /** Offset behind the last entry. */
  next: number
  /** Position behind the record of the last entry; 0 without entries. */
  maxPosition: number
  /** The lowest offset whose record is still in the log. */
  min: number
}

/** Finds queues, and cuts what does not belong. All of it runs before any other thread does. */
export class QueueRecovery {
  readonly #disk: Disk
  readonly #place: QueuePlace
  readonly #descriptors: DescriptorCache
  readonly #unitsPerFile: number
  readonly #file: Buffer
  readonly #view: DataView
  readonly #unit: Unit = { position: 0, length: 0, tagsCode: 0 }

  constructor(disk: Disk, place: QueuePlace, descriptors: DescriptorCache) {
    this.#disk = disk
    this.#place = place
    this.#descriptors = descriptors
    this.#unitsPerFile = place.fileSize / UNIT_LENGTH
    this.#file = Buffer.allocUnsafeSlow(place.fileSize)
    this.#view = new DataView(this.#file.buffer)
  }

  /** Every queue that has a folder, with its entries up to the last that could be one. */
  load(): QueueState[] {
    const { root } = this.#place
    if (!this.#disk.exists(root)) return []
    const states: QueueState[] = []
    for (const topic of this.#disk.list(root)) {
      if (!topic.isDirectory) continue
      for (const queue of this.#disk.list(join(root, topic.name))) {
        if (queue.isDirectory && /^\d{1,9}$/.test(queue.name)) {
          states.push(this.#loadQueue(topic.name, Number(queue.name)))
        }
      }
    }
    return states
  }

  /** A queue that the log speaks of and the disk does not have. */
  empty(topic: string, queueId: number): QueueState {
    const directory = queueDirectory(this.#place, topic, queueId)
    const { fileSize } = this.#place
    const options = { fileSize, disk: this.#disk, descriptors: this.#descriptors }
    return {
      topic,
      queueId,
      queue: new ConsumeQueue(directory, options),
      next: 0,
      maxPosition: 0,
      min: 0,
    }
  }

  /** Drops entries from `next` on, so that none of their bytes can come back to life. */
  cut(state: QueueState, next: number): void {
    const { directory } = state.queue
    const keep = Math.floor(next / this.#unitsPerFile) * this.#place.fileSize
    this.#descriptors.closeUnder(directory)
    for (const start of this.#starts(directory)) {
      if (start > keep) this.#disk.remove(join(directory, logFileName(start)))
      if (start === keep) this.#zeroTail(join(directory, logFileName(start)), next)
    }
    state.next = next
    state.maxPosition = next === 0 ? 0 : this.#endOf(state, next - 1)
  }

  /** Cuts entries of records at or above `end` of the log. */
  cutAbove(state: QueueState, end: number): void {
    let next = state.next
    while (next > 0 && this.#endOf(state, next - 1) > end) next--
    if (next < state.next) this.cut(state, next)
  }

  /** Sets `min`: the first entry of a record at or above `minPosition`. */
  findMin(state: QueueState, minPosition: number): void {
    const [first] = this.#starts(state.queue.directory)
    let low = first === undefined ? state.next : first / UNIT_LENGTH
    let high = state.next
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#isBelow(state, middle, minPosition)) low = middle + 1
      else high = middle
    }
    state.min = low
  }

  /** The position of an entry's record, as the queue says it. */
  positionOf(state: QueueState, offset: number): number {
    return this.#read(state, offset) ? this.#unit.position : -1
  }

  #loadQueue(topic: string, queueId: number): QueueState {
    const state = this.empty(topic, queueId)
    const { directory } = state.queue
    for (const start of this.#starts(directory).reverse()) {
      const count = this.#countUnits(join(directory, logFileName(start)))
      if (count === 0) continue
      state.next = start / UNIT_LENGTH + count
      break
    }
    if (state.next > 0) state.maxPosition = this.#endOf(state, state.next - 1)
    return state
  }

  #starts(directory: string): number[] {
    return listLogFiles(this.#disk, directory, this.#place.fileSize)
  }

  /** Entries from the file's start up to the first that is none (position >= 0 and length > 0 are). */
  #countUnits(path: string): number {
    const descriptor = this.#descriptors.get(path)
    const size = this.#disk.size(descriptor)
    if (size !== this.#place.fileSize && size !== 0) {
      throw new StoreError(
        `${path} has ${size} bytes; with mappedFileSizeConsumeQueue=${this.#place.fileSize} every file of a queue has that many`,
      )
    }
    const span = { buffer: this.#file, offset: 0, length: this.#file.length, position: 0 }
    const read = Math.floor(this.#disk.pread(descriptor, span) / UNIT_LENGTH)
    let count = 0
    while (count < read && this.#isUnit(count * UNIT_LENGTH)) count++
    return count
  }

  #isUnit(at: number): boolean {
    return this.#view.getInt32(at) >= 0 && this.#view.getInt32(at + 8) > 0
  }

  #read(state: QueueState, offset: number): boolean {
    if (state.queue.read(offset, 1, this.#file) !== 1) return false
    readUnit(this.#unit, this.#view, 0)
    return true
  }

  #endOf(state: QueueState, offset: number): number {
    if (!this.#read(state, offset)) return 0
    return this.#unit.length === PRE_BLANK_LENGTH ? 0 : this.#unit.position + this.#unit.length
  }

  #isBelow(state: QueueState, offset: number, minPosition: number): boolean {
    this.#read(state, offset)
    return this.#unit.length === PRE_BLANK_LENGTH || this.#unit.position < minPosition
  }

  #zeroTail(path: string, next: number): void {
    const descriptor = this.#disk.open(path)
    this.#disk.truncate(descriptor, (next % this.#unitsPerFile) * UNIT_LENGTH)
    this.#disk.truncate(descriptor, this.#place.fileSize)
    this.#disk.fdatasync(descriptor)
    this.#disk.close(descriptor)
  }
}
