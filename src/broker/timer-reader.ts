import type { Report } from '../log/few-problems.ts'
import { decodeMessage, MessageError, type StoredMessage } from '../protocol/message.ts'
import type { Unit } from '../store/consume-queue.ts'
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
  messageAt: (position: number) => Promise<Buffer | null>
  precisionMs: number
}

/** Reads messages of the timer queue; says why one is dropped. Rejects when a later try may go better. */
export class TimerReader {
  readonly #parts: TimerReaderParts
  readonly #report: Report

  constructor(parts: TimerReaderParts, report: Report) {
    this.#parts = parts
    this.#report = report
  }

  async ofUnit(unit: Unit | null): Promise<TimerRead | null> {
    return unit === null ? null : this.at(unit.position)
  }

  /** A unit may stand for a message that was lost, and another one stands in its place. */
  async whole({ position, length }: DueTimer): Promise<TimerRead | null> {
    const read = await this.at(position)
    if (read === null || read.bytes.length === length) return read
    return this.drop(`at ${position}`, 'another message stands there')
  }

  /** Null: nobody is to get it. */
  async at(position: number): Promise<TimerRead | null> {
    const bytes = await this.#parts.messageAt(position)
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
