import type { ConsumerData } from '../protocol/bodies/heartbeat.ts'
import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { ClientError } from './client-error.ts'
import { Cluster } from './cluster.ts'
import { consumerHandlers } from './consumer-questions.ts'
import type { MessageListener } from './delivery.ts'
import type { MessageQueue } from './message-queue.ts'
import { checkGroup, checkTopic } from './message.ts'
import type { OrderlyListener } from './orderly-delivery.ts'
import { PushConsuming, type Listening } from './push-consuming.ts'
import { settingsOf, type PushConsumerOptions, type PushSettings } from './push-options.ts'
import { runningInfo } from './running-info.ts'
import {
  subscription,
  subscriptionData,
  type FilterExpression,
  type Subscription,
} from './subscription.ts'
import { openTraces, type Traces } from './traces.ts'

/**
 * Consumes the topics it subscribes to, together with the other members of its group: each queue is
 * read by one of them, or all by each of them (`messageModel`). Every message is consumed at least once.
 */
export class PushConsumer {
  readonly #settings: PushSettings
  readonly #cluster: Cluster
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #traces: Traces | null
  #running: PushConsuming | null = null
  #isOrderly = false
  #startedAt = 0

  /** Throws ClientError when the group or the name servers are not allowed. */
  constructor(options: PushConsumerOptions) {
    checkGroup(options.group)
    const handlers = consumerHandlers({
      group: options.group,
      consuming: () => this.#running,
      info: () => this.#info(),
    })
    const roles = () => ({ producers: [], consumers: [this.#role()] })
    this.#settings = settingsOf(options)
    this.#cluster = new Cluster(this.#settings, roles, handlers)
    this.#traces = openTraces(this.#cluster, options, 'CONSUME')
    if (this.#settings.messageModel === 'CLUSTERING')
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
   * Begins to consume, many messages at the same time. A name server or broker that cannot be reached is reported, and
   * tried again.
   */
  start(listener: MessageListener): void {
    this.#start({ isOrderly: false, listener })
  }

  /**
   * Begins to consume in order: those of one queue one behind the other, by one member of the group at a time, which
   * locks the queue at its broker. A message that fails is tried again before the next one is.
   */
  startOrderly(listener: OrderlyListener): void {
    this.#start({ isOrderly: true, listener })
  }

  /** Under which brokers list it: `ip@instance`. */
  get clientId(): string {
    return this.#cluster.clientId
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
    this.#cluster.background.stop()
    await this.#running?.close()
    await this.#traces?.close()
    await this.#cluster.unregister({ consumerGroup: this.#settings.group })
    await this.#cluster.close()
  }

  #start(listening: Listening): void {
    if (this.#running !== null) throw new ClientError('the consumer has been started before')
    const [cluster, settings, traces] = [this.#cluster, this.#settings, this.#traces]
    const subscriptions = this.#subscriptions
    this.#running = new PushConsuming({ cluster, settings, listening, subscriptions, traces })
    this.#isOrderly = listening.isOrderly
    this.#startedAt = cluster.clock.now()
    cluster.start()
    traces?.start()
    this.#running.start()
  }

  #subscribe(topic: string, filter: FilterExpression): void {
    this.#subscriptions.set(topic, subscription(topic, filter, this.#cluster.clock.now()))
  }

  #role(): ConsumerData {
    const { group, consumeFrom, messageModel } = this.#settings
    return {
      groupName: group,
      consumeType: 'CONSUME_PASSIVELY',
      messageModel,
      consumeFromWhere: typeof consumeFrom === 'string' ? consumeFrom : 'CONSUME_FROM_TIMESTAMP',
      subscriptionDataSet: Array.from(this.#subscriptions.values(), subscriptionData),
      unitMode: false,
    }
  }

  #info(): ConsumerRunningInfo {
    const { group, concurrency, messageModel } = this.#settings
    const { clientId, nameServers } = this.#cluster
    const { consumeFromWhere: consumeFrom } = this.#role()
    const [isOrderly, startedAt] = [this.#isOrderly, this.#startedAt]
    const who = { group, clientId, nameServers, startedAt }
    const facts = { ...who, consumeFrom, concurrency, messageModel, isOrderly }
    return runningInfo(facts, this.#subscriptions.values(), this.#running?.readers.states ?? [])
  }

  #announce(): void {
    if (this.#running === null) return
    this.#cluster.background.run('heartbeat', () => this.#cluster.heartbeat())
    this.#running.rebalance()
  }
}
