import { Link, type FrameSink } from '../load/link.ts'
import { ReplyScanner } from '../load/reply-scanner.ts'
import { encodeRequest, RequestCode } from '../load/wire.ts'

/** Sends that wait for a reply at any time. */
const IN_FLIGHT = 256
const BODY = Buffer.alloc(128, 'RingMQ measures what it sends. ')

export interface TimerSendsOptions {
  /** host:port of the broker. */
  address: string
  topic: string
  queueCount: number
  count: number
  /** When message `nth` is to be delivered, ms since 1970. */
  dueMs: (nth: number) => number
}

/** Sends timed messages as fast as they are answered. Throws when one is refused. */
export class TimerSends implements FrameSink {
  readonly #options: TimerSendsOptions
  readonly #scanner = new ReplyScanner()
  readonly #done = Promise.withResolvers<void>()
  #sent = 0
  #answered = 0

  constructor(options: TimerSendsOptions) {
    this.#options = options
  }

  async run(): Promise<void> {
    const link = await Link.open(this.#options.address, this, (error) => this.#done.reject(error))
    for (let nth = 0; nth < IN_FLIGHT; nth++) this.#send(link)
    link.flush()
    await this.#done.promise.finally(() => link.close())
  }

  onFrame(link: Link, bytes: Buffer, start: number): void {
    this.#scanner.scan(bytes, start)
    const { code } = this.#scanner
    if (code !== 0) this.#done.reject(new Error(`a timed send was answered with ${code}`))
    this.#answered++
    if (this.#answered === this.#options.count) this.#done.resolve()
    this.#send(link)
  }

  onReadEnd(): void {}

  #send(link: Link): void {
    const nth = this.#sent
    const { topic, queueCount, count, dueMs } = this.#options
    if (nth === count) return
    this.#sent++
    const key = `7F00000100000000${nth.toString(16).padStart(16, '0').toUpperCase()}`
    const properties = `UNIQ_KEY\u0001${key}\u0002TIMER_DELIVER_MS\u0001${dueMs(nth)}\u0002`
    const frame = encodeRequest('binary', {
      code: RequestCode.SEND_MESSAGE_V2,
      opaque: nth % 2 ** 30,
      extFields: {
        a: 'ringmq_bench',
        b: topic,
        c: 'TBW102',
        d: '4',
        e: String(nth % queueCount),
        f: '0',
        g: String(Date.now()),
        h: '0',
        i: properties,
        j: '0',
        k: 'false',
      },
      body: BODY,
    })
    link.reserve(frame.length)
    link.filled += frame.copy(link.output, link.filled)
  }
}
