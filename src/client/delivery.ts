import { MessageProperty } from '../protocol/message-property.ts'
import { ConsumerSendMsgBack } from '../protocol/requests/retry.ts'
import type { Cluster } from './cluster.ts'
import { ListenerPool } from './listener-pool.ts'
import type { MessageQueue } from './message-queue.ts'
import type { QueueReader } from './queue-reader.ts'
import type { ReceivedMessage } from './received-message.ts'
import { ListenerEnd } from './trace-records.ts'
import { traceConsuming } from './traced-messages.ts'
import type { Traces } from './traces.ts'

/**
 * How consuming went. With RECONSUME_LATER, or an error thrown, the broker delivers the messages
 * again, later and later. `delayLevel` says when instead: 1 to 18, or below 0: never, they are dead
 * letters.
 */
export type ConsumeOutcome = 'CONSUME_SUCCESS' | 'RECONSUME_LATER' | { readonly delayLevel: number }

export interface ConsumeContext {
  readonly queue: MessageQueue
  /** Which of the listeners that run at the same time this is, from 1. */
  readonly slot: number
}

/** Nothing is the same as CONSUME_SUCCESS. Must bear that a message comes twice. */
export type MessageListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeContext,
) => ConsumeOutcome | void | Promise<ConsumeOutcome | void>

export interface DeliveryOptions {
  readonly group: string
  readonly listener: MessageListener
  /** Listeners that run at the same time. */
  readonly concurrency: number
  /** Messages per call of the listener. */
  readonly batchMax: number
  /** How often a message is delivered again before it becomes a dead letter. */
  readonly maxReconsumeTimes: number
  /** Null: nothing is told. */
  readonly traces: Traces | null
}

const SEND_BACK_TIMEOUT_MS = 5000
/**
 * When the broker does not take a message back. Source: Apache 5.3.3,
 * ConsumeMessageConcurrentlyService.
 */
const LOCAL_RETRY_MS = 5000

/** Brings messages to the listener, many at a time, and back to the broker when it fails. */
export class Delivery {
  readonly #cluster: Cluster
  readonly #options: DeliveryOptions
  readonly #pool: ListenerPool

  constructor(cluster: Cluster, options: DeliveryOptions) {
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

  /** Starts no more listeners; resolves when those that run have ended. */
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
    const startTime = String(this.#cluster.clock.now())
    for (const { stored } of batch) {
      stored.properties.set(MessageProperty.CONSUME_START_TIME, startTime)
    }
    const ended = this.#trace(batch)
    try {
      const outcome = await this.#options.listener(batch, context)
      const delayLevel = delayLevelOf(outcome)
      ended(delayLevel === null ? ListenerEnd.SUCCESS : ListenerEnd.FAILED)
      return delayLevel
    } catch (error) {
      ended(ListenerEnd.EXCEPTION)
      const { topic, msgId } = batch[0]!
      this.#cluster.background.report(
        `the listener failed on topic ${topic}, message ${msgId}`,
        error,
      )
      return 0
    }
  }

  #trace(batch: readonly ReceivedMessage[]): (end: ListenerEnd) => void {
    const { traces, group } = this.#options
    const cluster = this.#cluster
    return traces === null ? () => {} : traceConsuming({ cluster, traces, group }, batch)
  }

  /** Resolves to the messages that the broker did not take back. */
  async #sendBack(batch: ReceivedMessage[], delayLevel: number): Promise<ReceivedMessage[]> {
    const { group, maxReconsumeTimes } = this.#options
    const refused: ReceivedMessage[] = []
    for (const message of batch) {
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
      try {
        await this.#cluster.call(message.queue, ConsumerSendMsgBack, header, options)
      } catch (error) {
        refused.push(message)
        const problem = `message ${message.msgId} cannot be sent back`
        this.#cluster.background.report(
          `${problem}, the next try is here in ${LOCAL_RETRY_MS} ms`,
          error,
        )
      }
    }
    return refused
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
function delayLevelOf(outcome: ConsumeOutcome | void): number | null {
  if (typeof outcome === 'object') return outcome.delayLevel
  return outcome === 'RECONSUME_LATER' ? 0 : null
}
