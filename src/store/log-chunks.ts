import { read } from 'node:fs'
import type { LogFiles } from './log-files.ts'

const CHUNK_LENGTH = 256 * 1024
/** Pieces kept, unless one reader alone needs more of them. */
const CHUNKS_MAX = 32
/** Reads on their way at once; further ones wait their turn. */
const READS_MAX = 4

interface Chunk {
  start: number
  bytes: Buffer
  /** Bytes of it that were in the file when it was read. */
  length: number
}

/** What one reader needs: by start of each piece the position behind its last byte that is wanted. */
interface Load {
  needs: ReadonlyMap<number, number>
  done: (error: Error | null) => void
}

/**
 * Pieces of log files for readers that are behind the window, read ahead and off the event loop. All
 * consumers of a worker share them: those who catch up together read each piece once.
 *
 * A reader's pieces stay until it was called back, and only as many readers are let in as there is
 * room for. Otherwise a few of them with long messages could take each other's pieces away for ever.
 */
export class LogChunks {
  readonly #files: LogFiles
  readonly #written: () => number
  readonly #chunks = new Map<number, Chunk>()
  readonly #waiting: Load[] = []
  readonly #active = new Set<Load>()
  /** How many active loads need a piece. */
  readonly #pins = new Map<number, number>()
  readonly #queue: number[] = []
  readonly #reading = new Set<number>()
  readonly #free: Buffer[] = []

  constructor(files: LogFiles, written: () => number) {
    this.#files = files
    this.#written = written
  }

  /** No record reaches beyond it. */
  endOfFile(position: number): number {
    return this.#files.endOfFile(position)
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
      if (!this.#has(start, to)) return at
      at = to
    }
    return -1
  }

  /**
   * Reads what is missing of these ranges (written already), and calls back. Without an error all of
   * them are here during the call.
   */
  load(
    positions: readonly number[],
    lengths: readonly number[],
    done: (error: Error | null) => void,
  ): void {
    const needs = new Map<number, number>()
    for (const [nth, position] of positions.entries()) {
      const end = position + lengths[nth]!
      for (let at = position; at < end; at = this.#endOf(this.#startOf(at))) {
        const start = this.#startOf(at)
        needs.set(start, Math.min(this.#endOf(start), end))
      }
    }
    this.#waiting.push({ needs, done })
    this.#admit()
  }

  /** Drops pieces of files that are about to go. False: some are being read, none may be closed yet. */
  forgetBelow(position: number): boolean {
    for (const start of this.#chunks.keys()) if (start < position) this.#drop(start)
    for (const start of this.#reading) if (start < position) return false
    return true
  }

  #has(start: number, to: number): boolean {
    const chunk = this.#chunks.get(start)
    return chunk !== undefined && start + chunk.length >= to
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#hasRoomFor(this.#waiting[0]!)) {
      const load = this.#waiting.shift()!
      this.#active.add(load)
      for (const start of load.needs.keys()) this.#pin(start, 1)
      this.#advance(load)
    }
  }

  #hasRoomFor({ needs }: Load): boolean {
    let pinned = this.#pins.size
    if (pinned === 0) return true
    for (const start of needs.keys()) if (!this.#pins.has(start)) pinned++
    return pinned <= CHUNKS_MAX
  }

  /** Asks for what is still missing; calls back when that is nothing. */
  #advance(load: Load): void {
    let isComplete = true
    for (const [start, to] of load.needs) {
      if (this.#has(start, to)) continue
      isComplete = false
      if (!this.#reading.has(start) && !this.#queue.includes(start)) this.#queue.push(start)
    }
    if (isComplete) this.#complete(load, null)
    else this.#startReads()
  }

  #complete(load: Load, error: Error | null): void {
    if (!this.#active.delete(load)) return
    try {
      load.done(error)
    } finally {
      for (const start of load.needs.keys()) this.#pin(start, -1)
      this.#evict()
      this.#admit()
    }
  }

  #startReads(): void {
    while (this.#reading.size < READS_MAX && this.#queue.length > 0) {
      this.#read(this.#queue.shift()!)
    }
  }

  #read(start: number): void {
    const length = Math.min(this.#endOf(start), this.#written()) - start
    const chunk: Chunk = { start, bytes: this.#free.pop() ?? newChunk(), length }
    this.#reading.add(start)
    let descriptor: number
    try {
      descriptor = this.#files.at(start).descriptor
    } catch (error) {
      setImmediate(() => this.#finish(chunk, error as Error))
      return
    }
    const at = start - this.#files.startOfFile(start)
    read(descriptor, chunk.bytes, 0, length, at, (error, count) => {
      this.#finish(chunk, error ?? (count < length ? this.#tooShort(start) : null))
    })
  }

  #tooShort(start: number): Error {
    return new Error(`${this.#files.path(this.#files.startOfFile(start))} is shorter than the log`)
  }

  #finish(chunk: Chunk, error: Error | null): void {
    const { start } = chunk
    this.#reading.delete(start)
    if (error === null) this.#keep(chunk)
    else this.#free.push(chunk.bytes)
    for (const load of this.#active) {
      if (!load.needs.has(start)) continue
      if (error === null) this.#advance(load)
      else this.#complete(load, error)
    }
    this.#startReads()
  }

  #keep(chunk: Chunk): void {
    this.#drop(chunk.start)
    this.#chunks.set(chunk.start, chunk)
    this.#evict()
  }

  /** The longest here goes first, but none that somebody waits for. */
  #evict(): void {
    for (const start of this.#chunks.keys()) {
      if (this.#chunks.size <= CHUNKS_MAX) return
      if (!this.#pins.has(start)) this.#drop(start)
    }
  }

  #drop(start: number): void {
    const chunk = this.#chunks.get(start)
    if (chunk === undefined) return
    this.#chunks.delete(start)
    if (this.#free.length < READS_MAX) this.#free.push(chunk.bytes)
  }

  #pin(start: number, by: number): void {
    const count = (this.#pins.get(start) ?? 0) + by
    if (count === 0) this.#pins.delete(start)
    else this.#pins.set(start, count)
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

function newChunk(): Buffer {
  return Buffer.allocUnsafeSlow(CHUNK_LENGTH)
}
