import type { Clock } from '../base/clock.ts'
import type { Log } from '../log/log.ts'
import { decodeMessage, type StoredMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import type { Unit } from '../store/consume-queue.ts'
import type { DelayOffsets } from './delay-offsets.ts'
import type { MainLog, Stored } from './main-log.ts'
import { DELAY_LEVELS, draftOf, type MessageDraft } from './message-draft.ts'
import { HALF_TOPIC, SCHEDULE_TOPIC } from './topic-names.ts'

/** Messages of one level that are delivered together. */
const BATCH = 256
/** After a refusal of the log. */
const RETRY_MS = 1000
/** The clock may be set: nothing is trusted to be far away for longer. */
const LOOK_MS = 60_000

/** One queue as the service reads it. */
export interface WaitingQueue {
  min(): number
  max(): number
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
  clock: Clock
  log: Log
}

interface Level {
  readonly level: number
  readonly queue: WaitingQueue
  offset: number
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
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: DelayParts) {
    this.#parts = parts
    this.#levels = Array.from({ length: DELAY_LEVELS }, (_, nth) => ({
      level: nth + 1,
      queue: parts.queueOf(SCHEDULE_TOPIC, nth),
      offset: parts.offsets.get(nth + 1),
      dueMs: 0,
      isBusy: false,
      run: Promise.resolve(),
    }))
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
      this.#parts.log.error({ level: level.level, error: String(error) }, 'delayed messages wait')
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
    const stored: Promise<Stored | null>[] = drafts.map((draft) =>
      draft === null ? Promise.resolve(null) : this.#parts.messages.append(draft),
    )
    const outcomes = await Promise.allSettled(stored)
    const failed = outcomes.findIndex(({ status }) => status === 'rejected')
    const done = failed === -1 ? due.length : failed
    if (done > 0) this.#advance(level, due[done - 1]!.offset + 1)
    if (failed !== -1) throw (outcomes[failed] as PromiseRejectedResult).reason
    return true
  }

  #advance(level: Level, offset: number): void {
    level.offset = offset
    this.#parts.offsets.set(level.level, offset)
  }

  /** Those whose time is over, in order; notes when the next one's is. */
  #takeDue(level: Level): { offset: number; unit: Unit }[] {
    const { queue } = level
    const now = this.#parts.clock.now()
    const due: { offset: number; unit: Unit }[] = []
    for (let offset = Math.max(level.offset, queue.min()); due.length < BATCH; offset++) {
      if (offset >= queue.max()) {
        queue.watch()
        level.dueMs = Infinity
        if (offset >= queue.max()) break // after it is watched
      }
      const unit = queue.unitAt(offset)
      if (unit === null) continue // deleted or damaged: there is nothing to deliver
      if (unit.tagsCode > now) {
        level.dueMs = unit.tagsCode
        break
      }
      due.push({ offset, unit })
    }
    return due
  }

  /** Null: nobody is to get it. */
  async #draftFor(unit: Unit): Promise<MessageDraft | null> {
    const bytes = await this.#parts.messageAt(unit.position)
    if (bytes === null) return null
    return this.#delivered(decodeMessage(bytes))
  }

  /** Apache 5.3.3 leaves the properties as they are, DELAY and all. */
  #delivered(message: StoredMessage): MessageDraft | null {
    const { properties } = message
    const topic = properties.get(MessageProperty.REAL_TOPIC) ?? ''
    const queueId = Number(properties.get(MessageProperty.REAL_QID))
    if (topic !== HALF_TOPIC && this.#parts.hasQueue(topic, queueId)) {
      return draftOf(message, { topic, queueId }, properties)
    }
    const { position } = message
    const why = 'a delayed message is dropped: its topic is gone'
    this.#parts.log.warn({ topic, queueId, position }, why)
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
