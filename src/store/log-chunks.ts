import { read } from 'node:fs'
import type { LogFiles } from './log-files.ts'

const CHUNK_LENGTH = 256 * 1024
const CHUNKS_MAX = 32
/** Reads on their way at once; further ones wait their turn. */
const LOADS_MAX = 4

interface Chunk {
  start: number
  bytes: Buffer
  /** Bytes of it that were in the file when it was read. */
  length: number
}

/**
 * Pieces of log files for readers that are behind the window, read ahead and off the event loop. All
 * consumers of a worker share them: those who catch up together read each piece once.
 */
export class LogChunks {
  readonly #files: LogFiles
  readonly #written: () => number
  readonly #chunks = new Map<number, Chunk>()
  readonly #loading = new Map<number, ((error: Error | null) => void)[]>()
  readonly #queue: number[] = []
  readonly #free: Buffer[] = []
  #underWay = 0

  constructor(files: LogFiles, written: () => number) {
    this.#files = files
    this.#written = written
  }

  /** Copies out what `missing` said is here. */
  copyOut(position: number, length: number, target: Buffer, targetAt: number): void {
    const end = position + length
    for (let at = position; at < end;) {
      const start = this.#startOf(at)
      const to = Math.min(this.#endOf(start), end)
      this.#chunks.get(start)!.bytes.copy(target, targetAt + at - position, at - start, to - start)
      at = to
    }
  }

  /** The first byte of `[position, position + length)` that is not here; -1 when all are. */
  missing(position: number, length: number): number {
    const end = position + length
    for (let at = position; at < end;) {
      const start = this.#startOf(at)
      const to = Math.min(this.#endOf(start), end)
      const chunk = this.#chunks.get(start)
      if (chunk === undefined || start + chunk.length < to) return at
      at = to
    }
    return -1
  }

  /** Reads the piece that holds `position` (written already), and calls back once it is here. */
  load(position: number, done: (error: Error | null) => void): void {
    const start = this.#startOf(position)
    const waiting = this.#loading.get(start)
    if (waiting !== undefined) {
      waiting.push(done)
      return
    }
    this.#loading.set(start, [done])
    this.#queue.push(start)
    this.#startLoads()
  }

  /** Drops pieces of files that were deleted. */
  forgetBelow(position: number): void {
    for (const start of this.#chunks.keys()) if (start < position) this.#drop(start)
  }

  #startLoads(): void {
    while (this.#underWay < LOADS_MAX && this.#queue.length > 0) this.#read(this.#queue.shift()!)
  }

  #read(start: number): void {
    const length = Math.min(this.#endOf(start), this.#written()) - start
    const bytes = this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_LENGTH)
    const chunk: Chunk = { start, bytes, length }
    this.#underWay++
    let descriptor: number
    try {
      descriptor = this.#files.at(start).descriptor
    } catch (error) {
      setImmediate(() => this.#finish(chunk, error as Error))
      return
    }
    const at = start - this.#files.startOfFile(start)
    read(descriptor, chunk.bytes, 0, length, at, (error, count) => {
      chunk.length = count ?? 0
      this.#finish(chunk, error)
    })
  }

  #finish(chunk: Chunk, error: Error | null): void {
    this.#underWay--
    if (error === null) this.#keep(chunk)
    const waiting = this.#loading.get(chunk.start) ?? []
    this.#loading.delete(chunk.start)
    this.#startLoads()
    for (const done of waiting) done(error)
  }

  #keep(chunk: Chunk): void {
    this.#drop(chunk.start)
    this.#chunks.set(chunk.start, chunk)
    if (this.#chunks.size <= CHUNKS_MAX) return
    const [oldest] = this.#chunks.keys()
    this.#drop(oldest!)
  }

  #drop(start: number): void {
    const chunk = this.#chunks.get(start)
    if (chunk === undefined) return
    this.#chunks.delete(start)
    this.#free.push(chunk.bytes)
  }

  /** Pieces are cut from the start of each file on: none spans two files. */
  #startOf(position: number): number {
    const fileStart = this.#files.startOfFile(position)
    return position - ((position - fileStart) % CHUNK_LENGTH)
  }

  #endOf(start: number): number {
    return Math.min(start + CHUNK_LENGTH, this.#files.endOfFile(start))
  }
}
