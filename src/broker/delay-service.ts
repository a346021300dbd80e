import type { Clock } from '../base/clock.ts'
import { fewProblems, type Report } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import { decodeMessage, MessageError, type StoredMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Unit } from '../store/consume-queue.ts'
import type { DelayOffsets } from './delay-offsets.ts'
import type { MainLog } from './main-log.ts'
import { draftOf, type MessageDraft, storedProperties } from './message-draft.ts'
import { HALF_TOPIC, SCHEDULE_TOPIC, shown } from './topic-names.ts'

/** Messages of one level that are delivered together, and their bytes. */
const BATCH = 256
const BATCH_BYTES = 4 * 1024 * 1024
/** After a refusal of the log. */
const RETRY_MS = 1000
/** The clock may be set: nothing is trusted to be far away for longer. */
const LOOK_MS = 60_000

/** No later try would go better. */
const FOR_GOOD: ReadonlySet<string> = new Set(['MESSAGE_ILLEGAL', 'TOPIC_NOT_EXIST'])

/** One queue as the service reads it. */
export interface WaitingQueue {
  min(): number
  max(): number
  /** Offset of the next message that is stored; what lies between was stored, and is not dispatched yet. */
  next(): number
  /** Null: not to be read (any more). */
  unitAt(offset: number): Unit | null
  /** Dispatch is to wake main when `max` moves. Read it again after this. */
  watch(): void
}

export interface DelayParts {
  queueOf: (topic: string, queueId: number) => WaitingQueue
  messageAt: (position: number) => Promise<Buffer | null>
  /** Whether messages can be stored there. */
  hasQueue: (topic: string, queueId: number) => boolean
  messages: MainLog
  offsets: DelayOffsets
  /** Of levels 1, 2, … */
  delaysMs: readonly number[]
  /** There may be more queues than levels: what waits in them comes at the time that was meant. */
  queueCount: number
  clock: Clock
  log: Log
}

interface Level {
  readonly level: number
  readonly queue: WaitingQueue
  offset: number
  /** Behind `offset`, delivered already: one before them is still refused. */
  readonly delivered: Set<number>
  /** When its first message comes due, ms since 1970; Infinity when it has none. */
  dueMs: number
  isBusy: boolean
  /** Ends when it is not busy any more. */
  run: Promise<void>
}

