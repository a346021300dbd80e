import { join } from 'node:path'
import { viewOf, writeSafeInt64 } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { isLogFileName, logFileName, StoreError } from './log-files.ts'
import {
  newTimerUnit,
  readTimerUnit,
  TIMER_UNIT_LENGTH,
  type TimerUnit,
  writeTimerUnit,
} from './timer-unit.ts'

/** Behind the last unit of a file there is room for this note: what is left, 0, a magic. */
const BLANK_LENGTH = 16
const BLANK_MAGIC = 0xcbd43194 | 0
/** Units that wait to be written together. */
const BUFFER_LENGTH = 1024 * TIMER_UNIT_LENGTH

export interface TimerLogPlace {
  directory: string
  fileSize: number
}

/**
 * Files of units, appended to and never changed: the chains of all slots (Apache 5.3.3, TimerLog). A unit is
 * in the file after `write`, and on the disk after its file was synced.
 */
export class TimerLog {
  readonly #disk: Disk
  readonly #place: TimerLogPlace
  /** Descriptors by where their file begins. */
  readonly #files = new Map<number, number>()
  readonly #unsynced = new Set<number>()
  readonly #buffer = Buffer.alloc(BUFFER_LENGTH)
  readonly #view = viewOf(this.#buffer)
  #buffered = 0
  #written = 0

