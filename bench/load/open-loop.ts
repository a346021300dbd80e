import type { Link } from './link.ts'
import { wallClock, type Load } from './load-kind.ts'
import { recordMs, type Recorder } from './recorder.ts'
import { ReplyScanner } from './reply-scanner.ts'
import { OPAQUE_BASE, type SendFrames } from './send-frames.ts'

/** Requests that leave later than this after their time are counted. */
const LATE_MS = 5

export interface OpenLoopOptions {
  /** Requests per second, sent whether or not the broker keeps up. */
  rate: number
  /** Requests without a reply, at most. At the cap the schedule stands, and response times show the wait. */
  inFlightMax: number
  batch: number
}

/**
 * Request i is due at start + i / rate, and its response time counts from then: a stall of the broker
 * shows in every request that should have been sent meanwhile. Node's timers tick in milliseconds, so
 * each read of a reply also sends what is due.
 */
export class OpenLoop implements Load {
  outstanding = 0
  readonly done = new Promise<void>(() => {}) // an open loop has no end of its own
  readonly #frames: SendFrames
  readonly #recorder: Recorder
  readonly #options: OpenLoopOptions
  readonly #scanner = new ReplyScanner()
  readonly #intervalMs: number
  readonly #dueAt: Float64Array
  readonly #sentAt: Float64Array
  /** Stack of the slots that have no request. */
  readonly #free: Int32Array
  #freeCount: number
  #links: Link[] = []
  #startedAt = 0
  #next = 0
  #timer: NodeJS.Timeout | undefined

  constructor(frames: SendFrames, recorder: Recorder, options: OpenLoopOptions) {
    this.#frames = frames
    this.#recorder = recorder
    this.#options = options
    this.#intervalMs = 1000 / options.rate
    this.#dueAt = new Float64Array(options.inFlightMax)
    this.#sentAt = new Float64Array(options.inFlightMax)
    this.#free = Int32Array.from({ length: options.inFlightMax }, (_, slot) => slot)
    this.#freeCount = options.inFlightMax
  }

  start(links: Link[]): void {
    this.#links = links
    this.#startedAt = performance.now()
    this.#tick()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#links = []
  }

  onFrame(link: Link, bytes: Buffer, start: number, end: number): void {
    this.#scanner.scan(bytes, start)
    const slot = this.#scanner.opaque - OPAQUE_BASE
    const sentAt = this.#sentAt[slot] ?? 0
    if (sentAt === 0) return void this.#recorder.unexpected++
    if (this.#scanner.code === 0) this.#record(link.now, slot, sentAt)
    else this.#recorder.failed(this.#scanner.code, bytes.subarray(start, end))
    this.#sentAt[slot] = 0
    this.outstanding--
    this.#free[this.#freeCount++] = slot
  }

  onReadEnd(link: Link): void {
    if (this.#links.length > 0) this.#sendDue(link.now)
  }

  #record(now: number, slot: number, sentAt: number): void {
    this.#recorder.answered(now - this.#dueAt[slot]!, this.#options.batch)
    recordMs(this.#recorder.serviceTimes, now - sentAt)
  }

  #tick(): void {
    this.#sendDue(performance.now())
    this.#timer = setTimeout(() => this.#tick(), 1)
  }

  #sendDue(now: number): void {
    while (this.#freeCount > 0) {
      const dueAt = this.#startedAt + this.#next * this.#intervalMs
      if (dueAt > now) break
      this.#send(this.#links[this.#next % this.#links.length]!, dueAt, now)
      this.#next++
    }
    for (const link of this.#links) link.flush()
  }

  #send(link: Link, dueAt: number, now: number): void {
    const slot = this.#free[--this.#freeCount]!
    link.reserve(this.#frames.frameLengthMax)
    link.filled = this.#frames.write(link.output, link.filled, slot, wallClock(now))
    this.#dueAt[slot] = dueAt
    this.#sentAt[slot] = now
    this.outstanding++
    if (now - dueAt > LATE_MS) this.#recorder.late++
  }
}