/** Delivers messages that wait for their delay level to be over. At least once, as Apache does; none early. */
export class DelayService {
  readonly #parts: DelayParts
  readonly #levels: Level[]
  readonly #report: Report
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: DelayParts) {
    this.#parts = parts
    const report: Report = (problem, error) => parts.log.error({ error: String(error) }, problem)
    this.#report = fewProblems(report, () => parts.clock.now())
    this.#levels = Array.from({ length: parts.queueCount }, (_, nth) => ({
      level: nth + 1,
      queue: parts.queueOf(SCHEDULE_TOPIC, nth),
      offset: 0,
      delivered: new Set<number>(),
      dueMs: 0,
      isBusy: false,
      run: Promise.resolve(),
    }))
    for (const level of this.#levels) this.#begin(level)
  }

  /** After a power failure the queue may be shorter than what was delivered of it. */
  #begin(level: Level): void {
    const known = this.#parts.offsets.get(level.level)
    level.offset = Math.min(known, level.queue.max())
    if (level.offset !== known) this.#parts.offsets.set(level.level, level.offset)
  }

  /** Dispatch has moved queues, or the service begins: looks at all levels that may have something. */
  onWake(): void {
    const now = this.#parts.clock.now()
    for (const level of this.#levels) {
      if (level.isBusy) continue
      const isMoved = level.dueMs === Infinity && level.queue.max() > level.offset
      if (isMoved || level.dueMs <= now) level.run = this.#run(level)
    }
    this.#setTimer()
  }

  /** What is under way is finished. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await Promise.all(this.#levels.map(({ run }) => run))
  }

  async #run(level: Level): Promise<void> {
    level.isBusy = true
    try {
      while (!this.#isClosed && (await this.#deliverDue(level)));
    } catch (error) {
      this.#report(`delayed messages of level ${level.level} wait`, error)
      level.dueMs = this.#parts.clock.now() + RETRY_MS
    }
    level.isBusy = false
    this.#setTimer()
  }

  /** True: there may be more. */
  async #deliverDue(level: Level): Promise<boolean> {
    const due = this.#takeDue(level)
    if (due.length === 0) return false
    const drafts = await Promise.all(due.map(({ unit }) => this.#draftFor(unit)))
    const outcomes = await Promise.allSettled(drafts.map((draft) => this.#store(draft)))
    let failure: PromiseRejectedResult | undefined
    for (const [nth, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') level.delivered.add(due[nth]!.offset)
      else failure ??= outcome
    }
    this.#advance(level, due.at(-1)!.offset + 1)
    if (failure !== undefined) throw asError(failure.reason)
    return true
  }

  /** Rejects when a later try may go better; what can never be stored is dropped. */
  async #store(draft: MessageDraft | null): Promise<void> {
    if (draft === null) return
    try {
      await this.#parts.messages.append(draft)
    } catch (error) {
      const isForGood = error instanceof ResponseError && FOR_GOOD.has(error.codeName)
      if (!isForGood) throw error
      this.#drop(draft.topic, error.message)
    }
  }

  /** Up to the first that is not delivered; to `end` when there is none. */
  #advance(level: Level, end: number): void {
    const before = level.offset
    level.offset = Math.max(level.offset, level.queue.min())
    while (level.offset < end && this.#isPassed(level, level.offset)) level.offset++
    if (level.offset > before) this.#parts.offsets.set(level.level, level.offset)
  }

  #isPassed({ delivered, queue }: Level, offset: number): boolean {
    return delivered.delete(offset) || queue.unitAt(offset) === null
  }

  /** Those whose time is over, in order; notes when the next one's is. */
  #takeDue(level: Level): { offset: number; unit: Unit }[] {
    const { queue } = level
    const latest = this.#parts.clock.now() + (this.#parts.delaysMs[level.level - 1] ?? Infinity)
    const due: { offset: number; unit: Unit }[] = []
    let bytes = 0
    for (let offset = Math.max(level.offset, queue.min()); due.length < BATCH; offset++) {
      if (offset >= queue.max()) {
        queue.watch()
        level.dueMs = Infinity
        if (offset >= queue.max()) break // after it is watched
      }
      const unit = level.delivered.has(offset) ? null : queue.unitAt(offset)
      if (unit === null) continue // deleted or damaged: there is nothing to deliver
      // Later than it could be: the clock was set back since.
      const dueMs = unit.tagsCode > latest ? 0 : unit.tagsCode
      if (dueMs > this.#parts.clock.now()) {
        level.dueMs = dueMs
        break
      }
      bytes += unit.length
      if (bytes > BATCH_BYTES && due.length > 0) break
      due.push({ offset, unit })
    }
    return due
  }

  /** Null: nobody is to get it. */
  async #draftFor(unit: Unit): Promise<MessageDraft | null> {
    const bytes = await this.#parts.messageAt(unit.position)
    if (bytes === null) return null
    try {
      return this.#delivered(decodeMessage(bytes), bytes)
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      return this.#drop(`at ${unit.position}`, error.message)
    }
  }

  /** Apache 5.3.3 leaves the properties as they are, DELAY and all. */
  #delivered(message: StoredMessage, bytes: Buffer): MessageDraft | null {
    const { properties } = message
    const topic = properties.get(MessageProperty.REAL_TOPIC) ?? ''
    const queueId = Number(properties.get(MessageProperty.REAL_QID))
    if (topic !== HALF_TOPIC && this.#parts.hasQueue(topic, queueId)) {
      return draftOf(message, { topic, queueId }, storedProperties(bytes))
    }
    return this.#drop(topic, 'its topic is gone')
  }

  #drop(topic: string, why: string): null {
    this.#report(`a delayed message of topic ${shown(topic)} is dropped`, why)
    return null
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const waiting = this.#levels.filter(({ isBusy }) => !isBusy).map(({ dueMs }) => dueMs)
    const dueMs = Math.min(...waiting)
    if (dueMs === Infinity) return
    const ms = Math.min(Math.max(1, dueMs - this.#parts.clock.now()), LOOK_MS)
    this.#timer = setTimeout(() => this.onWake(), ms)
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
