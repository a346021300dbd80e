import type { Cluster } from './cluster.ts'
import type { MessageListener } from './delivery.ts'
import { delayLevelOf } from './delivery.ts'
import { tellingListener, type ListenerTelling } from './listener-call.ts'
import { ListenerPool } from './listener-pool.ts'
import type { MessageQueue } from './message-queue.ts'
import { againMs, type PopAnswers } from './pop-answers.ts'
import type { PoppedMessage } from './pop.ts'
import type { RetrySender } from './retry-sender.ts'
import { ListenerEnd } from './trace-records.ts'

export interface PopDeliveryOptions extends ListenerTelling {
  readonly listener: MessageListener
  /** Listeners that run at the same time. */
  readonly concurrency: number
  /** Messages per call of the listener. */
  readonly batchMax: number
  /** How often a message is delivered again before it becomes a dead letter. */
  readonly maxReconsumeTimes: number
  /** How long what was popped is this client's alone. */
  readonly invisibleMs: number
  readonly answers: PopAnswers
  readonly retries: RetrySender
}

interface Batch {
  readonly queue: MessageQueue
  readonly batch: readonly PoppedMessage[]
  /** By then they have come again. */
  readonly until: number
}

/** Brings popped messages to the listener, and tells brokers of each by itself how that ended. */
export class PopDelivery {
  readonly #cluster: Cluster
  readonly #options: PopDeliveryOptions
  readonly #pool: ListenerPool

  constructor(cluster: Cluster, options: PopDeliveryOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#pool = new ListenerPool(options.concurrency)
  }

  /** `onDone` hears of so many messages that are with the listener no more. */
  deliver(
    queue: MessageQueue,
    messages: readonly PoppedMessage[],
    onDone: (count: number) => void,
  ): void {
    const { batchMax, invisibleMs } = this.#options
    const until = this.#cluster.clock.now() + invisibleMs // by this clock, whatever the broker's says
    for (let start = 0; start < messages.length; start += batchMax) {
      const batch = messages.slice(start, start + batchMax)
      this.#pool.submit((slot) =>
        this.#consume({ queue, batch, until }, slot).finally(() => onDone(batch.length)),
      )
    }
  }

  /** Starts no more listeners; resolves when those that run have ended. What never begins comes again. */
  async settled(): Promise<void> {
    this.#pool.clear()
    await this.#pool.settled()
  }

  async #consume({ queue, batch, until }: Batch, slot: number): Promise<void> {
    if (this.#cluster.clock.now() >= until) return // they are another's by now
    const delayLevel = await this.#listen(queue, batch, slot)
    await Promise.all(batch.map((each) => this.#answer(each, delayLevel)))
  }

  /** Null when the messages are consumed, else how late they are to come again. */
  async #listen(queue: MessageQueue, batch: readonly PoppedMessage[], slot: number) {
    const messages = batch.map(({ message }) => message)
    const telling = tellingListener(this.#cluster, this.#options, messages)
    try {
      const delayLevel = delayLevelOf(await this.#options.listener(messages, { queue, slot }))
      telling.ended(delayLevel === null ? ListenerEnd.SUCCESS : ListenerEnd.FAILED)
      return delayLevel
    } catch (error) {
      telling.failed(error)
      return 0
    }
  }

  async #answer(popped: PoppedMessage, delayLevel: number | null): Promise<void> {
    const { answers, maxReconsumeTimes } = this.#options
    const { message } = popped
    try {
      if (delayLevel === null) return await answers.ack(popped)
      const isOver = delayLevel < 0 || message.reconsumeTimes >= maxReconsumeTimes
      if (isOver) return await this.#bury(popped)
      await answers.changeInvisibleTime(popped, againMs(message, delayLevel))
    } catch (error) {
      this.#cluster.background.report(`message ${message.msgId} comes again`, error)
    }
  }

  /** Brokers know no end of tries in POP; Apache's client drops a message of 4 h that came too often. */
  async #bury(popped: PoppedMessage): Promise<void> {
    await this.#options.retries.bury(popped.message)
    await this.#options.answers.ack(popped)
  }
}
