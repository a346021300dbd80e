import type { Disk } from '../base/disk.ts'
import type { LogFiles } from './log-files.ts'
import { HEAD_LENGTH, RecordParts, readHead } from './log-record.ts'

/**
 * How old log files are: by the messages in them. The time of the last change, which Apache goes by,
 * is lost when a store is copied.
 */
export class LogAge {
  readonly #disk: Disk
  readonly #files: LogFiles
  readonly #bytes = Buffer.alloc(HEAD_LENGTH)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, HEAD_LENGTH)
  readonly #record = new RecordParts()
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
      const span = { buffer: this.#bytes, offset: 0, length: HEAD_LENGTH, position: 0 }
      if (this.#disk.pread(descriptor, span) < HEAD_LENGTH) return 0
    } finally {
      this.#disk.close(descriptor)
    }
    readHead(this.#record, this.#view, 0)
    const isMessage = this.#record.position === start && this.#record.length > 0
    return isMessage ? this.#record.storeTimestamp : 0
  }
}
