import { setImmediate as rest } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { fewProblems, type Report } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import type { WaitingQueue } from './delay-service.ts'
import type { MainLog } from './main-log.ts'
import { Recalls } from './recalls.ts'
import type { TimerBook } from './timer-book.ts'
import { isDeletion } from './timer-chain.ts'
import { TimerDelivery } from './timer-delivery.ts'
import type { DueTimer } from './timer-heap.ts'
import { TimerIntake } from './timer-intake.ts'
import type { TimedMessage } from './timer-message.ts'
import type { TimerMetrics } from './timer-metrics.ts'
import type { TimerProgress } from './timer-progress.ts'
import { TimerReader, type TimerReaderParts } from './timer-reader.ts'
import { TimerSpeeds } from './timer-speeds.ts'

/** Messages that are delivered together, and their bytes. */
const BATCH = 256
const BATCH_BYTES = 4 * 1024 * 1024
/** After a refusal of log or disk. */
const RETRY_MS = 1000
/** While there is no room for what is to be put in. */
const FULL_MS = 100
/** The clock may be set: nothing is trusted to be far away for longer. */
const LOOK_MS = 60_000
/** Recalls of a moment that are remembered. */
const KEYS_MAX = 100_000

export interface TimerParts extends TimerReaderParts {
  queue: WaitingQueue
  /** Whether messages can be stored there. */
  hasQueue: (topic: string, queueId: number) => boolean
  messages: Pick<MainLog, 'appendAll'>
  book: TimerBook
  metrics: TimerMetrics
  clock: Clock
  log: Log
  report: Report
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
  readonly #reader: TimerReader
  readonly #recalls: Recalls
  readonly #delivery: TimerDelivery
  readonly #progress: TimerProgress
  readonly #intake: TimerIntake
  #pending: number
  /** The slot whose deletions are all known, and the offset that had to be put in for that. */
  #barrierTick = -1
  #barrier = 0
  #nextMs = 0
  #isBusy = false
  #isClosed = false
  #run: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(
    parts: Omit<TimerParts, 'report'>,
    start: TimerStart,
    progressOf: (offset: () => number) => TimerProgress,
  ) {
    const write: Report = (problem, error) => parts.log.error({ error: String(error) }, problem)
    const report = fewProblems(write, () => parts.clock.now())
    const all = { ...parts, report, reader: new TimerReader(parts, report), done: () => this.#done }
    this.#parts = all
    this.#reader = all.reader
    this.#pending = start.pending
    this.speeds = new TimerSpeeds(parts.clock)
    const onPut = (timed: TimedMessage, timer: DueTimer | null) => this.#onPut(timed, timer)
    this.#intake = new TimerIntake({ ...all, onPut }, start)
    this.#progress = progressOf(() => this.#intake.offset)
    this.#recalls = new Recalls({ ...all, keysMax: KEYS_MAX }, (...each) => this.#take(...each))
    this.#delivery = new TimerDelivery({
      ...all,
      recalls: this.#recalls,
      onDone: (change) => this.#onDone(change),
      putAgain: (read) => this.#intake.put(read),
    })
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
    return Math.max(0, this.#parts.queue.max() - this.#intake.offset)
  }

  /** How long the first that should be delivered has been due. */
  get lateMs(): number {
    return Math.max(0, this.#parts.clock.now() - this.#parts.book.heap.dueMs)
  }

  /** Ends when it is not at work. */
  get settled(): Promise<void> {
    return this.#run
  }

  /** What was stored and delivered so far. */
  get #done(): number {
    return this.#parts.queue.max() + this.speeds.dequeued
  }

  /** Dispatch has moved queues, or time has passed. */
  onWake(): void {
    if (this.#isBusy || this.#isClosed) return
    const isMoved = this.behind > 0
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
    const { clock, report } = this.#parts
    try {
      while (!this.#isClosed && (await this.#step())) await rest()
      this.#nextMs = this.#findNextMs()
    } catch (error) {
      report('timed messages wait', error)
      this.#nextMs = clock.now() + RETRY_MS
    }
    this.#isBusy = false
    this.#setTimer()
  }

  #findNextMs(): number {
    const { book, clock, queue } = this.#parts
    queue.watch()
    const isMoved = this.behind > 0 // after it is watched
    const now = clock.now()
    if (this.#barrierWaits()) return now + RETRY_MS
    const nextMs = Math.min(book.nextMs(now), this.#recalls.retryMs)
    if (!isMoved) return nextMs
    const { isFull, retryMs } = this.#intake
    return Math.min(nextMs, isFull ? now + FULL_MS : Math.max(now, retryMs))
  }

  /** False: there is nothing to do now. */
  async #step(): Promise<boolean> {
    const { clock } = this.#parts
    this.#mindClock()
    const isTaken = await this.#takeIn()
    const isLoaded = await this.#load()
    const isRead = await this.#recalls.step(clock.now())
    const isAhead = await this.#reader.readAhead(clock.now())
    const isTried = await this.#tryUnread()
    const isDelivered = await this.#deliver()
    return isTaken || isLoaded || isRead || isAhead || isTried || isDelivered
  }

  #mindClock(): void {
    const { book, clock, precisionMs, report } = this.#parts
    const now = clock.now()
    if (book.readMs - now < precisionMs + RETRY_MS) return
    report('the clock was set back', `by ${book.readMs - now} ms`)
    this.#progress.setBack(now)
    book.setBack(now)
    this.#recalls.clear()
    this.#reader.forget()
    this.#barrierTick = -1
    this.#intake.forget()
  }

  async #takeIn(): Promise<boolean> {
    const isTaken = await this.#intake.step()
    if (isTaken) this.#progress.onProgress()
    return isTaken
  }

  #onPut(timed: TimedMessage, timer: DueTimer | null): void {
    const change = timed.deletes === null ? 1 : -1
    this.#pending += change
    this.#parts.metrics.add(timed.topic, change)
    this.speeds.enqueued++
    if (timer !== null) this.#take(timer, timed)
  }

  async #load(): Promise<boolean> {
    const { book, clock } = this.#parts
    book.write()
    const loaded = await book.load(clock.now())
    if (loaded === null) return false
    const { timers, deletions, deletionsLeft } = loaded
    this.#recalls.expect(deletions, deletionsLeft)
    for (const timer of timers) book.heap.push(timer)
    this.#reader.expect(timers)
    return true
  }

  #take(timer: DueTimer, { deletes, topic }: TimedMessage): void {
    const { book, metrics, precisionMs } = this.#parts
    if (!isDeletion(timer) || deletes === null) {
      book.heap.push(timer)
      return
    }
    this.#recalls.add(deletes, timer.dueMs + 2 * precisionMs)
    if (timer.dueMs <= book.readMs) return // counted by the last run
    this.#pending++
    metrics.add(topic, 1)
  }

  async #tryUnread(): Promise<boolean> {
    const { book, clock } = this.#parts
    const due = book.unread.due(clock.now(), BATCH)
    if (due.length > 0) await this.#store(due)
    return due.length > 0
  }

  async #deliver(): Promise<boolean> {
    const { book, clock } = this.#parts
    const now = clock.now()
    if (book.heap.dueMs > now) {
      this.#advance(now)
      return false
    }
    this.#setBarrier()
    if (this.#barrierWaits()) return false
    const due = this.#popDue(now)
    if (due.length > 0) await this.#store(due)
    return due.length > 0
  }

  async #store(due: readonly DueTimer[]): Promise<void> {
    const { book, clock } = this.#parts
    const refusal = await this.#delivery.deliver(due)
    book.write()
    this.#advance(clock.now())
    this.#progress.onProgress()
    if (refusal !== null) throw refusal
  }

  #advance(now: number): void {
    const { book } = this.#parts
    const before = book.readMs
    book.advance(now)
    if (book.readMs > before) this.#recalls.forget(book.readMs)
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
    const now = clock.now()
    const { isFull, retryMs, offset } = this.#intake
    return !isFull && retryMs <= now && offset < this.#barrier && book.heap.dueMs <= now
  }

  /** Those of one slot, in order; none while it is not known what was recalled. */
  #popDue(now: number): DueTimer[] {
    const { heap, knownMs } = this.#parts.book
    const slotEnd = (this.#barrierTick + 1) * this.#parts.precisionMs
    const end = Math.min(now, slotEnd, knownMs, this.#recalls.knownMs)
    const due: DueTimer[] = []
    let bytes = 0
    while (due.length < BATCH && heap.dueMs <= end && bytes < BATCH_BYTES) {
      const timer = heap.pop()
      bytes += timer.length
      due.push(timer)
    }
    return due
  }

  #onDone(change: number): void {
    this.#pending += change
    this.speeds.dequeued++
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
