import { vi } from 'vitest'
import { parkDelayed, type MessageDraft } from '../../src/broker/message-draft.ts'
import { deleteKey } from '../../src/broker/timer-message.ts'
import type { TimerLimits } from '../../src/broker/timer-book.ts'
import { Timers } from '../../src/broker/timers.ts'
import { TIMER_TOPIC } from '../../src/broker/topic-names.ts'
import { decodeProperties, encodeProperties } from '../../src/protocol/message.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import type { Random } from '../sim/random.ts'
import { storedMessage } from '../protocol/stored-message.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const ROOT = '/store'
const QUIET = { debug: () => {}, info: () => {}, warn: () => {} }
const MAX_DELAY_SEC = 60

interface LogRecord {
  position: number
  end: number
  topic: string
  bytes: Buffer
  storeTimestamp: number
  /** Which start of the broker stored it. */
  life: number
  properties: ReadonlyMap<string, string>
}

export interface Sent {
  id: string
  dueMs: number
  outMs: number
  position: number
  life: number
}

export interface WorldOptions {
  precisionMs: number
  /** Units in a file of the timer log. */
  units: number
  rollSlots: number
  limits: TimerLimits
}

/** Timers on a disk in memory, with a log of messages beside them, and a clock that a test moves. */
export class TimerWorld {
  readonly disk: SimulatedDisk
  readonly sent: Sent[] = []
  /** Positions of recalls by the id of their message. */
  readonly recalls = new Map<string, number>()
  readonly errors: string[] = []
  /** Lives that ended without a stop. */
  readonly crashed = new Set<number>()
  records: LogRecord[] = []
  life = 0
  now = 1_700_000_000_000
  isRefusing = false
  /** Positions of messages that the disk does not give. */
  readonly unreadable = new Set<number>()
  timers!: Timers
  readonly #options: WorldOptions
  #flushed = 0
  #dispatched = 0
  #scratch = 0

  constructor(random: Random, options: WorldOptions) {
    this.#options = options
    this.disk = new SimulatedDisk(random)
    this.disk.makeDirectory(ROOT)
    this.disk.syncDirectory('/')
  }

  get end(): number {
    return this.records.at(-1)?.end ?? 0
  }

  get isDead(): boolean {
    return this.disk.changes >= this.disk.failAt
  }

