import { ResponseError } from '../protocol/response-error.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import { pull, type PullResult } from './pull.ts'
import { QueueBacklog, type BacklogLimits } from './queue-backlog.ts'
import type { QueueState } from './running-info.ts'
import type { ReceivedMessage } from './received-message.ts'
import { isWanted, type Subscription } from './subscription.ts'

/** What a reader needs to know, and whom it tells. */
export interface ReaderContext {
  readonly cluster: Cluster
  readonly group: string
  readonly limits: BacklogLimits
  /** Messages per pull. */
  readonly countMax: number
  /** Whether the broker is told how far this client has come. */
  readonly commitsWithPulls: boolean
  /** Whether the queue may be read now. */
  isOwn(queue: MessageQueue): boolean
  /** Null when the topic is not subscribed any more. */
  subscription(topic: string): Subscription | null
  deliver(reader: QueueReader, messages: ReceivedMessage[]): void
  /** The queue must be read from another offset, by another reader: this one is dropped. */
  onMoved(reader: QueueReader, offset: number): Promise<void>
}

/**
 * How long brokers hold a pull, and how long to wait after one that failed. Source: Apache 5.3.3,
 * push consumer.
 */
const HOLD_MS = 15_000
const FAILED_MS = 1000
/** Until a look whether a queue that was lost sight of is this client's again. */
const UNSURE_MS = 100

/** Pulls one queue, as long as it is assigned to this client. */
export class QueueReader {
  readonly queue: MessageQueue
  readonly backlog: QueueBacklog
  readonly #context: ReaderContext
  #brokerId: number | undefined
  #isDropped = false
  #isFailing = false
  #pulledAt = 0

  constructor(queue: MessageQueue, start: number, context: ReaderContext) {
    this.queue = queue
    this.backlog = new QueueBacklog(start, context.limits)
    this.#context = context
  }

  /**
   * A dropped reader belongs to the past: what it pulled is another's now, and must not be
   * committed.
   */
  get isDropped(): boolean {
    return this.#isDropped
  }

  get state(): QueueState {
    const { committable, pulled, count, bytes } = this.backlog
    const { queue } = this
    return { queue, committable, pulled, count, bytes, pulledAt: this.#pulledAt, lockedAt: 0 }
  }

  drop(): void {
    this.#isDropped = true
    this.backlog.wake()
  }

  /** Resolves when the reader is dropped or the client stops. */
  async run(): Promise<void> {
    while (!this.#isOver()) {
      await this.backlog.hasRoom()
      if (this.#isOver()) return
      if (this.#context.isOwn(this.queue)) await this.#turn()
      else await this.#context.cluster.background.sleep(UNSURE_MS)
    }
  }

  #isOver(): boolean {
    return this.#isDropped || this.#context.cluster.background.isStopped
  }

  async #turn(): Promise<void> {
    const { queue, backlog } = this
    const { cluster, group, countMax } = this.#context
    const subscription = this.#context.subscription(queue.topic)
    if (subscription === null) return this.drop()
    this.#pulledAt = cluster.clock.now()
    try {
      const request = {
        group,
        queue,
        subscription,
        countMax,
        holdMs: HOLD_MS,
        carriesSubscription: false,
      }
      const result = await pull(cluster, {
        ...request,
        offset: backlog.pulled,
        commitOffset: this.#context.commitsWithPulls ? backlog.committable : 0,
        brokerId: this.#brokerId,
      })
      if (!this.#isOver()) await this.#take(result)
      this.#isFailing = false
    } catch (error) {
      await this.#afterFailure(error)
    }
  }

  async #take(result: PullResult): Promise<void> {
    const { status, nextOffset, suggestedBrokerId } = result
    if (status === 'OFFSET_MOVED' || nextOffset < this.backlog.pulled) {
      return this.#context.onMoved(this, nextOffset)
    }
    // It may have changed while the pull was held.
    const subscription = this.#context.subscription(this.queue.topic)
    if (subscription === null) return this.drop()
    const messages = result.messages.filter(({ tags }) => isWanted(subscription, tags))
    for (const message of messages) {
      this.backlog.add(message.queueOffset, message.stored.body.length)
    }
    this.#brokerId = suggestedBrokerId
    this.backlog.advance(nextOffset)
    this.#context.deliver(this, messages)
  }

  async #afterFailure(error: unknown): Promise<void> {
    if (this.#isOver()) return
    const { background } = this.#context.cluster
    // Once per outage: with a second between tries it would fill the log.
    if (!this.#isFailing) background.report(`cannot pull queue ${this.queue.queueId}`, error)
    this.#isFailing = true
    this.#brokerId = undefined
    // A broker that restarted has forgotten who we are.
    if (isForgotten(error)) await this.#context.cluster.heartbeat()
    await background.sleep(FAILED_MS)
  }
}

function isForgotten(error: unknown): boolean {
  return (
    error instanceof ResponseError &&
    (error.codeName === 'SUBSCRIPTION_NOT_EXIST' || error.codeName === 'SUBSCRIPTION_NOT_LATEST')
  )
}
