import type { ConsumerData } from '../protocol/bodies/heartbeat.ts'
import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { RequestModeBody } from '../protocol/bodies/request-mode.ts'
import { SetMessageRequestMode } from '../protocol/requests/group.ts'
import { ClientError } from './client-error.ts'
import { Cluster } from './cluster.ts'
import { strategyName } from './assignment.ts'
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

const NOT_IN_ORDER = 'clientRebalance: false is not for consuming in order'

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
    checkRebalance(this.#settings)
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

  /**
   * Has every broker of the topic give its messages to this group by PULL or by POP, for the members with
   * `clientRebalance: false`. `popShareQueueNum`: with how many others a member shares its queues in POP; 0: with all.
   * Throws ClientError when there is no such topic, and what brokers answer.
   */
  async setRequestMode(topic: string, mode: 'PULL' | 'POP', popShareQueueNum = 0): Promise<void> {
    const { group: consumerGroup } = this.#settings
    const body = RequestModeBody.encode({ topic, consumerGroup, mode, popShareQueueNum })
    const route = await this.#cluster.routes.find(topic)
    if (route === null) throw new ClientError(`topic ${topic} does not exist`)
    await this.#cluster.greet() // brokers know a group from its members
    for (const brokerName of route.brokers.keys()) {
      await this.#cluster.call({ topic, brokerName }, SetMessageRequestMode, {}, { body })
    }
    this.#running?.rebalance()
  }

  /** Under which brokers list it: `ip@instance`. */
  get clientId(): string {
    return this.#cluster.clientId
  }

  /** The queues this client reads now. */
  get assigned(): MessageQueue[] {
    return this.#running?.queues ?? []
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
    if (listening.isOrderly && !this.#settings.clientRebalance) throw new ClientError(NOT_IN_ORDER)
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
    const states = this.#running?.states ?? { pulled: [], popped: [] }
    return runningInfo(facts, this.#subscriptions.values(), states)
  }

  #announce(): void {
    if (this.#running === null) return
    this.#cluster.background.run('heartbeat', () => this.#cluster.heartbeat())
    this.#running.rebalance()
  }
}

function checkRebalance({ clientRebalance, messageModel, allocate, popInvisibleMs }: PushSettings) {
  if (clientRebalance) return
  strategyName(allocate)
  if (messageModel === 'BROADCASTING') {
    throw new ClientError('clientRebalance: false is not for BROADCASTING: nothing is shared out')
  }
  if (popInvisibleMs >= 5000 && popInvisibleMs <= 300_000) return
  throw new ClientError(`popInvisibleMs ${popInvisibleMs}: it must be 5000 to 300000`)
}
