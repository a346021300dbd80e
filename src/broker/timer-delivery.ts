import { TimerMagic } from '../store/timer-unit.ts'
import type { ResponseError } from '../protocol/response-error.ts'
import { isForGood } from './main-log.ts'
import type { MessageDraft } from './message-draft.ts'
import type { Recalls } from './recalls.ts'
import type { DueTimer } from './timer-heap.ts'
import { deliveredDraft, rolledDraft } from './timer-message.ts'
import type { TimerRead, TimerReader } from './timer-reader.ts'
import type { TimerParts } from './timer-service.ts'

export type TimerDeliveryParts = TimerParts & {
  reader: TimerReader
  recalls: Recalls
  /** One is done with; `change` of those that wait. */
  onDone: (change: number) => void
  /** Into its own slot, as it was to be rolled, and its time is over meanwhile. */
  putAgain: (read: TimerRead) => void
  /** Grows with whatever is read and stored. */
  done: () => number
}

/** A message that is to be stored. */
interface Outgoing {
  timer: DueTimer
  read: TimerRead
  draft: MessageDraft
}

/** Stores what is due, many messages at once. One that cannot be read now holds up no other. */
export class TimerDelivery {
  readonly #parts: TimerDeliveryParts

  constructor(parts: TimerDeliveryParts) {
    this.#parts = parts
  }

  /** Those that are refused are put back, to be tried later; what the last of them was refused with; null: none. */
  async deliver(due: readonly DueTimer[]): Promise<Error | null> {
    const { reader, messages } = this.#parts
    const reads = await this.#orPutBack(due, reader.lot(due))
    const outgoing: Outgoing[] = []
    for (const [nth, timer] of due.entries()) {
      const draft = this.#draftFor(timer, reads[nth]!)
      if (draft !== null) outgoing.push({ timer, read: reads[nth] as TimerRead, draft })
    }
    const timers = outgoing.map(({ timer }) => timer)
    const drafts = outgoing.map(({ draft }) => draft)
    const failures = await this.#orPutBack(timers, messages.appendAll(drafts))
    return this.#settle(outgoing, failures)
  }

  async #orPutBack<T>(timers: readonly DueTimer[], work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      for (const timer of timers) this.#parts.book.heap.push(timer)
      throw error
    }
  }

  #settle(
    outgoing: readonly Outgoing[],
    failures: readonly (ResponseError | null)[],
  ): ResponseError | null {
    const { reader, book } = this.#parts
    let refusal: ResponseError | null = null
    for (const [nth, { timer, read }] of outgoing.entries()) {
      const failure = failures[nth]!
      if (failure === null) this.#onDone(read)
      else if (isForGood(failure)) {
        reader.drop(read.timed.topic, failure.message)
        this.#onDone(read)
      } else {
        book.heap.push(timer)
        refusal = failure
      }
    }
    return refusal
  }

  /** Null: there is nothing to store. */
  #draftFor(timer: DueTimer, read: TimerRead | null | Error): MessageDraft | null {
    const { book, clock, onDone, putAgain } = this.#parts
    if (read instanceof Error) return this.#onUnread(timer, read)
    book.unread.remove(timer)
    const now = clock.now()
    if (read === null) onDone(-1)
    else if ((timer.magic & TimerMagic.ROLL) === 0) return this.#deliveryOf(timer, read, now)
    else if (read.timed.dueMs > now) return rolledDraft(read, { writtenMs: timer.writtenMs, now })
    else putAgain(read)
    return null
  }

  #deliveryOf({ writtenMs }: DueTimer, read: TimerRead, now: number): MessageDraft | null {
    const { recalls, hasQueue, reader } = this.#parts
    const { topic, queueId, key } = read.timed
    const isRecalled = recalls.has(key)
    if (!isRecalled && hasQueue(topic, queueId)) {
      return deliveredDraft(read, read.timed, { writtenMs, now })
    }
    if (!isRecalled) reader.drop(topic, 'its topic is gone')
    this.#onDone(read)
    return null
  }

  #onDone({ timed }: TimerRead): void {
    const change = timed.deletes === null ? -1 : 1
    this.#parts.metrics.add(timed.topic, change)
    this.#parts.onDone(change)
  }

  #onUnread(timer: DueTimer, error: Error): null {
    const { book, clock, reader, report, onDone, done } = this.#parts
    if (book.unread.add(timer, clock.now(), done())) {
      report(`the timed message at ${timer.position} cannot be read, and is tried again`, error)
    } else {
      reader.drop(`at ${timer.position}`, `it cannot be read: ${error.message}`)
      onDone(-1)
    }
    return null
  }
}
