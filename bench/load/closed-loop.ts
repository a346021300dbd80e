import type { Link } from './link.ts'
import { wallClock, type Load } from './load-kind.ts'
import type { Recorder } from './recorder.ts'
import { ReplyScanner } from './reply-scanner.ts'
import { OPAQUE_BASE, type SendFrames } from './send-frames.ts'

export interface ClosedLoopOptions {
  /** Requests that wait for a reply at any time, over all connections. */
  inFlight: number
  /** Messages in a request: what one reply counts for. */
  batch: number
  /** After so many requests the loop ends by itself; Infinity: only `stop` ends it. */
  requestsMax: number
}

/** Each reply sends the next request. Gives the highest throughput; its latency is in flight / throughput. */
export class ClosedLoop implements Load {
  outstanding = 0
  readonly done: Promise<void>
  readonly #finish: () => void
  readonly #frames: SendFrames
  readonly #recorder: Recorder
  readonly #options: ClosedLoopOptions
  readonly #scanner = new ReplyScanner()
  /** By slot: when its request was sent, 0 when it has none. */
  readonly #sentAt: Float64Array
  #left: number

  constructor(frames: SendFrames, recorder: Recorder, options: ClosedLoopOptions) {
    this.#frames = frames
    this.#recorder = recorder
    this.#options = options
    this.#sentAt = new Float64Array(options.inFlight)
    this.#left = options.requestsMax
    const { promise, resolve } = Promise.withResolvers<void>()
    this.done = promise
    this.#finish = resolve
  }

  start(links: Link[]): void {
    for (const link of links) link.now = performance.now()
    for (let slot = 0; slot < this.#options.inFlight && this.#left > 0; slot++) {
      this.#send(links[slot % links.length]!, slot)
    }
    for (const link of links) link.flush()
  }

  stop(): void {
    this.#left = 0
  }

  onFrame(link: Link, bytes: Buffer, start: number, end: number): void {
    this.#scanner.scan(bytes, start)
    const slot = this.#scanner.opaque - OPAQUE_BASE
    const sentAt = this.#sentAt[slot] ?? 0
    if (sentAt === 0) return void this.#recorder.unexpected++
    this.#sentAt[slot] = 0
    this.outstanding--
    if (this.#scanner.code === 0) this.#recorder.answered(link.now - sentAt, this.#options.batch)
    else this.#recorder.failed(this.#scanner.code, bytes.subarray(start, end))
    if (this.#left > 0) this.#send(link, slot)
    else if (this.outstanding === 0) this.#finish()
  }

  onReadEnd(): void {}

  #send(link: Link, slot: number): void {
    link.reserve(this.#frames.frameLengthMax)
    link.filled = this.#frames.write(link.output, link.filled, slot, wallClock(link.now))
    this.#sentAt[slot] = link.now
    this.outstanding++
    this.#left--
  }
}
