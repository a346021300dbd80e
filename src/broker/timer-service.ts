import { setImmediate as rest } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { fewProblems, type Report } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { TimerMagic } from '../store/timer-unit.ts'
import type { WaitingQueue } from './delay-service.ts'
import { keptKey } from './kept-key.ts'
import type { MainLog } from './main-log.ts'
import type { TimerBook } from './timer-book.ts'
import type { DueTimer } from './timer-heap.ts'
import { deliveredDraft, rolledDraft, type TimedMessage } from './timer-message.ts'
import type { TimerMetrics } from './timer-metrics.ts'
import type { TimerProgress } from './timer-progress.ts'
import { type TimerRead, TimerReader, type TimerReaderParts } from './timer-reader.ts'
import { TimerSpeeds } from './timer-speeds.ts'

/** Messages that are read together, and their bytes. */
const BATCH = 256
const BATCH_BYTES = 4 * 1024 * 1024
/** While so many wait in memory, no further slots are taken there. */
const LOADED_MAX = 100_000
/** After a refusal of log or disk. */
const RETRY_MS = 1000
/** The clock may be set: nothing is trusted to be far away for longer. */
const LOOK_MS = 60_000
/** No later try would go better. */
const FOR_GOOD: ReadonlySet<string> = new Set(['MESSAGE_ILLEGAL', 'TOPIC_NOT_EXIST'])

export interface TimerParts extends TimerReaderParts {
  queue: WaitingQueue
  /** Whether messages can be stored there. */
  hasQueue: (topic: string, queueId: number) => boolean
  messages: Pick<MainLog, 'append'>
  book: TimerBook
  metrics: TimerMetrics
  clock: Clock
  log: Log
}

/** Where the last run was. */
export interface TimerStart {
  queueOffset: number
  /** Messages below this offset that were due by `doneMs` were delivered, though their units are lost. */
  lostBelow: number
  doneMs: number
  /** Timers that wait. */
  pending: number
}

/**
 * Puts messages of the timer queue into the wheel and delivers them when they are due. At least once, as Apache
 * does; none early.
 */
