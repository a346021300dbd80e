import type { Link } from './link.ts'
import { wallClock, type Load } from './load-kind.ts'
import type { Recorder } from './recorder.ts'
import { OPAQUE_BASE, PRODUCER_GROUP, type SendFrames } from './send-frames.ts'
import { decodeReply, encodeRequest, RequestCode, type HeaderFormat, type Reply } from './wire.ts'

export interface TransactionLoopOptions {
  format: HeaderFormat
  topic: string
  /** Transactions that wait for a reply at any time, over all connections. */
  inFlight: number
  /** After so many transactions the loop ends by itself; Infinity: only `stop` ends it. */
  requestsMax: number
}

/** Longest END_TRANSACTION: its fields, with room to spare. */
const END_LENGTH_MAX = 1024
const COMMIT = '8'
/** The hex digits of a position at the end of a message id. */
const POSITION_DIGITS = 16

/** Each transaction is a half message and, once that is answered, its commit; its answer begins the next one. */
export class TransactionLoop implements Load {
  outstanding = 0
  readonly done: Promise<void>
  readonly #finish: () => void
  readonly #frames: SendFrames
  readonly #recorder: Recorder
  readonly #options: TransactionLoopOptions
  /** By slot: when its half message was sent, 0 when it has none. */
  readonly #sentAt: Float64Array
  /** By slot: its half message is answered, its commit is not. */
  readonly #isEnding: Uint8Array
  #left: number

  constructor(frames: SendFrames, recorder: Recorder, options: TransactionLoopOptions) {
    this.#frames = frames
    this.#recorder = recorder
    this.#options = options
    this.#sentAt = new Float64Array(options.inFlight)
    this.#isEnding = new Uint8Array(options.inFlight)
    this.#left = options.requestsMax
    const { promise, resolve } = Promise.withResolvers<void>()
    this.done = promise
    this.#finish = resolve
  }

  start(links: Link[]): void {
    for (const link of links) link.now = performance.now()
    for (let slot = 0; slot < this.#options.inFlight && this.#left > 0; slot++) {
      this.#begin(links[slot % links.length]!, slot)
    }
    for (const link of links) link.flush()
  }

  stop(): void {
    this.#left = 0
  }

  onFrame(link: Link, bytes: Buffer, start: number, end: number): void {
    const reply = decodeReply(bytes.subarray(start, end))
    const slot = reply.opaque - OPAQUE_BASE
    const sentAt = this.#sentAt[slot] ?? 0
    if (sentAt === 0) return void this.#recorder.unexpected++
    if (reply.code === 0 && this.#isEnding[slot] === 0) return this.#commit(link, slot, reply)
    this.#sentAt[slot] = 0
    this.#isEnding[slot] = 0
    this.outstanding--
    if (reply.code === 0) this.#recorder.answered(link.now - sentAt, 1)
    else this.#recorder.failed(reply.code, bytes.subarray(start, end))
    if (this.#left > 0) this.#begin(link, slot)
    else if (this.outstanding === 0) this.#finish()
  }

  onReadEnd(): void {}

  #begin(link: Link, slot: number): void {
    link.reserve(this.#frames.frameLengthMax)
    link.filled = this.#frames.write(link.output, link.filled, slot, wallClock(link.now))
    this.#sentAt[slot] = link.now
    this.outstanding++
    this.#left--
  }

  #commit(link: Link, slot: number, { extFields }: Reply): void {
    const { format, topic } = this.#options
    const { msgId = '', queueOffset = '' } = extFields
    const frame = encodeRequest(format, {
      code: RequestCode.END_TRANSACTION,
      opaque: OPAQUE_BASE + slot,
      extFields: {
        topic,
        producerGroup: PRODUCER_GROUP,
        tranStateTableOffset: queueOffset,
        commitLogOffset: String(Number.parseInt(msgId.slice(-POSITION_DIGITS), 16)),
        commitOrRollback: COMMIT,
        fromTransactionCheck: 'false',
      },
    })
    this.#isEnding[slot] = 1
    link.reserve(END_LENGTH_MAX)
    link.filled += frame.copy(link.output, link.filled)
  }
}
