import { setImmediate as rest } from 'node:timers/promises'
import { decodeMessage, MessageError } from '../protocol/message.ts'
import { closeTimerFiles, openTimerFiles, type TimerFiles } from '../store/timer-files.ts'
import { type RecoveredTimers, TimerRecovery } from '../store/timer-recovery.ts'
import { encodeTimerCheck } from '../store/timer-check.ts'
import { WHEEL_SLOTS } from '../store/timer-wheel.ts'
import type { ConfigFile } from './config-json.ts'
import { TimerBook, type TimerLimits } from './timer-book.ts'
import { readLater, type ReadLater } from './timer-chain.ts'
import { TimerMetrics } from './timer-metrics.ts'
import { type LogEnds, type SyncLater, syncLater, TimerProgress } from './timer-progress.ts'
import { type TimerParts, TimerService, type TimerStart } from './timer-service.ts'
import { TIMER_TOPIC } from './topic-names.ts'
import type { Disk } from '../base/disk.ts'

/** Slots behind the present that Apache 5.3.3 does not roll into. */
const BLANK_SLOTS = 60

export interface TimerSettings {
  storePathRootDir: string
  timerPrecisionMs: number
  timerRollWindowSlot: number
  timerFlushIntervalMs: number
  mappedFileSizeTimerLog: number
}

export type TimersParts = Omit<TimerParts, 'book' | 'metrics' | 'precisionMs' | 'report'> & {
  disk: Disk
  settings: TimerSettings
  ends: LogEnds
  hasTopic: (topic: string) => boolean
  messageAt: (position: number) => Promise<Buffer | null>
  /** The machine has not stopped since the last run. */
  isSameBoot: boolean
  metricsFile: Pick<ConfigFile, 'load' | 'save'>
  /** What a test has in place of the machine's. */
  machine?: Machine
}

export interface Machine {
  readLater: ReadLater
  syncLater: SyncLater
  wheelSlots: number
  limits: TimerLimits
}

/** Some fifty bytes each. */
const LIMITS = { loadedMax: 100_000, partMax: 16_384, deletionsMax: 100_000 }
const MACHINE: Machine = { readLater, syncLater, wheelSlots: WHEEL_SLOTS, limits: LIMITS }

/** The timers of a broker, from files to delivery. */
export class Timers {
  readonly #parts: TimersParts
  readonly #files: TimerFiles
  readonly #book: TimerBook
  readonly metrics: TimerMetrics
  /** Null until the last run's files are understood. */
  #service: TimerService | null = null
  readonly #begun: Promise<void>
  #isClosed = false

  /** Rejects with ConfigFileError, StoreError. */
  static async open(parts: TimersParts): Promise<Timers> {
    const { settings, clock, log, hasTopic, disk } = parts
    const metrics = new TimerMetrics({ file: parts.metricsFile, clock, log, hasTopic })
    await metrics.load()
    const precisionMs = settings.timerPrecisionMs
    const logFileSize = settings.mappedFileSizeTimerLog
    const { wheelSlots } = parts.machine ?? MACHINE
    const root = settings.storePathRootDir
    const files = openTimerFiles(disk, { root, precisionMs, logFileSize, wheelSlots })
    if (!parts.isSameBoot) files.check.forgetLive()
    return new Timers(parts, files, metrics)
  }

  private constructor(parts: TimersParts, files: TimerFiles, metrics: TimerMetrics) {
    this.#parts = parts
    this.#files = files
    this.metrics = metrics
    const { timerPrecisionMs: precisionMs, timerRollWindowSlot: window } = parts.settings
    const { wheelSlots, readLater: read, limits } = parts.machine ?? MACHINE
    const most = wheelSlots / 2 - BLANK_SLOTS
    const rollSlots = window < 2 || window > most ? most : window // as Apache 5.3.3
    this.#book = new TimerBook(files, { precisionMs, rollSlots, readLater: read, limits })
    this.#begun = this.#begin()
  }

