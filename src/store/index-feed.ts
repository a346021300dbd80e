import type { LogFiles } from './log-files.ts'
import { LogScan, type RecordVisitor } from './log-scan.ts'

/** One turn of dispatch looks at this much of the log at most. */
const PIECE = 64 * 1024

/** Reads the log for an index that is behind, a piece a turn, so that live messages need not wait. */
export class IndexFeed {
  readonly #files: LogFiles
  readonly #scan: LogScan

  constructor(files: LogFiles) {
    this.#files = files
    // Damage was reported when the store was opened.
    const options = { checkCrc: false, isMiddle: () => true, timestamp: 0, chunkLength: PIECE }
    this.#scan = new LogScan(files, options)
  }

  /** Visits messages from `from` on, of a piece of `[from, to)`, both starts of records; returns its end. */
  piece(from: number, to: number, visit: RecordVisitor): number {
    this.#scan.forget() // what it read behind `to` then may have been half written
    for (let end = Math.min(from + PIECE, to); ; end = Math.min(to, this.#files.endOfFile(end))) {
      const next = this.#scan.run(from, end, visit)
      if (next > from) return Math.min(next, to)
      if (end === to) return to // nothing but damage
    }
  }
}
