import type { Link } from './link.ts'
import type { Load } from './load-kind.ts'
import type { Recorder } from './recorder.ts'
import { ReplyScanner } from './reply-scanner.ts'
import { OPAQUE_BASE } from './send-frames.ts'
import { encodeRequest, RequestCode, type HeaderFormat } from './wire.ts'

/** One queue's way through its backlog: `offset` is the next message wanted, `end` the first not there. */
export interface QueueCursor {
  queueId: number
  offset: number
  end: number
}

export interface PullLoopOptions {
  format: HeaderFormat
  topic: string
  /** Pulls that wait for a reply at any time; a queue never has more than one. */
  inFlight: number
  /** Messages a pull asks for; the broker may give fewer (Apache: 32). */
  messagesMax: number
}

const PULL_NOT_FOUND = 19
const PULL_RETRY_IMMEDIATELY = 20
/** PullMessageRequestHeader.sysFlag: the request carries its own subscription, so no heartbeat is needed. */
const HAS_SUBSCRIPTION = 4
const MESSAGE_QUEUE_OFFSET = 20
/** A queue that is empty before its end for so many pulls in a row is a broken queue. */
const EMPTY_PULLS_MAX = 1000

/** Consumes a backlog over all its queues, as fast as the pulls are answered. */
export class PullLoop implements Load {
  outstanding = 0
  readonly done: Promise<void>
  readonly #finish: () => void
  readonly #fail: (error: Error) => void
  readonly #recorder: Recorder
  readonly #options: PullLoopOptions
  readonly #scanner = new ReplyScanner()
  /** Queues with a backlog and no pull in flight, in turn. */
  readonly #waiting: QueueCursor[]
  readonly #pulling: (QueueCursor | undefined)[] = []
  readonly #sentAt: Float64Array
  #emptyPulls = 0
  #stopped = false

  constructor(cursors: QueueCursor[], recorder: Recorder, options: PullLoopOptions) {
    this.#waiting = cursors.filter(({ offset, end }) => offset < end)
    this.#recorder = recorder
    this.#options = options
    this.#sentAt = new Float64Array(options.inFlight)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.done = promise
    this.#finish = resolve
    this.#fail = reject
  }

  start(links: Link[]): void {
    for (const link of links) link.now = performance.now()
    for (let slot = 0; slot < this.#options.inFlight; slot++) {
      this.#pullNext(links[slot % links.length]!, slot)
    }
    for (const link of links) link.flush()
    if (this.outstanding === 0) this.#finish()
  }

  stop(): void {
    this.#stopped = true
  }

  onFrame(link: Link, bytes: Buffer, start: number, end: number): void {
    this.#scanner.scan(bytes, start)
    const slot = this.#scanner.opaque - OPAQUE_BASE
    const cursor = this.#pulling[slot]
    if (!cursor) return void this.#recorder.unexpected++
    this.#pulling[slot] = undefined
    this.outstanding--
    try {
      this.#take(cursor, link.now - this.#sentAt[slot]!, bytes, start, end)
      if (cursor.offset < cursor.end) this.#waiting.push(cursor)
      this.#pullNext(link, slot)
      if (this.outstanding === 0) this.#finish()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  onReadEnd(): void {}

  #take(cursor: QueueCursor, elapsedMs: number, bytes: Buffer, start: number, end: number): void {
    const { code, bodyStart } = this.#scanner
    if (code === 0) {
      const offset = followMessages(bytes, bodyStart, end, cursor.offset)
      this.#recorder.answered(elapsedMs, offset - cursor.offset)
      this.#recorder.bytes += end - bodyStart
      cursor.offset = offset
      this.#emptyPulls = 0
      return
    }
    this.#recorder.failed(code, bytes.subarray(start, end))
    const empty = code === PULL_NOT_FOUND || code === PULL_RETRY_IMMEDIATELY
    if (!empty || ++this.#emptyPulls > EMPTY_PULLS_MAX) throw new PullRefused(cursor, code)
  }

  #pullNext(link: Link, slot: number): void {
    const cursor = this.#stopped ? undefined : this.#waiting.shift()
    if (!cursor) return
    const frame = pullFrame(this.#options, slot, cursor)
    link.reserve(frame.length)
    link.output.set(frame, link.filled)
    link.filled += frame.length
    this.#pulling[slot] = cursor
    this.#sentAt[slot] = link.now
    this.outstanding++
  }
}

/** A reply that ends the run: not messages, and not "none yet". */
export class PullRefused extends Error {
  override name = 'PullRefused'
  constructor({ queueId, offset, end }: QueueCursor, code: number) {
    super(`queue ${queueId} at offset ${offset} of ${end}: the broker answered code ${code}`)
  }
}

/**
 * Walks the stored messages in [start, end) and returns the queue offset after the last one. Throws when
 * an offset does not continue `offset`, or when the last message is cut off.
 */
export function followMessages(bytes: Buffer, start: number, end: number, offset: number): number {
  let at = start
  while (at < end) {
    const found = readOffset(bytes, at + MESSAGE_QUEUE_OFFSET)
    if (found !== offset) throw new Error(`queue offset ${offset} was due, ${found} came`)
    offset++
    at += bytes.readInt32BE(at)
  }
  if (at !== end) throw new Error(`the message before queue offset ${offset} is cut off`)
  return offset
}

function readOffset(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}

/** PullMessageRequestHeader in Apache's order. Without the suspend flag an empty queue answers at once. */
function pullFrame(
  { format, topic, messagesMax }: PullLoopOptions,
  slot: number,
  cursor: QueueCursor,
): Buffer {
  return encodeRequest(format, {
    code: RequestCode.PULL_MESSAGE,
    opaque: OPAQUE_BASE + slot,
    extFields: {
      consumerGroup: 'ringmq_bench',
      topic,
      queueId: String(cursor.queueId),
      queueOffset: String(cursor.offset),
      maxMsgNums: String(messagesMax),
      sysFlag: String(HAS_SUBSCRIPTION),
      commitOffset: '0',
      suspendTimeoutMillis: '0',
      subscription: '*',
      subVersion: '0',
      expressionType: 'TAG',
    },
  })
}
