import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { withPath } from './disk-error.ts'

const NAME = /^\d{20}$/

/** A store that does not look as it must. Names the file; the broker does not start on it. */
export class StoreError extends Error {
  override name = 'StoreError'
}

/** Apache 5.3.3: the start position in 20 decimal digits. */
export function logFileName(start: number): string {
  return String(start).padStart(20, '0')
}

export function isLogFileName(name: string): boolean {
  return NAME.test(name)
}

/** Start positions of the files in a directory, ascending. Nothing but such files may lie there. */
export function listLogFiles(disk: Disk, directory: string, fileSize: number): number[] {
  return disk.exists(directory) ? listExisting(disk, directory, fileSize) : []
}

/** The same, of a directory that exists: there may be tens of thousands to look at. */
export function listExisting(disk: Disk, directory: string, fileSize: number): number[] {
  const starts: number[] = []
  for (const { name, isDirectory } of disk.list(directory)) {
    if (isDirectory) continue
    if (!isLogFileName(name) || Number(name) % fileSize !== 0) {
      throw new StoreError(
        `${join(directory, name)}: not a log file; names are start positions in 20 digits, multiples of ${fileSize}`,
      )
    }
    starts.push(Number(name))
  }
  return starts.sort((a, b) => a - b)
}

/** An open file of the log and the position of its first byte. */
export interface OpenLogFile {
  descriptor: number
  start: number
}

/** Holds no position at all. */
const NONE: OpenLogFile = { descriptor: -1, start: -Infinity }

/**
 * The files of one log, as one thread sees them: it opens and closes its own descriptors. Knows no
 * position but the start of files, which are all `fileSize` long.
 */
export class LogFiles {
  readonly directory: string
  readonly fileSize: number
  readonly #disk: Disk
  readonly #open = new Map<number, OpenLogFile>()
  #last: OpenLogFile = NONE

  constructor(disk: Disk, options: { directory: string; fileSize: number }) {
    this.#disk = disk
    this.directory = options.directory
    this.fileSize = options.fileSize
  }

  startOfFile(position: number): number {
    return position - (position % this.fileSize)
  }

  endOfFile(position: number): number {
    return this.startOfFile(position) + this.fileSize
  }

  path(start: number): string {
    return join(this.directory, logFileName(start))
  }

  /** The file that holds `position`; it must exist. */
  at(position: number): OpenLogFile {
    const last = this.#last
    if (position >= last.start && position < last.start + this.fileSize) return last
    const start = this.startOfFile(position)
    let file = this.#open.get(start)
    if (file === undefined) {
      file = { descriptor: this.#disk.open(this.path(start)), start }
      this.#open.set(start, file)
    }
    this.#last = file
    return file
  }

  /** Reads within one file: bytes read, fewer than asked for at the file's end. */
  read(position: number, length: number, target: Uint8Array, targetAt: number): number {
    const { descriptor, start } = this.at(position)
    const span = {
      buffer: target,
      offset: targetAt,
      length: Math.min(length, start + this.fileSize - position),
      position: position - start,
    }
    try {
      return this.#disk.pread(descriptor, span)
    } catch (error) {
      throw withPath(error, this.path(start))
    }
  }

  /** Makes the file that starts at `start`, at full length and sparse. Both are made durable. */
  create(start: number): void {
    const descriptor = this.#disk.create(this.path(start))
    try {
      this.#disk.truncate(descriptor, this.fileSize)
      this.#disk.fdatasync(descriptor) // its length: a later file must not be there without it
      this.#disk.syncDirectory(this.directory)
    } catch (error) {
      this.#disk.close(descriptor) // it will be tried again
      throw error
    }
    this.#open.set(start, { descriptor, start })
  }

  /** Closes descriptors of files that end at or below `position`, which may then be deleted. */
  closeBelow(position: number): void {
    for (const { start } of this.#open.values()) {
      if (start + this.fileSize <= position) this.#close(start)
    }
  }

  closeAll(): void {
    for (const start of this.#open.keys()) this.#close(start)
  }

  #close(start: number): void {
    this.#disk.close(this.#open.get(start)!.descriptor)
    this.#open.delete(start)
    if (this.#last.start === start) this.#last = NONE
  }
}
