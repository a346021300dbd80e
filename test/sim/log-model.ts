import { BLANK_LENGTH, BLANK_MAGIC } from '../../src/store/log-record.ts'
import type { Simulation } from './simulation.ts'

/** One append as the log must have it from now on. */
export interface ModelAppend {
  position: number
  bytes: Buffer
  row: number
  queueOffset: number
  /** Lengths of its records. */
  lengths: readonly number[]
  timestamp: number
}

/** What the log, its queues and its times must be: arrays, and nobody shares them. */
export class LogModel {
  readonly start: number
  /** Where each message of a queue lies, by row and offset. */
  readonly queues: { position: number; length: number }[][]
  /** Everything below is in the file: some thread has seen it as `written`. */
  written: number
  readonly #simulation: Simulation
  readonly #fileSize: number
  readonly #times: { end: number; timestamp: number }[] = []
  #bytes: Buffer = Buffer.alloc(0)

  constructor(simulation: Simulation, options: { start: number; fileSize: number; rows: number }) {
    this.#simulation = simulation
    this.#fileSize = options.fileSize
    this.start = options.start
    this.written = options.start
    this.queues = Array.from({ length: options.rows }, () => [])
  }

  get end(): number {
    return this.start + this.#bytes.length
  }

  /** Called with the append lock held, when the bytes are in the window. */
  append({ position, bytes, row, queueOffset, lengths, timestamp }: ModelAppend): void {
    const simulation = this.#simulation
    if (position > this.end) this.#endFile()
    simulation.expect(position === this.end, `append at ${position}, the log ends at ${this.end}`)
    const queue = this.queues[row]!
    simulation.expect(
      queueOffset === queue.length,
      `queue offset ${queueOffset} of ${queue.length}`,
    )
    const last = this.#times.at(-1)?.timestamp ?? 0
    simulation.expect(timestamp >= last, `store timestamp ${timestamp} after ${last}`)
    let at = position
    for (const length of lengths) {
      queue.push({ position: at, length })
      at += length
    }
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    this.#times.push({ end: this.end, timestamp })
    const fileStart = position - (position % this.#fileSize)
    const isInFile = this.end + BLANK_LENGTH <= fileStart + this.#fileSize
    simulation.expect(isInFile, `append at ${position} leaves no room for the blank`)
  }

  /** These bytes were read as the log's. */
  checkBytes(position: number, found: Buffer, what: string): void {
    if (position + found.length > this.end) this.#endFile()
    const at = position - this.start
    const expected = this.#bytes.subarray(at, at + found.length)
    if (expected.equals(found)) return
    const wrong = found.findIndex((byte, nth) => byte !== expected[nth])
    this.#simulation.expect(false, `${what} has a wrong byte at position ${position + wrong}`)
  }

  /** A thread has seen `written` here: it is true already. */
  seeWritten(position: number, file: (position: number) => Buffer): void {
    while (this.written < position) {
      const fileStart = this.written - (this.written % this.#fileSize)
      const end = Math.min(position, fileStart + this.#fileSize)
      const bytes = file(fileStart).subarray(this.written - fileStart, end - fileStart)
      this.checkBytes(this.written, bytes, 'the file')
      this.written = end
    }
  }

  /** All of it once more: nothing was spoilt afterwards. */
  checkWritten(file: (position: number) => Buffer): void {
    const { written } = this
    this.written = this.start
    this.seeWritten(written, file)
  }

  /** Store time of the last record that ends by `position`. */
  timestampBelow(position: number): number {
    return this.#times.findLast(({ end }) => end <= position)?.timestamp ?? 0
  }

  /** A blank record up to the file's end: somebody has appended it, or will before the next record. */
  #endFile(): void {
    const { end } = this
    const fileEnd = end - (end % this.#fileSize) + this.#fileSize
    const blank = Buffer.alloc(fileEnd - end)
    this.#simulation.expect(blank.length >= BLANK_LENGTH, `a blank of ${blank.length} bytes`)
    blank.writeInt32BE(blank.length, 0)
    blank.writeInt32BE(BLANK_MAGIC, 4)
    this.#bytes = Buffer.concat([this.#bytes, blank])
  }
}
