import { dirname } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { listLogFiles, type LogFiles, StoreError } from './log-files.ts'

const REWRITE_LENGTH = 1024 * 1024

/** Finds the files of a log, and cuts what lies behind its end. */
export class LogRecovery {
  readonly #disk: Disk
  readonly #files: LogFiles
  #starts: readonly number[] = []

  constructor(disk: Disk, files: LogFiles) {
    this.#disk = disk
    this.#files = files
  }

  /** Start positions of the files, after their sizes were checked. @throws StoreError */
  load({ isClean }: { isClean: boolean }): readonly number[] {
    const { directory, fileSize } = this.#files
    this.#disk.makeDirectory(directory)
    this.#disk.syncDirectory(dirname(directory))
    const starts = listLogFiles(this.#disk, directory, fileSize)
    const last = starts.at(-1)
    const isOnly = starts.length === 1
    if (last !== undefined && this.#mendLast(last, { isClean, isOnly }) === 0) starts.pop()
    // A file that a recovery removed before it was broken off must not come back behind a shorter one.
    if (!isClean) this.#disk.syncDirectory(directory)
    for (const start of starts) this.#checkSize(start)
    this.#checkGaps(starts)
    this.#starts = starts
    return starts
  }

  /**
   * The last file may have been made, and not yet given its length, when the process ended; or its
   * tail was being cut when a recovery was broken off. Returns its length. The only file stays: its
   * name tells where the log goes on.
   */
  #mendLast(start: number, { isClean, isOnly }: { isClean: boolean; isOnly: boolean }): number {
    const path = this.#files.path(start)
    const size = this.#sizeOf(path)
    if (size === 0 && (isClean || !isOnly)) this.#disk.remove(path)
    else if (size < this.#files.fileSize && !isClean) {
      this.#disk.truncate(this.#files.at(start).descriptor, this.#files.fileSize)
      return this.#files.fileSize
    }
    return size
  }

  #checkSize(start: number): void {
    const { fileSize } = this.#files
    const path = this.#files.path(start)
    const size = this.#sizeOf(path)
    if (size === fileSize) return
    throw new StoreError(
      `${path} has ${size} bytes; with mappedFileSizeCommitLog=${fileSize} every file of the log has that many`,
    )
  }

  #sizeOf(path: string): number {
    const descriptor = this.#disk.openRead(path)
    const size = this.#disk.size(descriptor)
    this.#disk.close(descriptor)
    return size
  }

  #checkGaps(starts: number[]): void {
    for (let nth = 1; nth < starts.length; nth++) {
      const expected = starts[nth - 1]! + this.#files.fileSize
      if (starts[nth] !== expected) {
        throw new StoreError(`${this.#files.path(expected)} is missing, and later files are there`)
      }
    }
  }

  /**
   * Behind the end everything reads as zeros: no byte of a cut record can come back to life. One file
   * stays, or positions would begin at 0 again. Returns whether something stood there.
   */
  cut(end: number): boolean {
    let isCut = false
    for (const start of this.#starts.toReversed()) {
      if (start >= end && start > this.#starts[0]!) isCut = this.#removeFile(start) || isCut
      else if (end < this.#files.endOfFile(start)) isCut = this.#zeroTail(start, end) || isCut
    }
    return isCut
  }

  /** Whatever is found from the file at `from` on is durable from now on, not only in the page cache. */
  sync(from: number): void {
    for (const start of this.#starts) {
      if (start >= from) this.#disk.fdatasync(this.#files.at(start).descriptor)
    }
  }

  /**
   * Writes the bytes once more. A sync that failed leaves pages that read well, count as clean and are
   * not on the disk: without this, the next sync would say that they are.
   */
  rewrite(from: number, end: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.min(REWRITE_LENGTH, Math.max(0, end - from)))
    for (let at = from; at < end;) {
      const wanted = Math.min(bytes.length, end - at)
      const length = this.#files.read(at, wanted, bytes, 0)
      const { descriptor, start } = this.#files.at(at)
      this.#disk.pwrite(descriptor, { buffer: bytes, offset: 0, length, position: at - start })
      at += length
    }
  }

  #removeFile(start: number): boolean {
    const isUsed = this.#isUsedAt(start)
    this.#files.closeAll()
    this.#disk.remove(this.#files.path(start))
    this.#disk.syncDirectory(this.#files.directory)
    return isUsed
  }

  /** The file is sparse behind `end` afterwards. */
  #zeroTail(start: number, end: number): boolean {
    const isUsed = this.#isUsedAt(end)
    const { descriptor } = this.#files.at(start)
    this.#disk.truncate(descriptor, end - start)
    this.#disk.truncate(descriptor, this.#files.fileSize)
    this.#disk.fdatasync(descriptor)
    return isUsed
  }

  /** Whether something stands there. */
  #isUsedAt(position: number): boolean {
    const bytes = Buffer.alloc(8)
    this.#files.read(position, bytes.length, bytes, 0)
    return bytes.some((byte) => byte !== 0)
  }
}
