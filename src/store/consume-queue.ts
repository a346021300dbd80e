import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { readSafeInt64, writeSafeInt64 } from '../base/bytes.ts'
import type { DescriptorCache } from './descriptor-cache.ts'
import { isMissing } from './disk-error.ts'
import { logFileName } from './log-files.ts'

/** One entry of a consume queue: position int64, record length int32, tags code int64. */
export const UNIT_LENGTH = 20

/**
 * Length in an entry that stands for no message (Apache 5.3.3, ConsumeQueue.fillPreBlank): offsets
 * at the front of a queue whose messages were deleted before it was built.
 */
export const PRE_BLANK_LENGTH = 0x7fffffff

export interface Unit {
  position: number
  length: number
  /** Java hash code of the tags, sign-extended; a delivery time for delayed messages. */
  tagsCode: number
}

export function readUnit(unit: Unit, view: DataView, at: number): void {
  unit.position = readSafeInt64(view, at)
  unit.length = view.getInt32(at + 8)
  unit.tagsCode = readSafeInt64(view, at + 12)
}

export function writeUnit(view: DataView, at: number, unit: Unit): void {
  writeSafeInt64(view, at, unit.position)
  view.setInt32(at + 8, unit.length)
  writeSafeInt64(view, at + 12, unit.tagsCode)
}

/** Where queues lie: `<store>/consumequeue/<topic>/<queueId>/<byte offset in 20 digits>`. */
export interface QueuePlace {
  root: string
  fileSize: number
}

/** The queue's folder. Topic names are checked where they enter: nothing in them leaves `root`. */
export function queueDirectory(place: QueuePlace, topic: string, queueId: number): string {
  return join(place.root, topic, String(queueId))
}

/**
 * The files of one queue, as one thread sees them: unit n lies at byte n * 20 of one long sequence
 * that is cut into files of `fileSize`. Knows nothing of how many units there are.
 */
export class ConsumeQueue {
  readonly directory: string
  readonly #unitsPerFile: number
  readonly #fileSize: number
  readonly #disk: Disk
  readonly #cache: DescriptorCache
  #pathStart = -1
  #path = ''
  #createdStart = -1
  /** Start of the lowest file that may be open. */
  #lowestStart = Infinity

  constructor(
    directory: string,
    options: { fileSize: number; disk: Disk; descriptors: DescriptorCache },
  ) {
    this.directory = directory
    this.#fileSize = options.fileSize
    this.#unitsPerFile = options.fileSize / UNIT_LENGTH
    this.#disk = options.disk
    this.#cache = options.descriptors
  }

  /** Reads up to `count` units from `offset` on, within one file; returns how many. */
  read(offset: number, count: number, target: Buffer): number {
    const start = this.#startOf(offset)
    const inFile = Math.min(count, start / UNIT_LENGTH + this.#unitsPerFile - offset)
    const descriptor = this.#openExisting(start)
    if (descriptor === -1) return 0
    const read = this.#disk.pread(descriptor, {
      buffer: target,
      offset: 0,
      length: inFile * UNIT_LENGTH,
      position: offset * UNIT_LENGTH - start,
    })
    return Math.floor(read / UNIT_LENGTH)
  }

  /** -1: the file is gone, with messages that are too old. */
  #openExisting(start: number): number {
    try {
      return this.#cache.get(this.#pathOf(start))
    } catch (error) {
      if (isMissing(error)) return -1
      throw error
    }
  }

  /** Writes whole units at `offset`; makes the files they need, at full length and sparse. */
  write(offset: number, units: Buffer, count: number): void {
    let done = 0
    while (done < count) {
      const start = this.#startOf(offset + done)
      const inFile = Math.min(
        count - done,
        start / UNIT_LENGTH + this.#unitsPerFile - offset - done,
      )
      if (start !== this.#createdStart) this.#create(start)
      this.#disk.pwrite(this.#cache.get(this.#pathOf(start)), {
        buffer: units,
        offset: done * UNIT_LENGTH,
        length: inFile * UNIT_LENGTH,
        position: (offset + done) * UNIT_LENGTH - start,
      })
      done += inFile
    }
  }

  /** Makes the files of units `from` to `to` durable. */
  sync(from: number, to: number): void {
    for (let start = this.#startOf(from); start <= this.#startOf(to); start += this.#fileSize) {
      this.#disk.fdatasync(this.#cache.get(this.#pathOf(start)))
    }
  }

  /** Closes files that hold nothing from `offset` on: they are about to go. */
  closeBelow(offset: number): void {
    const end = this.#startOf(offset)
    for (let start = this.#lowestStart; start < end; start += this.#fileSize) {
      this.#cache.closeFile(join(this.directory, logFileName(start)))
    }
    if (this.#lowestStart >= end) return
    this.#lowestStart = end
    this.#pathStart = -1 // whoever asks for one of them again opens it
  }

  /** The first offset that lies in the file behind the one of `offset`. */
  nextFile(offset: number): number {
    return (this.#startOf(offset) + this.#fileSize) / UNIT_LENGTH
  }

  #startOf(offset: number): number {
    return Math.floor(offset / this.#unitsPerFile) * this.#fileSize
  }

  #pathOf(start: number): string {
    if (start !== this.#pathStart) {
      this.#path = join(this.directory, logFileName(start))
      this.#pathStart = start
      if (start < this.#lowestStart) this.#lowestStart = start
    }
    return this.#path
  }

  #create(start: number): void {
    const path = this.#pathOf(start)
    if (!this.#disk.exists(path)) {
      this.#disk.makeDirectory(this.directory)
      const descriptor = this.#disk.create(path)
      this.#disk.truncate(descriptor, this.#fileSize)
      this.#disk.close(descriptor)
    }
    this.#createdStart = start
  }
}
