import { Link, type FrameSink } from './link.ts'
import { decodeReply, encodeRequest, RequestCode, type Reply } from './wire.ts'

const TIMEOUT_MS = 10_000
const READ_AND_WRITE = 6
const MASTER = '0'
/** The topic that every broker with automatic creation has from the start: its route tells who is there. */
export const TEMPLATE_TOPIC = 'TBW102'

export interface BrokerAddress {
  address: string
  brokerName: string
}

/** Set-up requests to one server, with JSON headers and in any number at once. Not for measuring. */
export class Control implements FrameSink {
  readonly #waiting = new Map<number, PromiseWithResolvers<Reply>>()
  readonly #address: string
  #link!: Link
  #opaque = 0

  private constructor(address: string) {
    this.#address = address
  }

  /** `address` is host:port of a name server or a broker. */
  static async open(address: string): Promise<Control> {
    const control = new Control(address)
    control.#link = await Link.open(address, control, (error) => control.#fail(error))
    return control
  }

  onFrame(_link: Link, bytes: Buffer, start: number, end: number): void {
    const reply = decodeReply(bytes.subarray(start, end))
    this.#waiting.get(reply.opaque)?.resolve(reply)
    this.#waiting.delete(reply.opaque)
  }

  onReadEnd(): void {}

  close(): void {
    this.#link.close()
  }

  /** Throws when the server answers any code but SUCCESS, or not within 10 s. */
  async call(code: number, extFields: Record<string, string>): Promise<Reply> {
    const opaque = this.#opaque++
    const waiting = Promise.withResolvers<Reply>()
    const late = new Error(`${this.#address} did not answer request ${code}`)
    const timer = setTimeout(() => waiting.reject(late), TIMEOUT_MS)
    this.#waiting.set(opaque, waiting)
    this.#write(encodeRequest('json', { code, opaque, extFields }))
    const reply = await waiting.promise.finally(() => clearTimeout(timer))
    if (reply.code === 0) return reply
    throw new Error(`${this.#address} answered ${reply.code} to ${code}: ${reply.remark}`)
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }

  #write(frame: Buffer): void {
    this.#link.reserve(frame.length)
    this.#link.filled += frame.copy(this.#link.output, this.#link.filled)
    this.#link.flush()
  }
}

/** The master that a name server gives for `topic`. Throws when it has none. */
export async function findBroker(namesrv: string, topic: string): Promise<BrokerAddress> {
  const extFields = { topic, acceptStandardJsonOnly: 'true' }
  return await withControl(namesrv, async (control) => {
    return masterOf(await control.call(RequestCode.GET_ROUTEINFO_BY_TOPIC, extFields), topic)
  })
}

function masterOf(reply: Reply, topic: string): BrokerAddress {
  const route = JSON.parse(reply.body.toString()) as {
    brokerDatas: { brokerName: string; brokerAddrs: Record<string, string> }[]
  }
  for (const { brokerName, brokerAddrs } of route.brokerDatas) {
    const address = brokerAddrs[MASTER]
    if (address) return { address, brokerName }
  }
  throw new Error(`topic ${topic} has no master broker`)
}

/** Creates `topic` with `queueCount` queues to read and to write, or gives it that many. */
export async function createTopic(
  broker: Control,
  topic: string,
  queueCount: number,
): Promise<void> {
  await broker.call(RequestCode.UPDATE_AND_CREATE_TOPIC, {
    topic,
    defaultTopic: TEMPLATE_TOPIC,
    readQueueNums: String(queueCount),
    writeQueueNums: String(queueCount),
    perm: String(READ_AND_WRITE),
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: '0',
    order: 'false',
  })
}

/** Per queue, the offset after its last message. */
export async function queueEnds(broker: Control, topic: string, queues: number): Promise<number[]> {
  return await offsets(broker, RequestCode.GET_MAX_OFFSET, topic, queues)
}

/** Per queue, the offset of its first message. */
export async function queueStarts(
  broker: Control,
  topic: string,
  queues: number,
): Promise<number[]> {
  return await offsets(broker, RequestCode.GET_MIN_OFFSET, topic, queues)
}

async function offsets(
  broker: Control,
  code: number,
  topic: string,
  queues: number,
): Promise<number[]> {
  const queueIds = Array.from({ length: queues }, (_, queueId) => String(queueId))
  const replies = await Promise.all(
    queueIds.map((queueId) => broker.call(code, { topic, queueId })),
  )
  return replies.map(({ extFields }) => Number(extFields['offset']))
}

/** Messages in all queues of `topic`. */
export async function storedCount(broker: Control, topic: string, queues: number): Promise<number> {
  const ends = await queueEnds(broker, topic, queues)
  const starts = await queueStarts(broker, topic, queues)
  return ends.reduce((sum, end, queue) => sum + end - starts[queue]!, 0)
}

/** Runs `work` with a connection that is closed afterwards. */
export async function withControl<T>(
  address: string,
  work: (control: Control) => Promise<T>,
): Promise<T> {
  const control = await Control.open(address)
  try {
    return await work(control)
  } finally {
    control.close()
  }
}