export class TimerService {
  readonly speeds: TimerSpeeds
  readonly #parts: TimerParts
  readonly #report: Report
  readonly #reader: TimerReader
  readonly #progress: TimerProgress
  /** Of slots that were loaded, and not read yet. */
  readonly #deletions: DueTimer[] = []
  /** Keys of messages that are not to be delivered, and until when they are kept. */
  readonly #deleted = new Map<string, number>()
  readonly #start: TimerStart
  #offset: number
  #pending: number
  /** The slot whose deletions are all known, and the offset that had to be put in for that. */
  #barrierTick = -1
  #barrier = 0
  /** The next message's slot is used by an older time: it waits until that is over. */
  #isFull = false
  #nextMs = 0
  #isBusy = false
  #isClosed = false
  #run: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(
    parts: TimerParts,
    start: TimerStart,
    progressOf: (offset: () => number) => TimerProgress,
  ) {
    this.#parts = parts
    this.#start = start
    this.#offset = start.queueOffset
    this.#pending = start.pending
    this.#progress = progressOf(() => this.#offset)
    this.speeds = new TimerSpeeds(parts.clock)
    const report: Report = (problem, error) => parts.log.error({ error: String(error) }, problem)
    this.#report = fewProblems(report, () => parts.clock.now())
    this.#reader = new TimerReader(parts, this.#report)
  }

  get progress(): TimerProgress {
    return this.#progress
  }

  /** Timers that wait, less deletions that do. */
  get pending(): number {
    return this.#pending
  }

  /** Messages that are not put in yet. */
  get behind(): number {
    return Math.max(0, this.#parts.queue.max() - this.#offset)
  }

  /** How long the first that should be delivered has been due. */
  get lateMs(): number {
    return Math.max(0, this.#parts.clock.now() - this.#parts.book.heap.dueMs)
  }

  /** Ends when it is not at work. */
  get settled(): Promise<void> {
    return this.#run
  }

  /** Dispatch has moved queues, or time has passed. */
  onWake(): void {
    if (this.#isBusy || this.#isClosed) return
    const isMoved = this.#parts.queue.max() > this.#offset
    if (isMoved || this.#nextMs <= this.#parts.clock.now()) this.#run = this.#work()
  }

  /** What is under way is finished. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#run
    const { book, clock } = this.#parts
    book.advance(clock.now()) // Apache goes by slots: those that are over need not be looked at again
    await this.#progress.close()
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    const { book, clock, queue } = this.#parts
    try {
      while (!this.#isClosed && (await this.#step())) await rest()
      queue.watch()
      const isMoved = queue.max() > this.#offset // after it is watched
      const now = clock.now()
      this.#nextMs = isMoved ? now : this.#barrierWaits() ? now + RETRY_MS : book.nextMs(now)
    } catch (error) {
      this.#report('timed messages wait', error)
      this.#nextMs = clock.now() + RETRY_MS
    }
    this.#isBusy = false
    this.#setTimer()
  }

  /** False: there is nothing to do now. */
  async #step(): Promise<boolean> {
    this.#mindClock()
    const isTaken = await this.#takeIn()
    const isLoaded = await this.#load()
    await this.#readDeletions()
    const isDelivered = await this.#deliver()
    return isTaken || isLoaded || isDelivered
  }

  #mindClock(): void {
    const { book, clock, precisionMs } = this.#parts
    const now = clock.now()
    if (book.readMs - now < precisionMs + RETRY_MS) return
    this.#report('the clock was set back', `by ${book.readMs - now} ms`)
    this.#progress.setBack(now)
    book.setBack(now)
    this.#deleted.clear()
    this.#barrierTick = -1
  }

  /** Messages of the timer queue get their units. */
  async #takeIn(): Promise<boolean> {
    const { queue, book } = this.#parts
    this.#offset = Math.max(this.#offset, queue.min())
    const offsets: number[] = []
    let bytes = 0
    const units = []
    for (let offset = this.#offset; offset < queue.max() && units.length < BATCH; offset++) {
      const unit = queue.unitAt(offset)
      bytes += unit?.length ?? 0
      if (bytes > BATCH_BYTES && units.length > 0) break
      offsets.push(offset)
      units.push(unit)
    }
    if (units.length === 0) return false
    const reads = await Promise.all(units.map(async (unit) => this.#reader.ofUnit(unit)))
    let count = 0
    for (const [nth, read] of reads.entries()) {
      if (read !== null && !this.#putIn(read, offsets[nth]!)) break
      this.#offset = offsets[nth]! + 1
      count++
    }
    book.write()
    this.#progress.onProgress()
    return count > 0
  }

  /** False: not before others are delivered. */
  #putIn({ message, bytes, timed }: TimerRead, offset: number): boolean {
    const { book, clock, metrics } = this.#parts
    const { lostBelow, doneMs } = this.#start
    if (offset < lostBelow && timed.dueMs <= doneMs) return true
    const now = clock.now()
    this.#isFull = !book.hasRoomFor(timed, now)
    if (this.#isFull) return false
    const place = { position: message.position, length: bytes.length, now }
    const timer = book.put(timed, place)
    this.#pending += timed.deletes === null ? 1 : -1
    metrics.add(timed.topic, timed.deletes === null ? 1 : -1)
    this.speeds.enqueued++
    if (timer !== null) this.#take(timer, timed)
    return true
  }

  async #load(): Promise<boolean> {
    const { book, clock } = this.#parts
    if (book.heap.size >= LOADED_MAX) return false
    book.write()
    const timers = await book.load(clock.now())
    for (const timer of timers ?? []) {
      if (isDeletion(timer)) this.#deletions.push(timer)
      else book.heap.push(timer)
    }
    return timers !== null
  }

  /** Before anything of their slots is delivered. */
  async #readDeletions(): Promise<void> {
    while (this.#deletions.length > 0) {
      const some = this.#deletions.slice(-BATCH)
      const reads = await Promise.all(some.map(({ position }) => this.#reader.at(position)))
      this.#deletions.length -= some.length
      for (const [nth, read] of reads.entries()) {
        if (read !== null) this.#take(some[nth]!, read.timed)
      }
    }
  }

  #take(timer: DueTimer, { deletes, topic }: TimedMessage): void {
    const { book, metrics, precisionMs } = this.#parts
    if (!isDeletion(timer) || deletes === null) {
      book.heap.push(timer)
      return
    }
    this.#deleted.set(keptKey(deletes), timer.dueMs + 2 * precisionMs)
    if (timer.dueMs <= book.readMs) return // counted by the last run
    this.#pending++
    metrics.add(topic, 1)
  }

  async #deliver(): Promise<boolean> {
    const { book, clock } = this.#parts
    const now = clock.now()
    const before = book.readMs
    if (book.heap.dueMs > now) {
      book.advance(now)
      if (book.readMs > before) this.#forgetDeleted()
      return false
    }
    this.#setBarrier()
    if (this.#barrierWaits()) return false
    const due = this.#popDue(now)
    const reads = await this.#readAll(due)
    const outcomes = await Promise.allSettled(
      due.map((timer, nth) => this.#store(timer, reads[nth]!)),
    )
    let failure: unknown
    for (const [nth, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') continue
      book.heap.push(due[nth]!)
      failure ??= outcome.reason
    }
    book.write()
    book.advance(now)
    this.#progress.onProgress()
    this.#forgetDeleted()
    if (failure !== undefined) throw asError(failure)
    return true
  }

  /** What deletes a message of this slot was stored before the slot began, and must be known by now. */
  #setBarrier(): void {
    const { book, queue, precisionMs } = this.#parts
    const tick = Math.floor((book.heap.dueMs - 1) / precisionMs)
    if (tick <= this.#barrierTick) return
    this.#barrierTick = tick
    this.#barrier = queue.next()
  }

  #barrierWaits(): boolean {
    const { book, clock } = this.#parts
    return !this.#isFull && this.#offset < this.#barrier && book.heap.dueMs <= clock.now()
  }

  /** Those of one slot, in order. */
  #popDue(now: number): DueTimer[] {
    const { heap } = this.#parts.book
    const slotEnd = (this.#barrierTick + 1) * this.#parts.precisionMs
    const due: DueTimer[] = []
    let bytes = 0
    while (due.length < BATCH && heap.dueMs <= Math.min(now, slotEnd) && bytes < BATCH_BYTES) {
      const timer = heap.pop()
      bytes += timer.length
      due.push(timer)
    }
    return due
  }

  /** Rejects when a later try may go better; what can never be stored is dropped. */
  async #store(timer: DueTimer, read: TimerRead | null): Promise<void> {
    const { messages, metrics, clock, hasQueue } = this.#parts
    if (read === null) return this.#done(-1)
    const { timed } = read
    const isRoll = (timer.magic & TimerMagic.ROLL) !== 0
    if (isRoll && timed.dueMs <= clock.now()) return this.#putAgain(read)
    const isDeleted = !isRoll && this.#isDeleted(timed)
    const canBe = isRoll || hasQueue(timed.topic, timed.queueId)
    if (!canBe && !isDeleted) this.#reader.drop(timed.topic, 'its topic is gone')
    if (canBe && !isDeleted) {
      const times = { writtenMs: timer.writtenMs, now: clock.now() }
      const draft = isRoll ? rolledDraft(read, times) : deliveredDraft(read, timed, times)
      try {
        await messages.append(draft)
      } catch (error) {
        const isForGood = error instanceof ResponseError && FOR_GOOD.has(error.codeName)
        if (!isForGood) throw error
        this.#reader.drop(timed.topic, error.message)
      }
    }
    const change = timed.deletes === null ? -1 : 1
    metrics.add(timed.topic, change)
    this.#done(change)
  }

  #isDeleted({ key }: TimedMessage): boolean {
    return key !== null && this.#deleted.size > 0 && this.#deleted.has(keptKey(key))
  }

  /** It was to be rolled, and its time is over meanwhile: in its own slot it meets what deletes it. */
  #putAgain({ message, bytes, timed }: TimerRead): void {
    const { book, clock } = this.#parts
    const place = { position: message.position, length: bytes.length, now: clock.now() }
    const timer = book.put(timed, place)
    if (timer !== null) this.#take(timer, timed)
  }

  #done(change: number): void {
    this.#pending += change
    this.speeds.dequeued++
  }

  /** What cannot be read now is tried again. */
  async #readAll(due: readonly DueTimer[]): Promise<(TimerRead | null)[]> {
    try {
      return await Promise.all(due.map((timer) => this.#reader.whole(timer)))
    } catch (error) {
      for (const timer of due) this.#parts.book.heap.push(timer)
      throw error
    }
  }

  #forgetDeleted(): void {
    const { readMs } = this.#parts.book
    for (const [key, untilMs] of this.#deleted) {
      if (untilMs > readMs) return // the others are later, or nearly
      this.#deleted.delete(key)
    }
  }

  /** By this clock it may be a moment too early. */
  #onTime(): void {
    this.onWake()
    if (!this.#isBusy) this.#setTimer()
  }

  #setTimer(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const ms = Math.min(Math.max(1, this.#nextMs - this.#parts.clock.now()), LOOK_MS)
    this.#timer = setTimeout(() => this.#onTime(), ms)
  }
}

function isDeletion({ magic }: DueTimer): boolean {
  return (magic & TimerMagic.DELETE) !== 0 && (magic & TimerMagic.ROLL) === 0
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
