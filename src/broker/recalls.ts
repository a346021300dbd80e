import type { Report } from '../log/few-problems.ts'
import { keptKey } from './kept-key.ts'
import type { DueTimer } from './timer-heap.ts'
import type { TimedMessage } from './timer-message.ts'
import type { TimerReader } from './timer-reader.ts'

/** Deletions that are read together. */
const LOT = 256
/** Between the two tries to read one. */
const RETRY_MS = 1000

export interface RecallsParts {
  reader: Pick<TimerReader, 'lot'>
  precisionMs: number
  /** Keys that are remembered at a time. */
  keysMax: number
  report: Report
}

/** Messages that are not to be delivered, by their keys: what deletes them lies in their slot. */
export class Recalls {
  readonly #parts: RecallsParts
  /** Until when they are kept. */
  readonly #keys = new Map<string, number>()
  /** Deletions of slots that are in memory, and not read yet. */
  #waiting: DueTimer[] = []
  /** Those that the disk did not give. */
  #again: DueTimer[] = []
  #retryMs = Infinity
  readonly #onRead: (timer: DueTimer, message: TimedMessage) => void

  /** `onRead` is told of each that is read. */
  constructor(parts: RecallsParts, onRead: (timer: DueTimer, message: TimedMessage) => void) {
    this.#parts = parts
    this.#onRead = onRead
  }

  /** When a second try is due. */
  get retryMs(): number {
    return this.#retryMs
  }

  /** What is due later may be recalled by one that is not read yet. */
  get knownMs(): number {
    const { precisionMs } = this.#parts
    let dueMs = Infinity
    for (const timer of this.#waiting) dueMs = Math.min(dueMs, timer.dueMs)
    for (const timer of this.#again) dueMs = Math.min(dueMs, timer.dueMs)
    return dueMs === Infinity ? dueMs : (Math.ceil(dueMs / precisionMs) - 1) * precisionMs
  }

  /** `left` more there was no room for. */
  expect(deletions: readonly DueTimer[], left: number): void {
    this.#waiting = this.#waiting.concat(deletions)
    if (left > 0) this.#parts.report('too many recalls for one moment', `${left} are left out`)
  }

  /** Reads some of those that are expected. False: there are none. */
  async step(now: number): Promise<boolean> {
    if (now >= this.#retryMs) return this.#tryAgain()
    if (this.#waiting.length === 0) return false
    const lot = this.#waiting.slice(-LOT)
    this.#again.push(...(await this.#read(lot)))
    this.#waiting.length -= lot.length
    if (this.#again.length > 0) this.#retryMs = now + RETRY_MS
    return true
  }

  async #tryAgain(): Promise<boolean> {
    const lot = this.#again.slice(-LOT)
    const failed = await this.#read(lot)
    this.#again.length -= lot.length
    if (this.#again.length === 0) this.#retryMs = Infinity
    for (const { position } of failed) {
      this.#parts.report(`the recall at ${position} cannot be read`, 'its message is delivered')
    }
    return true
  }

  /** Returns those that the disk does not give. */
  async #read(lot: readonly DueTimer[]): Promise<DueTimer[]> {
    const reads = await this.#parts.reader.lot(lot)
    return lot.filter((timer, nth) => {
      const read = reads[nth]!
      if (read instanceof Error) return true
      if (read !== null) this.#onRead(timer, read.timed)
      return false
    })
  }

  add(key: string, untilMs: number): void {
    if (this.#keys.size < this.#parts.keysMax) this.#keys.set(keptKey(key), untilMs)
    else this.#parts.report('too many recalls at a time', 'one more message is delivered')
  }

  has(key: string | null): boolean {
    return key !== null && this.#keys.size > 0 && this.#keys.has(keptKey(key))
  }

  /** What was due up to then is delivered. */
  forget(readMs: number): void {
    for (const [key, untilMs] of this.#keys) {
      if (untilMs > readMs) return // the others are later, or nearly
      this.#keys.delete(key)
    }
  }

  clear(): void {
    this.#keys.clear()
    this.#waiting = []
    this.#again = []
    this.#retryMs = Infinity
  }
}
