import type { Cluster } from './cluster.ts'
import type { Delivery } from './delivery.ts'
import { ListenerPool } from './listener-pool.ts'
import { tellingListener, type ConsumeContext, type ListenerTelling } from './listener-call.ts'
import type { MessageQueue } from './message-queue.ts'
import type { QueueReader } from './queue-reader.ts'
import type { ReceivedMessage } from './received-message.ts'
import type { RetrySender } from './retry-sender.ts'
import { ListenerEnd } from './trace-records.ts'

/**
 * How consuming in order went. With SUSPEND_CURRENT_QUEUE_A_MOMENT, or an error thrown, the same messages come again
 * after `suspendMs`, and nothing behind them before.
 */
export type OrderlyOutcome =
  | 'SUCCESS'
  | 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
  /** The same, after another time: 10 ms to 30 s. */
  | { readonly suspendMs: number }

/** Nothing is the same as SUCCESS. Of one queue, no two calls run at the same time. */
export type OrderlyListener = (
  messages: readonly ReceivedMessage[],
  context: ConsumeContext,
) => OrderlyOutcome | void | Promise<OrderlyOutcome | void>

export interface OrderlyOptions extends ListenerTelling {
  readonly listener: OrderlyListener
  /** Queues that are consumed at the same time. */
  readonly concurrency: number
  /** Messages per call of the listener. */
  readonly batchMax: number
  /** How often a message is tried again before it becomes a dead letter. */
  readonly maxReconsumeTimes: number
  readonly suspendMs: number
  readonly retries: RetrySender
  /** Whether the queue may be consumed now. */
  isOwn(queue: MessageQueue): boolean
}

/** What of one queue waits, in its order. */
interface Lane {
  readonly reader: QueueReader
  readonly waiting: ReceivedMessage[]
  /** A turn is due, or under way: there is never a second one. */
  isBusy: boolean
  running: Promise<void> | null
}

/** Source: Apache 5.3.3, ConsumeMessageOrderlyService. */
const SUSPEND_MIN_MS = 10
const SUSPEND_MAX_MS = 30_000
/** Until a look whether a queue that was lost sight of is this client's again. */
const UNSURE_MS = 100

/** Brings messages to the listener, those of one queue one behind the other. */
export class OrderlyDelivery implements Delivery {
  readonly #cluster: Cluster
  readonly #options: OrderlyOptions
  readonly #pool: ListenerPool
  readonly #lanes = new Map<QueueReader, Lane>()

  constructor(cluster: Cluster, options: OrderlyOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#pool = new ListenerPool(options.concurrency)
  }

  deliver(reader: QueueReader, messages: readonly ReceivedMessage[]): void {
    if (reader.isDropped) return
    const lane = this.#lanes.get(reader) ?? this.#open(reader)
    lane.waiting.push(...messages)
    if (!lane.isBusy) this.#next(lane)
  }

  async idle(reader: QueueReader): Promise<void> {
    await this.#lanes.get(reader)?.running
    this.#lanes.delete(reader)
  }

  isIdle(reader: QueueReader): boolean {
    return (this.#lanes.get(reader)?.running ?? null) === null
  }

  async settled(): Promise<void> {
    this.#pool.clear()
    await this.#pool.settled()
  }

  #open(reader: QueueReader): Lane {
    const lane: Lane = { reader, waiting: [], isBusy: false, running: null }
    this.#lanes.set(reader, lane)
    return lane
  }

  #next(lane: Lane): void {
    lane.isBusy = lane.waiting.length > 0
    if (lane.isBusy) this.#pool.submit((slot) => this.#turn(lane, slot))
  }

  async #turn(lane: Lane, slot: number): Promise<void> {
    const { reader } = lane
    if (reader.isDropped) return
    if (!this.#options.isOwn(reader.queue)) return this.#nextAfter(lane, UNSURE_MS)
    const consuming = this.#consume(lane, slot)
    lane.running = consuming.then(() => {})
    const suspendMs = await consuming
    lane.running = null
    if (suspendMs === null) this.#next(lane)
    else this.#nextAfter(lane, suspendMs)
  }

  /** Resolves to how long the queue is to stand still; null: not at all. Also counts what a dropped reader's listener did. */
  async #consume({ reader, waiting }: Lane, slot: number): Promise<number | null> {
    const batch = waiting.slice(0, this.#options.batchMax)
    const suspendMs = await this.#listen(batch, { queue: reader.queue, slot })
    const again = suspendMs === null ? [] : await this.#triedAgain(batch)
    const offsets = new Set(again.map(({ queueOffset }) => queueOffset))
    for (const { queueOffset } of batch) {
      if (!offsets.has(queueOffset)) reader.backlog.remove(queueOffset)
    }
    waiting.splice(0, batch.length, ...again)
    return again.length === 0 ? null : suspendMs
  }

  /** Resolves to null when the messages are consumed, else to how long the queue is to stand still. */
  async #listen(batch: readonly ReceivedMessage[], context: ConsumeContext) {
    const { listener, suspendMs } = this.#options
    const telling = tellingListener(this.#cluster, this.#options, batch)
    try {
      const outcome = await listener(batch, context)
      const pauseMs = suspensionOf(outcome, suspendMs)
      telling.ended(pauseMs === null ? ListenerEnd.SUCCESS : ListenerEnd.FAILED)
      return pauseMs
    } catch (error) {
      telling.failed(error)
      return clamped(suspendMs)
    }
  }

  /** Those with tries left, counted; the others are dead letters, unless the broker does not take them. */
  async #triedAgain(batch: readonly ReceivedMessage[]): Promise<ReceivedMessage[]> {
    const again: ReceivedMessage[] = []
    for (const message of batch) {
      const isOver = message.reconsumeTimes >= this.#options.maxReconsumeTimes
      if (!isOver || !(await this.#sentBack(message))) again.push(message.again())
    }
    return again
  }

  async #sentBack(message: ReceivedMessage): Promise<boolean> {
    try {
      await this.#options.retries.send(message, this.#options.maxReconsumeTimes)
      return true
    } catch (error) {
      const problem = `message ${message.msgId} cannot become a dead letter`
      this.#cluster.background.report(problem, error)
      return false
    }
  }

  #nextAfter(lane: Lane, ms: number): void {
    const { background } = this.#cluster
    background.run('a queue that stands still', async () => {
      await background.sleep(ms)
      if (!background.isStopped) this.#next(lane)
    })
  }
}

/** Null: consumed. */
function suspensionOf(outcome: OrderlyOutcome | void, suspendMs: number): number | null {
  if (typeof outcome === 'object') return clamped(outcome.suspendMs)
  return outcome === 'SUSPEND_CURRENT_QUEUE_A_MOMENT' ? clamped(suspendMs) : null
}

function clamped(ms: number): number {
  return Math.min(Math.max(ms, SUSPEND_MIN_MS), SUSPEND_MAX_MS)
}
