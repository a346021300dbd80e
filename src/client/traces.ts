import type { Cluster } from './cluster.ts'
import { nextMessageId } from './message-ids.ts'
import { outgoing } from './message.ts'
import { messageParcel } from './parcel.ts'
import { QueueRotation } from './queue-choice.ts'
import { Sender } from './send.ts'
import type { TraceText } from './trace-records.ts'

/** Whether a client tells what becomes of its messages. */
export interface TraceOptions {
  /**
   * Records of what becomes of messages are sent to the trace topic, in the background:
   * `mqadmin queryMsgTraceById` shows them. Default: false.
   */
  readonly trace?: boolean
  /** Default: RMQ_SYS_TRACE_TOPIC. */
  readonly traceTopic?: string | undefined
}

/** What is to be told of. */
export interface Traced {
  /** Records of messages of one topic travel together. */
  readonly topic: string
  /** Called when it is sent. */
  write(): Promise<TraceText>
}

/** As Apache 5.3.3, AsyncTraceDispatcher: its queue, its batches, its pauses. */
const WAITING_MAX = 2048
const BATCH_MAX = 20
const FLUSH_MS = 5000
const SEND_TIMEOUT_MS = 5000
const TRACE_TOPIC = 'RMQ_SYS_TRACE_TOPIC'
/** Of one message of traces. Its keys are a property, which must be shorter than 32 KiB with all others. */
const TEXT_MAX = 128_000
const KEYS_MAX = 24_000

/**
 * The traces of one client: kept until there are some, and sent by themselves. No send and no
 * listener waits for them or fails with them: what cannot be sent, or is too much, is dropped, and
 * reported.
 */
export class Traces {
  readonly #cluster: Cluster
  readonly #topic: string
  readonly #sender: Sender
  readonly #rotation = new QueueRotation()
  readonly #waiting: Traced[] = []
  #dropped = 0
  #isFailing = false
  #flushing: Promise<unknown> = Promise.resolve()
  #hurry = () => {}

  /** `sender`: the group that the traces are sent by. */
  constructor(cluster: Cluster, { sender, topic }: { sender: string; topic: string | undefined }) {
    this.#cluster = cluster
    this.#topic = topic ?? TRACE_TOPIC
    this.#sender = new Sender(cluster, sender)
  }

  start(): void {
    const { background } = this.#cluster
    this.#hurry = background.repeat('traces cannot be sent', FLUSH_MS, async () => {
      await this.#flush()
      return FLUSH_MS
    })
  }

  /** Of traces themselves there are none. */
  add(traced: Traced): void {
    if (traced.topic.startsWith(this.#topic)) return
    if (this.#waiting.length === WAITING_MAX) {
      this.#dropped++
      return
    }
    this.#waiting.push(traced)
    if (this.#waiting.length >= BATCH_MAX) this.#hurry()
  }

  /** Sends what waits, unless that fails. Nothing may be added any more. */
  async close(): Promise<void> {
    await this.#flush()
  }

  #flush(): Promise<unknown> {
    return (this.#flushing = this.#flushing.then(() => this.#sendWaiting()))
  }

  /** What fails is dropped; the rest waits for the next time. */
  async #sendWaiting(): Promise<void> {
    this.#reportDropped()
    try {
      while (this.#waiting.length > 0) await this.#sendBatch(this.#waiting.splice(0, BATCH_MAX))
      this.#isFailing = false
    } catch (error) {
      // Once per outage: each few seconds it would fill the log.
      if (!this.#isFailing) this.#cluster.background.report('traces cannot be sent', error)
      this.#isFailing = true
    }
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return
    const why = new Error(`${WAITING_MAX} wait to be sent`)
    this.#cluster.background.report(`${this.#dropped} traces were dropped`, why)
    this.#dropped = 0
  }

  async #sendBatch(batch: readonly Traced[]): Promise<void> {
    for (const [, ofTopic] of Map.groupBy(batch, ({ topic }) => topic)) {
      const texts = await Promise.all(ofTopic.map((traced) => traced.write()))
      for (const message of messagesOf(texts)) await this.#send(message)
    }
  }

  async #send({ text, keys }: TraceText): Promise<void> {
    const { routes, clock } = this.#cluster
    const topic = this.#topic
    const message = outgoing({ topic, body: text, keys }, nextMessageId(clock.now()), Infinity)
    const { writeQueues } = await routes.findToSend(topic)
    const queue = this.#rotation.next(topic, writeQueues)
    await this.#sender.send(await messageParcel(message), queue, SEND_TIMEOUT_MS)
  }
}

/** Null: the client is not to tell anything. `role` names its part in the name of the group. */
export function openTraces(
  cluster: Cluster,
  { trace = false, traceTopic: topic, group }: TraceOptions & { readonly group: string },
  role: 'PRODUCE' | 'CONSUME',
): Traces | null {
  const sender = `_INNER_TRACE_PRODUCER-${group}-${role}-1`
  return trace ? new Traces(cluster, { sender, topic }) : null
}

/** Joined to as few as may be sent. Of too many keys the last are left out: the ids come first. */
function messagesOf(texts: readonly TraceText[]): TraceText[] {
  const messages: TraceText[] = []
  let text = ''
  let keys = new Set<string>()
  for (const next of texts) {
    const isFull =
      text.length + next.text.length > TEXT_MAX || lengthOf([...keys, ...next.keys]) > KEYS_MAX
    if (text !== '' && isFull) {
      messages.push({ text, keys: [...keys] })
      text = ''
      keys = new Set()
    }
    text += next.text
    for (const key of next.keys) if (lengthOf([...keys, key]) <= KEYS_MAX) keys.add(key)
  }
  return [...messages, { text, keys: [...keys] }]
}

/** Bytes of the property. */
function lengthOf(keys: readonly string[]): number {
  return Buffer.byteLength(keys.join(' '))
}
