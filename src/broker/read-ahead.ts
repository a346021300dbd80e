import type { LotItem, Place } from '../store/stored-lots.ts'
import type { DueTimer } from './timer-heap.ts'

/** Messages that are read together, and their bytes. */
const LOT = 256
const LOT_BYTES = 1024 * 1024
/** Bytes of messages that wait in memory. */
const HELD_MAX = 16 * 1024 * 1024

/**
 * Messages of timers that are about to be due, read while there is time: a disk that takes some then makes nobody
 * late.
 */
export class ReadAhead {
  readonly #read: (places: readonly Place[]) => Promise<LotItem[]>
  /** Still to be read: lists of timers, the newest of each first. */
  #wanted: (readonly DueTimer[])[] = []
  /** How many of the first list are left. */
  #left = 0
  /** By position. */
  readonly #messages = new Map<number, Buffer>()
  #held = 0

  constructor(read: (places: readonly Place[]) => Promise<LotItem[]>) {
    this.#read = read
  }

  /** Newest first. */
  add(timers: readonly DueTimer[]): void {
    if (timers.length === 0) return
    if (this.#wanted.length === 0) this.#left = timers.length
    this.#wanted.push(timers)
  }

  /** The message, once, when it was read. */
  take({ position, length }: Place): Buffer | null {
    const bytes = this.#messages.get(position)
    if (bytes === undefined || bytes.length !== length) return null
    this.#messages.delete(position)
    this.#held -= length
    return bytes
  }

  /** Reads some. False: there are none, or there is no room for them. What is due is not read ahead any more. */
  async step(now: number): Promise<boolean> {
    const lot = this.#nextLot(now)
    if (lot.length === 0) return false
    const items = await this.#read(lot)
    for (const [nth, { position }] of lot.entries()) {
      const bytes = items[nth]
      if (Buffer.isBuffer(bytes) && !this.#messages.has(position)) this.#hold(position, bytes)
    }
    return true
  }

  clear(): void {
    this.#wanted = []
    this.#messages.clear()
    this.#held = 0
  }

  /** A copy: what was read may be a piece of much more. */
  #hold(position: number, bytes: Buffer): void {
    this.#messages.set(position, Buffer.from(bytes))
    this.#held += bytes.length
  }

  #nextLot(now: number): DueTimer[] {
    const lot: DueTimer[] = []
    let bytes = 0
    while (lot.length < LOT && bytes < LOT_BYTES) {
      const timer = this.#next()
      if (timer === null || this.#held + bytes + timer.length > HELD_MAX) break
      this.#pass()
      if (timer.dueMs <= now) continue
      lot.push(timer)
      bytes += timer.length
    }
    return lot
  }

  #next(): DueTimer | null {
    return this.#wanted[0]?.[this.#left - 1] ?? null
  }

  #pass(): void {
    if (--this.#left > 0) return
    this.#wanted.shift()
    this.#left = this.#wanted[0]?.length ?? 0
  }
}
