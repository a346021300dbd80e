import { ConsumerSendMsgBack } from '../protocol/requests/retry.ts'
import type { Cluster } from './cluster.ts'
import { tellingListener, type ConsumeContext, type ListenerTelling } from './listener-call.ts'
import { ListenerPool } from './listener-pool.ts'
import type { QueueReader } from './queue-reader.ts'
import type { ReceivedMessage } from './received-message.ts'
import type { RetrySender } from './retry-sender.ts'
import { ListenerEnd } from './trace-records.ts'

/**
 * How consuming went. With RECONSUME_LATER, or an error thrown, the broker delivers the messages
 * again, later and later. `delayLevel` says when instead: 1 to 18, or below 0: never, they are dead
 * letters.
 */
export type ConsumeOutcome = 'CONSUME_SUCCESS' | 'RECONSUME_LATER' | { readonly delayLevel: number }

/** Nothing is the same as CONSUME_SUCCESS. Must bear that a message comes twice. */
export type MessageListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeContext,
) => ConsumeOutcome | void | Promise<ConsumeOutcome | void>

/** Brings messages to a listener. */
export interface Delivery {
  deliver(reader: QueueReader, messages: readonly ReceivedMessage[]): void
  /** Resolves when no listener runs any more on what the reader, which was dropped, has read. */
  idle(reader: QueueReader): Promise<void>
  /** Whether no listener runs on what this reader has read. */
  isIdle(reader: QueueReader): boolean
  /** Starts no more listeners; resolves when those that run have ended. */
  settled(): Promise<void>
}

export interface ConcurrentOptions extends ListenerTelling {
  readonly listener: MessageListener
  /** Listeners that run at the same time. */
  readonly concurrency: number
  /** Messages per call of the listener. */
  readonly batchMax: number
  /** How often a message is delivered again before it becomes a dead letter. */
  readonly maxReconsumeTimes: number
  /** Null: what failed is reported, and passed over (broadcast). */
  readonly retries: RetrySender | null
}

const SEND_BACK_TIMEOUT_MS = 5000
/**
 * When the broker does not take a message back. Source: Apache 5.3.3,
 * ConsumeMessageConcurrentlyService.
 */
const LOCAL_RETRY_MS = 5000

/** Brings messages to the listener, many at a time, and back to the broker when it fails. */
export class ConcurrentDelivery implements Delivery {
  readonly #cluster: Cluster
  readonly #options: ConcurrentOptions
  readonly #pool: ListenerPool

  constructor(cluster: Cluster, options: ConcurrentOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#pool = new ListenerPool(options.concurrency)
  }

  deliver(reader: QueueReader, messages: readonly ReceivedMessage[]): void {
    const { batchMax } = this.#options
    for (let start = 0; start < messages.length; start += batchMax) {
      const batch = messages.slice(start, start + batchMax)
      this.#pool.submit((slot) => this.#consume(reader, batch, slot))
    }
  }

  /** Of what a dropped reader has read nothing is committed, so nobody has to wait. */
  async idle(): Promise<void> {}

  isIdle(): boolean {
    return true
  }

  async settled(): Promise<void> {
    this.#pool.clear()
    await this.#pool.settled()
  }

  async #consume(reader: QueueReader, batch: ReceivedMessage[], slot: number): Promise<void> {
    if (reader.isDropped) return
    const delayLevel = await this.#listen(batch, { queue: reader.queue, slot })
    if (reader.isDropped) return // whoever reads the queue now gets them, too
    const refused = delayLevel === null ? [] : await this.#sendBack(batch, delayLevel)
    for (const message of batch) {
      if (!refused.includes(message)) reader.backlog.remove(message.queueOffset)
    }
    if (refused.length > 0) this.#retryLocally(reader, refused)
  }

  /** Null when the messages are consumed, else the delay level to send them back with. */
  async #listen(batch: ReceivedMessage[], context: ConsumeContext): Promise<number | null> {
    const telling = tellingListener(this.#cluster, this.#options, batch)
    try {
      const outcome = await this.#options.listener(batch, context)
      const delayLevel = delayLevelOf(outcome)
      telling.ended(delayLevel === null ? ListenerEnd.SUCCESS : ListenerEnd.FAILED)
      return delayLevel
    } catch (error) {
      telling.failed(error)
      return 0
    }
  }

  /** Resolves to the messages that the broker did not take back. */
  async #sendBack(batch: ReceivedMessage[], delayLevel: number): Promise<ReceivedMessage[]> {
    const { retries } = this.#options
    const refused: ReceivedMessage[] = []
    for (const message of batch) {
      if (retries === null) this.#passOver(message)
      else if (!(await this.#wasTaken(message, delayLevel, retries))) refused.push(message)
    }
    return refused
  }

  #passOver({ msgId, topic }: ReceivedMessage): void {
    const why = new Error('it is broadcast, so it does not come again')
    this.#cluster.background.report(`message ${msgId} of topic ${topic} was not consumed`, why)
  }

  /** A broker that does not take it back may take a copy; one that had taken it is not asked in vain, it comes twice. */
  async #wasTaken(
    message: ReceivedMessage,
    delayLevel: number,
    retries: RetrySender,
  ): Promise<boolean> {
    const { background } = this.#cluster
    const problem = `message ${message.msgId} cannot be sent back`
    try {
      await this.#giveBack(message, delayLevel)
      return true
    } catch (error) {
      background.report(`${problem}, a copy is sent`, error)
    }
    try {
      await retries.send(message, this.#options.maxReconsumeTimes)
      return true
    } catch (error) {
      background.report(`${problem}, the next try is here in ${LOCAL_RETRY_MS} ms`, error)
      return false
    }
  }

  async #giveBack(message: ReceivedMessage, delayLevel: number): Promise<void> {
    const { group, maxReconsumeTimes } = this.#options
    const header = {
      offset: message.stored.position,
      group,
      delayLevel,
      originMsgId: message.msgId,
      originTopic: message.topic,
      unitMode: false,
      maxReconsumeTimes,
      brokerName: message.brokerName,
    }
    const options = { timeoutMs: SEND_BACK_TIMEOUT_MS }
    await this.#cluster.call(message.queue, ConsumerSendMsgBack, header, options)
  }

  /** They stay in the backlog, so nothing behind them is committed before they are consumed. */
  #retryLocally(reader: QueueReader, refused: ReceivedMessage[]): void {
    const { background } = this.#cluster
    background.run('a local retry', async () => {
      await background.sleep(LOCAL_RETRY_MS)
      if (background.isStopped) return
      this.deliver(
        reader,
        refused.map((message) => message.again()),
      )
    })
  }
}

/** Null: consumed. */
export function delayLevelOf(outcome: ConsumeOutcome | void): number | null {
  if (typeof outcome === 'object') return outcome.delayLevel
  return outcome === 'RECONSUME_LATER' ? 0 : null
}
