import { ConnectionError } from '../net/remoting-error.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { decodeRecallHandle } from '../protocol/recall-handle.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { ClientError } from './client-error.ts'
import type { MessageQueue } from './message-queue.ts'
import { nextMessageId } from './message-ids.ts'
import { checkGroup, outgoing, type Message, type OutgoingMessage } from './message.ts'
import { OpenRequests } from './open-requests.ts'
import { batchParcel, messageParcel, type Parcel } from './parcel.ts'
import { QueueRotation, queueOfKey } from './queue-choice.ts'
import type { ReceivedMessage } from './received-message.ts'
import { answerTo } from './reply.ts'
import { Sender, type StoredParcel } from './send.ts'
import type { SendResult } from './send-result.ts'
import { tracePublished } from './traced-messages.ts'
import { openTraces, type TraceOptions, type Traces } from './traces.ts'
import {
  halfParcel,
  Transactions,
  type LocalTransaction,
  type TransactionCheck,
  type TransactionResult,
} from './transactions.ts'

export interface ProducerOptions extends ClusterOptions, TraceOptions {
  readonly group: string
  /** Of a whole send with its retries, in milliseconds. Default: 3000. */
  readonly sendTimeoutMs?: number
  /** How often a failed send is tried on another broker. Default: 2. */
  readonly retryCount?: number
  /** Bytes of a body, or of all bodies of a batch. Default: 4 MiB, the default of brokers. */
  readonly maxMessageSize?: number
  /** What became of a transaction, when the broker asks. Needed for `sendInTransaction`. */
  readonly checkTransaction?: TransactionCheck
}

export interface RecallOptions {
  readonly timeoutMs?: number
}

export interface SendOptions {
  readonly timeoutMs?: number | undefined
  /**
   * Messages of equal keys go to one queue, in the order of their sends; a failed one is not tried
   * elsewhere.
   */
  readonly orderKey?: string
  /** The very queue. Not tried elsewhere either. */
  readonly queue?: MessageQueue | undefined
}

export interface TransactionOptions extends SendOptions {
  /** The broker does not ask about the transaction sooner. Default: as it is configured, 6 s. */
  readonly immunitySeconds?: number
}

/**
 * What another broker, or the same a moment later, may well accept. Source: Apache 5.3.3,
 * DefaultMQProducer.
 */
const RETRYABLE: ReadonlySet<number> = new Set([
  ResponseCode.TOPIC_NOT_EXIST,
  ResponseCode.SERVICE_NOT_AVAILABLE,
  ResponseCode.SYSTEM_ERROR,
  ResponseCode.SYSTEM_BUSY,
  ResponseCode.NO_PERMISSION,
  ResponseCode.NO_BUYER_ID,
  ResponseCode.NOT_IN_CURRENT_UNIT,
  ResponseCode.GO_AWAY,
])

/**
 * Sends messages. Safe to share: sends of any number run at the same time over one connection per
 * broker. What it throws: ClientError before anything is sent, ResponseError with the broker's
 * answer, TimeoutError and ConnectionError when nobody knows whether the message is stored.
 */
export class Producer {
  readonly #options: ProducerOptions
  readonly #cluster: Cluster
  readonly #sender: Sender
  readonly #rotation = new QueueRotation()
  readonly #topics = new Set<string>()
  readonly #requests = new OpenRequests()
  readonly #traces: Traces | null
  readonly #transactions: Transactions | null
  #isStarted = false

  /** Throws ClientError when the group or the name servers are not allowed. */
  constructor(options: ProducerOptions) {
    checkGroup(options.group)
    const roles = { producers: [{ groupName: options.group }], consumers: [] }
    this.#options = options
    this.#cluster = new Cluster(options, () => roles, this.#requests.handlers)
    this.#traces = openTraces(this.#cluster, options, 'PRODUCE')
    this.#sender = new Sender(this.#cluster, options.group, this.#onStored())
    this.#transactions = this.#openTransactions(options)
  }

