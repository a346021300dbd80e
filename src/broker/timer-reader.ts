import type { Report } from '../log/few-problems.ts'
import { decodeMessage, MessageError, type StoredMessage } from '../protocol/message.ts'
import type { LotItem, Place } from '../store/stored-lots.ts'
import { ReadAhead } from './read-ahead.ts'
import type { DueTimer } from './timer-heap.ts'
import { readTimed, type TimedMessage } from './timer-message.ts'
import { shown, TIMER_TOPIC } from './topic-names.ts'

/** A message of the timer queue. */
export interface TimerRead {
  message: StoredMessage
  bytes: Buffer
  timed: TimedMessage
}

export interface TimerReaderParts {
  messagesAt: (places: readonly Place[]) => Promise<LotItem[]>
  precisionMs: number
}

/** Reads messages of the timer queue; says why one is dropped. */
export class TimerReader {
  readonly #parts: TimerReaderParts
  readonly #report: Report
  readonly #ahead: ReadAhead

  constructor(parts: TimerReaderParts, report: Report) {
    this.#parts = parts
    this.#report = report
    this.#ahead = new ReadAhead(parts.messagesAt)
  }

  /** They are about to be due. Newest first. */
  expect(timers: readonly DueTimer[]): void {
    this.#ahead.add(timers)
  }

  /** Reads some of those ahead. False: nothing is to be read now. */
  readAhead(now: number): Promise<boolean> {
    return this.#ahead.step(now)
  }

  forget(): void {
    this.#ahead.clear()
  }

  /** Null: nobody is to get it. Error: a later try may go better. */
  async lot(places: readonly Place[]): Promise<(TimerRead | null | Error)[]> {
    const items: LotItem[] = places.map((place) => this.#ahead.take(place))
    const missing = [...places.keys()].filter((nth) => items[nth] === null)
    if (missing.length > 0) {
      const read = await this.#parts.messagesAt(missing.map((nth) => places[nth]!))
      for (const [nth, item] of read.entries()) items[missing[nth]!] = item
    }
    return items.map((item, nth) => this.#understood(item, places[nth]!))
  }

  #understood(bytes: LotItem, { position }: Place): TimerRead | null | Error {
    if (bytes instanceof Error) return bytes
    if (bytes === null) return this.drop(`at ${position}`, 'it is not in the log any more')
    try {
      const message = decodeMessage(bytes)
      const isTimer = message.topic === TIMER_TOPIC
      const timed = isTimer ? readTimed(message, this.#parts.precisionMs) : null
      if (timed !== null) return { message, bytes, timed }
      return this.drop(message.topic, 'it does not say when it is due, or where')
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      return this.drop(`at ${position}`, error.message)
    }
  }

  drop(topic: string, why: string): null {
    this.#report(`a timed message of topic ${shown(topic)} is dropped`, why)
    return null
  }
}
