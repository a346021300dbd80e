import { Link, type FrameSink } from '../load/link.ts'
import { ReplyScanner } from '../load/reply-scanner.ts'
import { encodeRequest, RequestCode } from '../load/wire.ts'

/** PullMessageRequestHeader.sysFlag: wait for messages, and the subscription comes along. */
const SUSPEND = 2
const HAS_SUBSCRIPTION = 4
const STORE_TIMESTAMP_AT = 56
const DUE = Buffer.from('TIMER_DELIVER_MS\u0001')
const DUE_DIGITS = 13

export interface ArrivalsOptions {
  /** host:port of the broker. */
  address: string
  topic: string
  queueCount: number
  /** How many messages are to come. */
  count: number
}

/** Consumes timed messages as they come, and notes how late they were stored, and how late they arrived. */
export class Arrivals implements FrameSink {
  /** Milliseconds after the time that was asked for, by message. */
  readonly storedLate: Int32Array
  readonly arrivedLate: Int32Array
  readonly #options: ArrivalsOptions
  readonly #scanner = new ReplyScanner()
  readonly #offsets: number[]
  readonly #done = Promise.withResolvers<void>()
  #link!: Link
  #arrived = 0

  private constructor(options: ArrivalsOptions) {
    this.#options = options
    this.storedLate = new Int32Array(options.count)
    this.arrivedLate = new Int32Array(options.count)
    this.#offsets = Array.from({ length: options.queueCount }, () => 0)
  }

  static async begin(options: ArrivalsOptions): Promise<Arrivals> {
    const arrivals = new Arrivals(options)
    const onLost = (error: Error): void => arrivals.#done.reject(error)
    arrivals.#link = await Link.open(options.address, arrivals, onLost)
    for (let queueId = 0; queueId < options.queueCount; queueId++) arrivals.#pull(queueId)
    arrivals.#link.flush()
    return arrivals
  }

  /** Resolves when all have come. */
  get done(): Promise<void> {
    return this.#done.promise
  }

  close(): void {
    this.#link.close()
  }

  onFrame(_link: Link, bytes: Buffer, start: number, end: number): void {
    this.#scanner.scan(bytes, start)
    const { code, opaque, bodyStart } = this.#scanner
    if (code === 0) this.#take(opaque, bytes, bodyStart, end)
    if (this.#arrived >= this.#options.count) this.#done.resolve()
    else this.#pull(opaque)
  }

  onReadEnd(): void {}

  #take(queueId: number, bytes: Buffer, start: number, end: number): void {
    const now = Date.now()
    for (let at = start; at < end; at += bytes.readInt32BE(at)) {
      const message = bytes.subarray(at, at + bytes.readInt32BE(at))
      const due = message.indexOf(DUE) + DUE.length
      const dueMs = Number(message.toString('latin1', due, due + DUE_DIGITS))
      const storedMs = Number(message.readBigInt64BE(STORE_TIMESTAMP_AT))
      this.storedLate[this.#arrived] = storedMs - dueMs
      this.arrivedLate[this.#arrived] = now - dueMs
      this.#arrived++
      this.#offsets[queueId]!++
    }
  }

  #pull(queueId: number): void {
    const frame = encodeRequest('binary', {
      code: RequestCode.PULL_MESSAGE,
      opaque: queueId,
      extFields: {
        consumerGroup: 'ringmq_bench',
        topic: this.#options.topic,
        queueId: String(queueId),
        queueOffset: String(this.#offsets[queueId]),
        maxMsgNums: '32',
        sysFlag: String(SUSPEND | HAS_SUBSCRIPTION),
        commitOffset: '0',
        suspendTimeoutMillis: '5000',
        subscription: '*',
        subVersion: '0',
        expressionType: 'TAG',
      },
    })
    this.#link.reserve(frame.length)
    this.#link.filled += frame.copy(this.#link.output, this.#link.filled)
  }
}