  get service(): TimerService | null {
    return this.#service
  }

  /** Resolves when timers are being delivered. */
  get begun(): Promise<void> {
    return this.#begun
  }

  /** The answer to GET_TIMER_CHECK_POINT. */
  get checkPoint(): Buffer {
    const check = this.#service?.progress.check ?? this.#files.check.last
    return encodeTimerCheck(check, this.#parts.settings.timerPrecisionMs)
  }

  onWake(): void {
    this.#service?.onWake()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#begun
    await this.#service?.close()
    await this.metrics.save()
  }

  /** After the log was flushed for the last time, and nothing came after `close`. */
  async seal(): Promise<void> {
    await this.#service?.progress.seal()
    closeTimerFiles(this.#files)
  }

  /** While the broker is up already: it may take some time. */
  async #begin(): Promise<void> {
    const { log } = this.#parts
    try {
      const recovered = await this.#recover()
      const start = await this.#startFrom(recovered)
      if (this.#isClosed) return
      if (recovered.isWhole) this.#files.check.markOurs()
      const { timerPrecisionMs: precisionMs } = this.#parts.settings
      const parts = { ...this.#parts, book: this.#book, metrics: this.metrics, precisionMs }
      this.#service = new TimerService(parts, start, (queueOffset) => this.#progress(queueOffset))
      this.#service.onWake()
    } catch (error) {
      log.error({ error: String(error) }, 'timed messages wait until the next start')
    }
  }

  #recover(): Promise<RecoveredTimers> {
    const { ends, settings } = this.#parts
    const { log, wheel, check } = this.#files
    return new TimerRecovery({
      log,
      wheel,
      check,
      precisionMs: settings.timerPrecisionMs,
      messagesEnd: ends.appended(),
      rest: () => rest(),
    }).run()
  }

  async #startFrom(recovered: RecoveredTimers): Promise<TimerStart> {
    const { queue, isSameBoot, log } = this.#parts
    const { last: check } = this.#files.check
    const doneMs = isSameBoot ? check.liveMs : check.readMs
    this.#book.begin(this.#beginMs(doneMs, recovered))
    const { isWhole, pending } = recovered
    if (!isWhole) log.error({ logEnd: check.logEnd }, 'units are missing in the timer log')
    const after = (await this.#offsetAt(recovered.lastMessage)) + 1
    // Not `liveOffset`: whether the log has all units since the check point nobody knows.
    const known = isWhole ? Math.max(check.queueOffset, after) : after
    const queueOffset = Math.min(Math.max(known, queue.min()), queue.max())
    return { queueOffset, lostBelow: isWhole ? 0 : check.queueOffset, doneMs, pending }
  }

  /** What was due before the first slot in use is done with. */
  #beginMs(doneMs: number, { firstTick }: RecoveredTimers): number {
    const now = this.#parts.clock.now()
    if (doneMs > now) return doneMs
    return Math.max(doneMs, Math.min(now, firstTick * this.#parts.settings.timerPrecisionMs))
  }

  /** Offset in the timer queue of the message there; -1 when that is gone. */
  async #offsetAt(position: number): Promise<number> {
    const bytes = position === -1 ? null : await this.#parts.messageAt(position)
    if (bytes === null) return -1
    try {
      const { topic, queueOffset } = decodeMessage(bytes)
      return topic === TIMER_TOPIC ? queueOffset : -1
    } catch (error) {
      if (error instanceof MessageError) return -1
      throw error
    }
  }

  #progress(queueOffset: () => number): TimerProgress {
    const { ends, settings, clock, log, machine } = this.#parts
    const parts = {
      files: this.#files,
      book: this.#book,
      queueOffset,
      ends,
      syncLater: (machine ?? MACHINE).syncLater,
      intervalMs: settings.timerFlushIntervalMs,
      clock,
      log,
      onCheck: () => this.metrics.save(),
    }
    return new TimerProgress(parts, this.#files.check.last)
  }
}