  /** Throws StoreError when a file has another length than it should. */
  constructor(disk: Disk, place: TimerLogPlace) {
    this.#disk = disk
    this.#place = place
    for (const start of this.#starts()) this.#openFile(start)
    this.#written = this.begin
  }

  /** Where the oldest file begins. */
  get begin(): number {
    const [first = 0] = this.#files.keys()
    return first
  }

  /** Where the next unit goes. */
  get end(): number {
    return this.#placeOf(this.#written + this.#buffered)
  }

  get fileSize(): number {
    return this.#place.fileSize
  }

  /** Recovery has found out where the units end; what lies behind that becomes zeros. */
  endAt(position: number): void {
    this.#written = position
    for (const [start, descriptor] of this.#files) {
      if (start > position) this.#remove(start)
      else if (start + this.fileSize > position) {
        this.#disk.truncate(descriptor, position - start)
        this.#disk.truncate(descriptor, this.fileSize)
        this.#unsynced.add(start)
      }
    }
  }

  /** Returns its position. Full buffers are written, which may throw: the unit is then not appended. */
  append(unit: TimerUnit): number {
    const position = this.end
    if (position !== this.#written + this.#buffered) this.#endFile()
    if (this.#buffered === BUFFER_LENGTH) this.write()
    writeTimerUnit(this.#view, this.#buffered, unit)
    this.#buffered += TIMER_UNIT_LENGTH
    return position
  }

  write(): void {
    if (this.#buffered === 0) return
    this.#pwrite(this.#buffer, this.#buffered, this.#written)
    this.#written += this.#buffered
    this.#buffered = 0
  }

  /** Bytes read of the units that stand there, written or left by the last run; none of another file. */
  read(buffer: Uint8Array, length: number, position: number): number {
    const start = this.startOf(position)
    const descriptor = this.#files.get(start)
    const most = Math.min(length, this.unitsEnd(position) - position)
    if (descriptor === undefined || most <= 0) return 0
    const at = position - start
    return this.#disk.pread(descriptor, { buffer, offset: 0, length: most, position: at })
  }

  /** Behind the last unit that the file of this position has room for. */
  unitsEnd(position: number): number {
    const units = Math.floor((this.fileSize - BLANK_LENGTH) / TIMER_UNIT_LENGTH)
    return this.startOf(position) + units * TIMER_UNIT_LENGTH
  }

  startOf(position: number): number {
    return position - (position % this.fileSize)
  }

  /** For reads off the event loop; undefined when the file is gone. */
  descriptorAt(position: number): number | undefined {
    return this.#files.get(this.startOf(position))
  }

  /** Files that have changed since they were asked for last. */
  takeUnsynced(): number[] {
    const descriptors = [...this.#unsynced].flatMap((start) => this.#files.get(start) ?? [])
    this.#unsynced.clear()
    return descriptors
  }

  /**
   * Files whose last message is no longer in the log go, but not the last file. Apache 5.3.3 looks at the last
   * unit alone, too: messages are put in in their order.
   */
  removeBelow(minPosition: number): void {
    const starts = [...this.#files.keys()].slice(0, -1)
    for (const start of starts) {
      if (this.#lastMessageOf(start) >= minPosition) return
      this.#remove(start)
    }
  }

  close(): void {
    for (const descriptor of this.#files.values()) this.#disk.close(descriptor)
    this.#files.clear()
  }

  /** Where a unit that would stand at `position` really does. */
  #placeOf(position: number): number {
    if (position < this.unitsEnd(position)) return position
    return this.startOf(position) + this.fileSize
  }

  #endFile(): void {
    this.write()
    const start = this.startOf(this.#written)
    const blank = Buffer.alloc(BLANK_LENGTH)
    const view = viewOf(blank)
    view.setInt32(0, start + this.fileSize - this.#written)
    writeSafeInt64(view, 4, 0)
    view.setInt32(12, BLANK_MAGIC)
    this.#pwrite(blank, BLANK_LENGTH, this.#written)
    this.#written = start + this.fileSize
  }

  #pwrite(buffer: Buffer, length: number, position: number): void {
    const start = this.startOf(position)
    const descriptor = this.#files.get(start) ?? this.#makeFile(start)
    this.#unsynced.add(start)
    this.#disk.pwrite(descriptor, { buffer, offset: 0, length, position: position - start })
  }

  #makeFile(start: number): number {
    this.#disk.makeDirectory(this.#place.directory)
    const descriptor = this.#openFile(start)
    this.#disk.truncate(descriptor, this.fileSize)
    this.#disk.fdatasync(descriptor) // a start must not find one that is shorter
    this.#disk.syncDirectory(this.#place.directory)
    return descriptor
  }

  #openFile(start: number): number {
    const descriptor = this.#disk.create(this.#pathOf(start))
    this.#files.set(start, descriptor)
    return descriptor
  }

  #remove(start: number): void {
    this.#disk.close(this.#files.get(start)!)
    this.#files.delete(start)
    this.#unsynced.delete(start)
    this.#disk.remove(this.#pathOf(start))
  }

  /** Position of the message of a full file's last unit; Infinity when there is none. */
  #lastMessageOf(start: number): number {
    const bytes = Buffer.alloc(TIMER_UNIT_LENGTH)
    const last = this.unitsEnd(start) - TIMER_UNIT_LENGTH
    const unit = newTimerUnit()
    if (this.read(bytes, bytes.length, last) < bytes.length) return Infinity
    return readTimerUnit(unit, viewOf(bytes), 0) ? unit.position : Infinity
  }

  #starts(): number[] {
    const { directory, fileSize } = this.#place
    if (!this.#disk.exists(directory)) return []
    const names = this.#disk.list(directory).filter((entry) => !entry.isDirectory)
    const stray = names.find(({ name }) => !isLogFileName(name))
    if (stray !== undefined) throw notOurs(join(directory, stray.name))
    const starts = names.map(({ name }) => Number(name)).toSorted((one, two) => one - two)
    return starts.filter((start, nth) => {
      const path = this.#pathOf(start)
      const length = start % fileSize === 0 ? this.#lengthOf(path) : -1
      const isLast = nth === starts.length - 1
      if (length === 0 && isLast) this.#disk.remove(path) // it was just being made
      else if (length > 0 && length < fileSize && isLast) this.#lengthen(path)
      else if (length !== fileSize) throw this.#notAFile(path)
      return length > 0
    })
  }

  /** A start that was broken off had cut it. */
  #lengthen(path: string): void {
    const descriptor = this.#disk.open(path)
    this.#disk.truncate(descriptor, this.fileSize)
    this.#disk.close(descriptor)
  }

  #notAFile(path: string): StoreError {
    return new StoreError(
      `${path}: not a timer log file of ${this.fileSize} bytes (mappedFileSizeTimerLog); move it away, or set the length that the store was written with`,
    )
  }

  #lengthOf(path: string): number {
    const descriptor = this.#disk.openRead(path)
    try {
      return this.#disk.size(descriptor)
    } finally {
      this.#disk.close(descriptor)
    }
  }

  #pathOf(start: number): string {
    return join(this.#place.directory, logFileName(start))
  }
}

function notOurs(path: string): StoreError {
  return new StoreError(
    `${path}: not a file of the timer log, whose names are start positions in 20 digits; move it away`,
  )
}
