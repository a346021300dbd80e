import type { Unit } from '../store/consume-queue.ts'
import type { DueTimer } from './timer-heap.ts'
import type { TimedMessage } from './timer-message.ts'
import type { TimerRead, TimerReader } from './timer-reader.ts'
import type { TimerParts, TimerStart } from './timer-service.ts'

/** Messages that are read together, and their bytes. */
const BATCH = 256
const BATCH_BYTES = 4 * 1024 * 1024
/** Between two tries to read a message, and tries in vain, while others are stored, before it is given up. */
const RETRY_MS = 1000
const TRIES_MAX = 5
/** What is due at once may become so many times what slots are taken for: then nothing more is put in. */
const HEAP_FACTOR = 4

export type TimerIntakeParts = Pick<TimerParts, 'queue' | 'book' | 'clock' | 'report'> & {
  reader: TimerReader
  /** One has its unit, and its timer when it is of a slot that is in memory. */
  onPut: (timed: TimedMessage, timer: DueTimer | null) => void
  /** Grows with whatever is stored. */
  done: () => number
}

/** Gives the messages of the timer queue their units, in their order. */
export class TimerIntake {
  readonly #parts: TimerIntakeParts
  readonly #start: TimerStart
  #offset: number
  #isFull = false
  /** The next message cannot be read. */
  #retryMs = 0
  #tries = 0
  #doneLast = -1

  constructor(parts: TimerIntakeParts, start: TimerStart) {
    this.#parts = parts
    this.#start = start
    this.#offset = start.queueOffset
  }

  /** Messages below it were put in. */
  get offset(): number {
    return this.#offset
  }

  /** The next message's slot is used by an older time, or memory is full: it waits until others are delivered. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** The next message is not tried before. */
  get retryMs(): number {
    return this.#retryMs
  }

  /** It is tried again at once. */
  forget(): void {
    this.#retryMs = 0
  }

  /** False: nothing was put in. */
  async step(): Promise<boolean> {
    const { queue, book, clock, reader } = this.#parts
    if (this.#retryMs > clock.now() || this.#hasNoRoom()) return false
    this.#offset = Math.max(this.#offset, queue.min())
    const { offsets, units } = this.#nextUnits()
    if (offsets.length === 0) return false
    const reads = await reader.lot(units.filter((unit) => unit !== null))
    const before = this.#offset
    for (const [nth, offset] of offsets.entries()) {
      const read = units[nth] === null ? null : reads.shift()!
      if (!this.#putIn(read, offset)) break
      this.#offset = offset + 1
    }
    book.write()
    return this.#offset > before
  }

  #hasNoRoom(): boolean {
    const { heap, loadedMax } = this.#parts.book
    this.#isFull = heap.size >= HEAP_FACTOR * loadedMax
    return this.#isFull
  }

  #nextUnits(): { offsets: number[]; units: (Unit | null)[] } {
    const { queue } = this.#parts
    const [offsets, units]: [number[], (Unit | null)[]] = [[], []]
    let bytes = 0
    for (let offset = this.#offset; offset < queue.max() && units.length < BATCH; offset++) {
      const unit = queue.unitAt(offset)
      bytes += unit?.length ?? 0
      if (bytes > BATCH_BYTES && units.length > 0) break
      offsets.push(offset)
      units.push(unit)
    }
    return { offsets, units }
  }

  /** False: not yet. */
  #putIn(read: TimerRead | null | Error, offset: number): boolean {
    if (read === null) return true
    if (read instanceof Error) return this.#isGivenUp(read, offset)
    const { lostBelow, doneMs } = this.#start
    if (offset < lostBelow && read.timed.dueMs <= doneMs) return true
    this.#isFull = !this.#parts.book.hasRoomFor(read.timed, this.#parts.clock.now())
    if (!this.#isFull) this.put(read)
    return !this.#isFull
  }

  put({ message, bytes, timed }: TimerRead): void {
    const { book, clock, onPut } = this.#parts
    const place = { position: message.position, length: bytes.length, now: clock.now() }
    onPut(timed, book.put(timed, place))
  }

  /** As long as nothing else can be stored the disk may be away altogether: that does not count. */
  #isGivenUp(error: Error, offset: number): boolean {
    const { clock, report, reader, done } = this.#parts
    const isLast = this.#tries === TRIES_MAX
    if (isLast) reader.drop(`at offset ${offset}`, `it cannot be read: ${error.message}`)
    else report(`the timed message at offset ${offset} cannot be read yet`, error)
    if (isLast) this.#tries = 0
    else if (this.#doneLast !== done()) this.#tries++
    this.#doneLast = done()
    this.#retryMs = isLast ? 0 : clock.now() + RETRY_MS
    return isLast
  }
}