  /** Begins to keep routes fresh and brokers informed. Sends nothing yet, so it cannot fail. */
  start(): void {
    this.#isStarted = true
    this.#cluster.start()
    this.#traces?.start()
  }

  /** Resolves when the broker has stored the message. */
  async send(message: Message, options: SendOptions = {}): Promise<SendResult> {
    return this.#deliver(await messageParcel(this.#outgoing(message)), options)
  }

  /**
   * Sends a message in a transaction. Its half is stored first, which nobody receives; then `execute` does what the
   * message tells of, here, and says whether it is to be delivered. Should that not reach the broker, or should this
   * process end in between, the broker asks a producer of the group (`checkTransaction`).
   */
  async sendInTransaction(
    message: Message,
    execute: LocalTransaction,
    { immunitySeconds, ...options }: TransactionOptions = {},
  ): Promise<TransactionResult> {
    const transactions = this.#transactions
    if (transactions === null) throw new ClientError('a transaction needs checkTransaction')
    const half = await halfParcel(this.#outgoing(message), this.#options.group, immunitySeconds)
    return transactions.finish(half, await this.#deliver(half, options), execute)
  }

  /**
   * Calls back a message that waits for its time, by the handle from its send. Returns its id. Throws ResponseError
   * when the broker does not allow it (`recallMessageEnable`) or the time has come.
   */
  async recall(topic: string, recallHandle: string, options: RecallOptions = {}): Promise<string> {
    const handle = decodeRecallHandle(recallHandle)
    if (handle === null) throw new ClientError(`topic ${topic}: that is no recall handle`)
    const queues = await this.queues(topic)
    const queue = queues.find(({ brokerName }) => brokerName === handle.brokerName)
    if (queue === undefined) {
      throw new ClientError(`topic ${topic}: no broker ${handle.brokerName}, which has the message`)
    }
    const timeoutMs = options.timeoutMs ?? this.#options.sendTimeoutMs ?? 3000
    return this.#sender.recall(queue, recallHandle, timeoutMs)
  }

  /** Stores several messages of one topic in one queue, all or none. */
  async sendBatch(messages: readonly Message[], options: SendOptions = {}): Promise<SendResult> {
    const batch = messages.map((message) => this.#outgoing(message))
    return this.#deliver(batchParcel(batch, this.#bodyMax), options)
  }

  /** Resolves when the message is on its way; whether it arrives nobody says. */
  async sendOneway(message: Message, options: SendOptions = {}): Promise<void> {
    const parcel = await messageParcel(this.#outgoing(message))
    const queues = await this.queues(parcel.topic)
    const queue = fixedQueue(queues, options) ?? this.#rotation.next(parcel.topic, queues)
    await this.#sender.sendOneway(parcel, queue)
  }

  /**
   * Sends a message and resolves with the answer that a consumer gives to it (`reply`). Throws
   * TimeoutError when none comes in time: nobody knows then whether the message is consumed. The
   * answer's broker name is empty and its queue offset -1.
   */
  async request(
    message: Message,
    timeoutMs: number,
    options: Omit<SendOptions, 'timeoutMs'> = {},
  ): Promise<ReceivedMessage> {
    const { topic, ...plain } = this.#outgoing(message)
    const request = this.#requests.add(topic, timeoutMs)
    const { CORRELATION_ID, REPLY_TO_CLIENT, TTL } = MessageProperty
    const properties = new Map(plain.properties)
      .set(CORRELATION_ID, request.correlationId)
      .set(REPLY_TO_CLIENT, this.#cluster.clientId)
      .set(TTL, String(timeoutMs))
    this.#ask({ ...plain, topic, properties }, { ...options, timeoutMs }).catch(request.fail)
    return request.answer
  }

  /**
   * Answers a message that somebody waits for: resolves when the one who sent it has the answer.
   * Throws ClientError when nobody does, ResponseError when the broker cannot pass it on.
   */
  async reply(
    request: ReceivedMessage,
    body: Uint8Array | string,
    { timeoutMs }: Pick<SendOptions, 'timeoutMs'> = {},
  ): Promise<SendResult> {
    const answer = answerTo(request, body, (message) => this.#outgoing(message))
    const queues = await this.queues(answer.topic)
    // Who waits is connected to the broker that its message came through, and maybe to no other.
    const queue = queues.find(({ brokerName }) => brokerName === request.brokerName)
    return this.#deliver(await messageParcel(answer), { timeoutMs, queue })
  }

  /** The queues that a message of the topic can go to. Throws ClientError when there are none. */
  async queues(topic: string): Promise<readonly MessageQueue[]> {
    if (!this.#isStarted) throw new ClientError('the producer is not started, or closed already')
    const { writeQueues } = await this.#cluster.routes.findToSend(topic)
    if (!this.#topics.has(topic)) {
      this.#topics.add(topic)
      this.#cluster.background.run('heartbeat', () => this.#cluster.greet())
    }
    return writeQueues
  }

  /** Sends that are under way fail with ConnectionError: await them before. */
  async close(): Promise<void> {
    this.#isStarted = false
    await this.#traces?.close()
    this.#transactions?.close()
    this.#requests.failAll(new ConnectionError('the producer was closed'))
    this.#cluster.background.stop()
    await this.#cluster.unregister({ producerGroup: this.#options.group })
    await this.#cluster.close()
  }

  #openTransactions({ group, checkTransaction: check }: ProducerOptions): Transactions | null {
    if (check === undefined) return null
    const parts = { cluster: this.#cluster, group, check, traces: this.#traces }
    const transactions = new Transactions(parts)
    transactions.serve(this.#requests.handlers)
    return transactions
  }

  #onStored(): ((stored: StoredParcel) => void) | undefined {
    const [cluster, traces] = [this.#cluster, this.#traces]
    const { group } = this.#options
    return traces === null
      ? undefined
      : (stored) => tracePublished({ cluster, traces, group }, stored)
  }

  #outgoing(message: Message): OutgoingMessage {
    return outgoing(message, this.#nextId(), this.#bodyMax)
  }

  #nextId(): string {
    return nextMessageId(this.#cluster.clock.now())
  }

  get #bodyMax(): number {
    return this.#options.maxMessageSize ?? 4 * 1024 * 1024
  }

  /** Brokers pass answers on to clients that they know. */
  async #ask(message: OutgoingMessage, options: SendOptions): Promise<void> {
    await this.queues(message.topic)
    await this.#cluster.greet()
    await this.#deliver(await messageParcel(message), options)
  }

  async #deliver(parcel: Parcel, options: SendOptions): Promise<SendResult> {
    const { clock } = this.#cluster
    const deadline = clock.now() + (options.timeoutMs ?? this.#options.sendTimeoutMs ?? 3000)
    const queues = await this.queues(parcel.topic)
    const fixed = fixedQueue(queues, options)
    let triesLeft = fixed === undefined ? (this.#options.retryCount ?? 2) : 0
    let failed: string | undefined
    for (;;) {
      const queue = fixed ?? this.#rotation.next(parcel.topic, queues, failed)
      try {
        return await this.#sender.send(parcel, queue, deadline - clock.now())
      } catch (error) {
        if (triesLeft-- === 0 || !isRetryable(error) || clock.now() >= deadline) throw error
        failed = queue.brokerName
      }
    }
  }
}

function fixedQueue(
  queues: readonly MessageQueue[],
  { queue, orderKey }: SendOptions,
): MessageQueue | undefined {
  return queue ?? (orderKey === undefined ? undefined : queueOfKey(queues, orderKey))
}

/** A timeout is not: it used up all the time there was. */
function isRetryable(error: unknown): boolean {
  return (
    error instanceof ConnectionError ||
    (error instanceof ResponseError && RETRYABLE.has(error.code))
  )
}