  async open({ isSameBoot }: { isSameBoot: boolean }): Promise<void> {
    this.life++
    const { precisionMs, units, rollSlots } = this.#options
    this.#scratch = this.disk.create('/scratch')
    this.#dispatched = this.#timerRecords().length
    const log = { ...QUIET, error: (fields: object, text: string) => this.#note(fields, text) }
    this.timers = await Timers.open({
      queue: {
        min: () => 0,
        max: () => this.#dispatched,
        next: () => this.#timerRecords().length,
        unitAt: (offset) => {
          const { position, bytes } = this.#timerRecords()[offset]!
          return { position, length: bytes.length, tagsCode: 0 }
        },
        watch: () => undefined,
      },
      messageAt: (position) => Promise.resolve(this.#messageAt(position)),
      messagesAt: (places) =>
        Promise.resolve(
          places.map(({ position }) =>
            this.unreadable.has(position) ? new Error('EIO') : this.#messageAt(position),
          ),
        ),
      hasQueue: () => true,
      hasTopic: () => true,
      messages: { appendAll: (drafts) => this.#appendAll(drafts) },
      ends: { appended: () => this.end, flushed: () => this.#flushed, min: () => 0 },
      isSameBoot,
      metricsFile: { load: () => Promise.resolve(null), save: () => Promise.resolve() },
      machine: {
        wheelSlots: 512,
        limits: this.#options.limits,
        readLater: (descriptor, buffer, length, position) =>
          Promise.resolve(this.disk.pread(descriptor, { buffer, offset: 0, length, position })),
        syncLater: async (descriptor) => this.disk.fdatasync(descriptor),
      },
      settings: {
        storePathRootDir: ROOT,
        timerPrecisionMs: precisionMs,
        timerRollWindowSlot: rollSlots,
        timerFlushIntervalMs: 1000,
        mappedFileSizeTimerLog: units * 52 + 16,
      },
      disk: this.disk,
      clock: { now: () => this.now },
      log,
    })
    await this.timers.begun
    await this.timers.service?.settled
  }

  async send(dueMs: number): Promise<void> {
    const id = `m${this.sent.length}`
    const draft = this.#parked({ UNIQ_KEY: id, TIMER_DELIVER_MS: String(dueMs) })
    const { position } = await this.#append(draft)
    const outMs = Number(decodeProperties(draft.properties.toString()).get('TIMER_OUT_MS'))
    this.sent.push({ id, dueMs, outMs, position, life: this.life })
  }

  /** As the handler of RECALL_MESSAGE does it. */
  async recall({ id, outMs }: Sent): Promise<void> {
    if (outMs + 1 <= this.now) return
    const pairs = { UNIQ_KEY: id, TIMER_DELIVER_MS: String(outMs + 1) }
    const draft = this.#parked({ ...pairs, TIMER_DEL_UNIQKEY: deleteKey('T', id) })
    const { position } = await this.#append(draft)
    if (!this.recalls.has(id)) this.recalls.set(id, position)
  }

  dispatchSome(share: number): void {
    const waiting = this.#timerRecords().length - this.#dispatched
    this.#dispatched += Math.ceil(waiting * share)
  }

  flushLog(): void {
    this.#flushed = this.end
  }

  async wake(): Promise<void> {
    this.timers.onWake()
    await this.timers.service?.settled
  }

  /** Until nothing is left to do. What comes too late is due a millisecond after what was done last. */
  async settle(): Promise<void> {
    await this.#settleNow()
    this.now++
    await this.#settleNow()
  }

  async #settleNow(): Promise<void> {
    for (let end = -1; end !== this.end && !this.isDead;) {
      end = this.end
      this.dispatchSome(1)
      await this.wake()
    }
  }

  /** The next check point is taken, or written. */
  async check(): Promise<void> {
    vi.advanceTimersByTime(1000)
    await this.timers.service?.progress.settled
    await this.timers.service?.settled
  }

  async stop(): Promise<void> {
    await this.timers.close()
    this.flushLog()
    await this.timers.seal()
    vi.clearAllTimers()
  }

  /** The process ends. */
  async kill(): Promise<void> {
    await this.#die()
    this.disk.kill()
  }

  /** The machine ends: of the log is left what was flushed, and some more. */
  async losePower(keep: number): Promise<void> {
    await this.#die()
    this.disk.losePower()
    const from = this.records.findIndex(({ end }) => end > this.#flushed)
    if (from === -1) return
    const kept = from + Math.floor((this.records.length - from) * keep)
    const end = this.records[kept]?.position ?? this.end
    this.records = this.records.slice(0, kept)
    for (const [id, position] of this.recalls) if (position >= end) this.recalls.delete(id)
    this.sent.splice(0, Infinity, ...this.sent.filter(({ position }) => position < end))
  }

  deliveries(id: string): LogRecord[] {
    return this.records.filter(
      ({ topic, properties }) => topic === 'T' && properties.get('UNIQ_KEY') === id,
    )
  }

  /** What is under way fails at its next write. */
  async #die(): Promise<void> {
    this.disk.failAt = this.disk.changes
    await this.timers.begun
    await this.timers.service?.settled
    await this.timers.service?.settled
    await this.timers.service?.progress.settled
    vi.clearAllTimers()
    this.crashed.add(this.life)
  }

  #timerRecords(): LogRecord[] {
    return this.records.filter(({ topic }) => topic === TIMER_TOPIC)
  }

  #note(fields: object, text: string): void {
    if (!this.isDead && !this.isRefusing) this.errors.push(`${text} ${JSON.stringify(fields)}`)
  }

  #parked(pairs: Record<string, string>): MessageDraft {
    const draft: MessageDraft = {
      topic: 'T',
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: this.now,
      bornHost: Buffer.from('7f00000100002a9f', 'hex'),
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      properties: Buffer.from(encodeProperties(Object.entries(pairs))),
      body: Buffer.from('body'),
    }
    const rules = {
      messageDelayLevel: '1s',
      timerWheelEnable: true,
      timerPrecisionMs: this.#options.precisionMs,
      timerMaxDelaySec: MAX_DELAY_SEC,
    }
    return parkDelayed(draft, rules, this.now)
  }

  #messageAt(position: number): Buffer | null {
    return this.records.find((each) => each.position === position)?.bytes ?? null
  }

  async #appendAll(drafts: readonly MessageDraft[]): Promise<(ResponseError | null)[]> {
    const failures: (ResponseError | null)[] = []
    for (const draft of drafts) {
      const failure = await this.#append(draft).then(() => null, asRefusal)
      failures.push(failure)
    }
    return failures
  }

  async #append(draft: MessageDraft) {
    const byte = { buffer: Buffer.alloc(1), offset: 0, length: 1, position: 0 }
    this.disk.pwrite(this.#scratch, byte)
    if (this.isRefusing) throw new ResponseError('SERVICE_NOT_AVAILABLE', 'the disk is full')
    const properties = decodeProperties(draft.properties.toString())
    const { topic, queueId } = draft
    const place = { position: this.end, storeTimestamp: this.now, queueOffset: 0 }
    place.queueOffset = this.records.filter((each) => each.topic === topic).length
    const bytes = storedMessage({
      topic,
      queueId,
      body: draft.body,
      properties: Object.fromEntries(properties),
      ...place,
    })
    const { position, storeTimestamp } = place
    const record = { position, end: position + bytes.length, topic, bytes, properties }
    this.records.push({ ...record, storeTimestamp, life: this.life })
    return { ...place, end: record.end }
  }
}

/** The end of the machine is none. */
function asRefusal(error: unknown): ResponseError {
  if (error instanceof ResponseError) return error
  throw error
}
