import type { ConsumerData } from '../protocol/bodies/heartbeat.ts'
import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { allocateInBlocks, type Allocation } from './allocation.ts'
import { ClientError } from './client-error.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { consumerHandlers } from './consumer-questions.ts'
import { Delivery, type DeliveryOptions, type MessageListener } from './delivery.ts'
import type { MessageQueue } from './message-queue.ts'
import { checkGroup, checkTopic } from './message.ts'
import { backlogDefaults, type BacklogLimits } from './queue-backlog.ts'
import { runningInfo } from './running-info.ts'
import { QueueReaders, type ReadersOptions } from './queue-readers.ts'
import type { ConsumeFrom } from './start-offset.ts'
import {
  subscription,
  subscriptionData,
  type FilterExpression,
  type Subscription,
} from './subscription.ts'
import { openTraces, type TraceOptions, type Traces } from './traces.ts'

export interface PushConsumerOptions extends ClusterOptions, TraceOptions {
  readonly group: string
  /** Default: CONSUME_FROM_LAST_OFFSET. */
  readonly consumeFrom?: ConsumeFrom
  /** Listeners that run at the same time. Default: 20. */
  readonly concurrency?: number
  /** Messages per call of the listener. Default: 1. */
  readonly consumeBatchMax?: number
  /** Messages per pull. Default: 32, which is also the most that brokers give. */
  readonly pullBatchMax?: number
  /** How often a message is delivered again before it becomes a dead letter. Default: 16. */
  readonly maxReconsumeTimes?: number
  /** Must be the same in all members of the group. Default: in blocks, as every client does. */
  readonly allocate?: Allocation
  readonly limits?: Partial<BacklogLimits>
  /** How long `close` waits for listeners that run. Default: 10 s. */
  readonly closeTimeoutMs?: number
}

const CONCURRENCY = 20

/**
 * Consumes the topics it subscribes to, together with the other members of its group: each queue is
 * read by one of them. Every message is consumed at least once.
 */
export class PushConsumer {
  readonly #options: PushConsumerOptions
  readonly #cluster: Cluster
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #traces: Traces | null
  #running: { delivery: Delivery; readers: QueueReaders } | null = null
  #startedAt = 0

  /** Throws ClientError when the group or the name servers are not allowed. */
  constructor(options: PushConsumerOptions) {
    checkGroup(options.group)
    const handlers = consumerHandlers({
      group: options.group,
      readers: () => this.#running?.readers ?? null,
      info: () => this.#info(),
    })
    const roles = () => ({ producers: [], consumers: [this.#role()] })
    this.#options = options
    this.#cluster = new Cluster(options, roles, handlers)
    this.#traces = openTraces(this.#cluster, options, 'CONSUME')
    this.#subscribe(`%RETRY%${options.group}`, '*')
  }

  /**
   * May also be called when the consumer has started. All members of a group must subscribe to the
   * same.
   */
  subscribe(topic: string, filter: FilterExpression = '*'): void {
    checkTopic(topic)
    this.#subscribe(topic, filter)
    this.#announce()
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.delete(topic)
    this.#announce()
  }

  /**
   * Begins to consume. A name server or broker that cannot be reached is reported, and tried again.
   */
  start(listener: MessageListener): void {
    if (this.#running !== null) throw new ClientError('the consumer has been started before')
    const delivery = new Delivery(
      this.#cluster,
      deliveryOptions(this.#options, listener, this.#traces),
    )
    const readers = new QueueReaders(
      this.#cluster,
      readersOptions(this.#options),
      this.#subscriptions,
      (reader, messages) => delivery.deliver(reader, messages),
    )
    this.#running = { delivery, readers }
    this.#startedAt = this.#cluster.clock.now()
    this.#cluster.start()
    this.#traces?.start()
    readers.start()
  }

  /** The queues this client reads now. */
  get assigned(): MessageQueue[] {
    return this.#running?.readers.queues ?? []
  }

  /**
   * Lets listeners that run end, commits what is consumed and leaves the group. No other call may
   * follow.
   */
  async close(): Promise<void> {
    const { group, closeTimeoutMs = 10_000 } = this.#options
    this.#cluster.background.stop()
    this.#running?.readers.wake()
    if (this.#running !== null) await within(closeTimeoutMs, this.#running.delivery.settled())
    await this.#running?.readers.commit()
    await this.#traces?.close()
    await this.#cluster.unregister({ consumerGroup: group })
    await this.#cluster.close()
  }

  #subscribe(topic: string, filter: FilterExpression): void {
    this.#subscriptions.set(topic, subscription(topic, filter, this.#cluster.clock.now()))
  }

  #role(): ConsumerData {
    const { group, consumeFrom = 'CONSUME_FROM_LAST_OFFSET' } = this.#options
    return {
      groupName: group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: typeof consumeFrom === 'string' ? consumeFrom : 'CONSUME_FROM_TIMESTAMP',
      subscriptionDataSet: Array.from(this.#subscriptions.values(), subscriptionData),
      unitMode: false,
    }
  }

  #info(): ConsumerRunningInfo {
    const { group, concurrency = CONCURRENCY } = this.#options
    const { clientId, nameServers } = this.#cluster
    const { consumeFromWhere: consumeFrom } = this.#role()
    const startedAt = this.#startedAt
    const facts = { group, clientId, nameServers, consumeFrom, concurrency, startedAt }
    return runningInfo(facts, this.#subscriptions.values(), this.#running?.readers.states ?? [])
  }

  #announce(): void {
    if (this.#running === null) return
    this.#cluster.background.run('heartbeat', () => this.#cluster.heartbeat())
    this.#running.readers.rebalance()
  }
}

function deliveryOptions(
  options: PushConsumerOptions,
  listener: MessageListener,
  traces: Traces | null,
): DeliveryOptions {
  const { group, concurrency = CONCURRENCY, consumeBatchMax = 1, maxReconsumeTimes = 16 } = options
  return { group, listener, concurrency, batchMax: consumeBatchMax, maxReconsumeTimes, traces }
}

function readersOptions(options: PushConsumerOptions): ReadersOptions {
  const { group, consumeFrom = 'CONSUME_FROM_LAST_OFFSET', pullBatchMax = 32 } = options
  const limits = { ...backlogDefaults, ...options.limits }
  return {
    group,
    consumeFrom,
    pullBatchMax,
    limits,
    allocate: options.allocate ?? allocateInBlocks,
  }
}

/** Resolves when `promise` does, or after `ms`. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([promise, late])
  clearTimeout(timer)
}
