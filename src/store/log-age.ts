import type { Disk } from '../base/disk.ts'
import type { LogFiles } from './log-files.ts'
import { HEAD_LENGTH, storeTimeIn } from './log-record.ts'

/**
 * How old log files are: by the messages in them. The time of the last change, which Apache goes by,
 * is lost when a store is copied.
 */
export class LogAge {
  readonly #disk: Disk
  readonly #files: LogFiles
  readonly #head = Buffer.alloc(HEAD_LENGTH)
  #known = { start: -1, newestMs: 0 }

  constructor(disk: Disk, files: LogFiles) {
    this.#disk = disk
    this.#files = files
  }

  /**
   * Store time of the newest message of the file at `start`, or somewhat later: that of the next
   * message that can be read in a file behind it, up to the one at `last`; else `fallback`.
   */
  newestOf(start: number, { last, fallback }: { last: number; fallback: number }): number {
    if (this.#known.start === start) return this.#known.newestMs
    for (let next = start + this.#files.fileSize; next <= last; next += this.#files.fileSize) {
      const newestMs = this.#firstOf(next)
      if (newestMs === 0) continue
      this.#known = { start, newestMs }
      return newestMs
    }
    return fallback
  }

  /** 0 when the file begins with no message. */
  #firstOf(start: number): number {
    const descriptor = this.#disk.openRead(this.#files.path(start))
    try {
      const span = { buffer: this.#head, offset: 0, length: HEAD_LENGTH, position: 0 }
      const length = this.#disk.pread(descriptor, span)
      return storeTimeIn(this.#head.subarray(0, length), start) ?? 0
    } finally {
      this.#disk.close(descriptor)
    }
  }
}
