import type { Link } from './link.ts'
import type { Load } from './load-kind.ts'
import type { Recorder } from './recorder.ts'
import { ReplyScanner } from './reply-scanner.ts'
import { OPAQUE_BASE } from './send-frames.ts'
import { decodeReply, encodeRequest, RequestCode } from './wire.ts'

export interface PopLoopOptions {
  topic: string
  brokerName: string
  /** Pops under way at any time, each with the acks of what it brought. */
  inFlight: number
  messagesMax: number
  /** Messages to consume. */
  total: number
}

const POLLING_FULL = 209
const POLLING_TIMEOUT = 210
const POLL_MS = 5000
/** Longer than any run: what is not acknowledged must not come again in it. */
const INVISIBLE_MS = 300_000

/** One message as its ack names it. */
interface Popped {
  queueId: string
  offset: string
  extraInfo: string
}

/**
 * Consumes by POP as Apache's push consumer does: up to 32 messages at a time, each acknowledged by a request of
 * its own. Headers are JSON: the codes do not fit into binary ones.
 */
export class PopLoop implements Load {
  outstanding = 0
  readonly done: Promise<void>
  readonly #finish: () => void
  readonly #fail: (error: Error) => void
  readonly #recorder: Recorder
  readonly #options: PopLoopOptions
  readonly #scanner = new ReplyScanner()
  /** By slot: acks without an answer, messages of the pop, when it was sent. */
  readonly #unacknowledged: number[] = []
  readonly #counts: number[] = []
  readonly #sentAt: number[] = []
  #acknowledged = 0
  #stopped = false

  constructor(recorder: Recorder, options: PopLoopOptions) {
    this.#recorder = recorder
    this.#options = options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.done = promise
    this.#finish = resolve
    this.#fail = reject
  }

  start(links: Link[]): void {
    for (let slot = 0; slot < this.#options.inFlight; slot++) {
      const link = links[slot % links.length]!
      link.now = performance.now()
      this.#pop(link, slot)
    }
    for (const link of links) link.flush()
  }

  stop(): void {
    this.#stopped = true
  }

  /** The opaque of an ack is that of its pop, moved by the number of slots. */
  onFrame(link: Link, bytes: Buffer, start: number, end: number): void {
    this.#scanner.scan(bytes, start)
    const { inFlight } = this.#options
    const index = this.#scanner.opaque - OPAQUE_BASE
    if (index < 0 || index >= 2 * inFlight) return void this.#recorder.unexpected++
    this.outstanding--
    const frame = bytes.subarray(start, end)
    if (index < inFlight) this.#onPopped(link, index, frame)
    else this.#onAcknowledged(link, index - inFlight, frame)
  }

  onReadEnd(): void {}

  #onPopped(link: Link, slot: number, frame: Buffer): void {
    const { code } = this.#scanner
    if (code !== 0) {
      this.#recorder.failed(code, frame)
      const isEmpty = code === POLLING_TIMEOUT || code === POLLING_FULL
      if (!isEmpty) return this.#fail(new Error(`a pop was answered with code ${code}`))
      return this.#pop(link, slot)
    }
    const popped = poppedIn(frame, this.#options)
    this.#counts[slot] = this.#unacknowledged[slot] = popped.length
    this.#recorder.bytes += frame.length
    for (const each of popped) this.#ack(link, slot, each)
  }

  #onAcknowledged(link: Link, slot: number, frame: Buffer): void {
    const { code } = this.#scanner
    if (code !== 0) {
      this.#recorder.failed(code, frame)
      return this.#fail(new Error(`an ack was answered with code ${code}`))
    }
    if (--this.#unacknowledged[slot]! > 0) return
    const count = this.#counts[slot]!
    this.#recorder.answered(link.now - this.#sentAt[slot]!, count)
    this.#acknowledged += count
    if (this.#acknowledged >= this.#options.total) this.#finish()
    else this.#pop(link, slot)
  }

  #pop(link: Link, slot: number): void {
    if (this.#stopped) return
    const { topic, messagesMax } = this.#options
    this.#sentAt[slot] = link.now
    this.#send(link, RequestCode.POP_MESSAGE, slot, {
      consumerGroup: 'ringmq_bench',
      topic,
      queueId: '-1',
      maxMsgNums: String(messagesMax),
      invisibleTime: String(INVISIBLE_MS),
      pollTime: String(POLL_MS),
      bornTime: String(Date.now()),
      initMode: '0',
      expType: 'TAG',
      exp: '*',
      order: 'false',
    })
  }

  #ack(link: Link, slot: number, { queueId, offset, extraInfo }: Popped): void {
    const { topic, inFlight } = this.#options
    const of = { consumerGroup: 'ringmq_bench', topic }
    const fields = { ...of, queueId, extraInfo, offset }
    this.#send(link, RequestCode.ACK_MESSAGE, inFlight + slot, fields)
  }

  #send(link: Link, code: number, index: number, extFields: Record<string, string>): void {
    const frame = encodeRequest('json', { code, opaque: OPAQUE_BASE + index, extFields })
    link.reserve(frame.length)
    link.output.set(frame, link.filled)
    link.filled += frame.length
    this.outstanding++
  }
}

/** Receipts for all messages of a reply, from its header alone. */
function poppedIn(frame: Buffer, { brokerName }: PopLoopOptions): Popped[] {
  const { extFields } = decodeReply(frame)
  const { popTime, invisibleTime, reviveQid, startOffsetInfo, msgOffsetInfo } = extFields
  const starts = startOffsetInfo!.split(';').map((each) => each.split(' '))
  return msgOffsetInfo!.split(';').flatMap((each, nth) => {
    const [flag, queueId, offsets] = each.split(' ')
    const of = `${starts[nth]![2]} ${popTime} ${invisibleTime} ${reviveQid} ${flag} ${brokerName} ${queueId}`
    return offsets!.split(',').map((offset) => ({
      queueId: queueId!,
      offset,
      extraInfo: `${of} ${offset}`,
    }))
  })
}
