import type { ConsumerData } from '../protocol/bodies/heartbeat.ts'
import { InitMode } from '../protocol/requests/pop.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { ClientError } from './client-error.ts'
import { ListenerPool } from './listener-pool.ts'
import { checkGroup, checkTopic } from './message.ts'
import { againMs, PopAnswers } from './pop-answers.ts'
import { isWantedMessage, pop, type Popped, type PoppedMessage } from './pop.ts'
import type { ReceivedMessage } from './received-message.ts'
import {
  type FilterExpression,
  type Subscription,
  subscription,
  subscriptionData,
} from './subscription.ts'

export interface PopConsumerOptions extends ClusterOptions {
  readonly group: string
  /** How long a message is this client's alone. Default: 60 s. */
  readonly invisibleMs?: number
  /** Messages at a time. Default: 32, which is also the most that brokers give. */
  readonly countMax?: number
  /** How long a broker may wait for a message. Default: 15 s. */
  readonly holdMs?: number
  /** Where a new group begins in a queue. Default: with its first message. */
  readonly beginsWith?: 'FIRST' | 'NEWEST'
  /** Listeners that run at the same time. Default: 20. */
  readonly concurrency?: number
}

/** An error thrown is RECONSUME_LATER: the message comes again, later and later. Must bear that one comes twice. */
export type PopListener = (
  message: ReceivedMessage,
) =>
  | 'CONSUME_SUCCESS'
  | 'RECONSUME_LATER'
  | void
  | Promise<'CONSUME_SUCCESS' | 'RECONSUME_LATER' | void>

const PAUSE_MS = 1000

/**
 * Consumes by POP: the broker hands messages out to whoever of the group asks, so that no member owns a queue.
 * Each message is acknowledged by itself; what is not, comes again to any of them.
 */
export class PopConsumer {
  readonly #options: PopConsumerOptions
  readonly #cluster: Cluster
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #pool: ListenerPool
  readonly #answers: PopAnswers
  /** Brokers of topics that are popped in the background. */
  readonly #loops = new Set<string>()

  /** Throws ClientError when the group or the name servers are not allowed. */
  constructor(options: PopConsumerOptions) {
    checkGroup(options.group)
    this.#options = options
    this.#pool = new ListenerPool(options.concurrency ?? 20)
    this.#cluster = new Cluster(options, () => ({ producers: [], consumers: [this.#role()] }))
    this.#answers = new PopAnswers(this.#cluster, options.group)
  }

  subscribe(topic: string, filter: FilterExpression = '*'): void {
    checkTopic(topic)
    this.#subscriptions.set(topic, subscription(topic, filter, this.#cluster.clock.now()))
  }

  /** Begins to keep routes fresh and brokers informed; with a listener, to consume what is subscribed to. */
  start(listener?: PopListener): void {
    const { background } = this.#cluster
    this.#cluster.start()
    if (listener === undefined) return
    background.repeat('looking for brokers', 0, async () => {
      for (const topic of this.#subscriptions.keys()) await this.#join(topic, listener)
      return 20_000
    })
  }

  /**
   * Takes messages of one topic, from the first of its brokers that has any. They are this client's alone for
   * `invisibleMs`: acknowledge them. Throws ClientError when there is no such topic.
   */
  async receive(topic: string): Promise<PoppedMessage[]> {
    const wanted = this.#subscriptions.get(topic)
    if (wanted === undefined) throw new ClientError(`topic ${topic} is not subscribed to`)
    for (const [nth, brokerName] of (await this.#brokersOf(topic)).entries()) {
      const { messages } = await this.#pop(wanted, brokerName, nth === 0 ? undefined : 0)
      if (messages.length > 0) return messages
    }
    return []
  }

  /** It is consumed. Rejects with ResponseError when it came too late: the message comes again. */
  async ack(popped: PoppedMessage): Promise<void> {
    await this.#answers.ack(popped)
  }

  /** It comes again after so long from now on; resolves to what is to be acknowledged instead. */
  changeInvisibleTime(popped: PoppedMessage, invisibleMs: number): Promise<PoppedMessage> {
    return this.#answers.changeInvisibleTime(popped, invisibleMs)
  }

  /** Lets listeners that run end, and leaves the group. What is not acknowledged comes to others. */
  async close(): Promise<void> {
    this.#cluster.background.stop()
    this.#pool.clear()
    await this.#pool.settled()
    await this.#cluster.unregister({ consumerGroup: this.#options.group })
    await this.#cluster.close()
  }

  async #brokersOf(topic: string): Promise<string[]> {
    const route = await this.#cluster.routes.find(topic)
    if (route === null) throw new ClientError(`topic ${topic} does not exist`)
    await this.#cluster.greet()
    return [...new Set(route.readQueues.map(({ brokerName }) => brokerName))]
  }

  async #join(topic: string, listener: PopListener): Promise<void> {
    for (const brokerName of await this.#brokersOf(topic)) {
      const key = `${topic}@${brokerName}`
      if (this.#loops.has(key)) continue
      this.#loops.add(key)
      this.#cluster.background.run(`popping ${key}`, () => this.#loop(topic, brokerName, listener))
    }
  }

  async #loop(topic: string, brokerName: string, listener: PopListener): Promise<void> {
    const { background } = this.#cluster
    while (!background.isStopped) {
      const wanted = this.#subscriptions.get(topic)
      if (wanted === undefined) break
      try {
        const { messages, isFull } = await this.#pop(wanted, brokerName)
        await Promise.all(messages.map((each) => this.#deliver(each, listener)))
        if (isFull) await background.sleep(PAUSE_MS)
      } catch (error) {
        background.report(`topic ${topic} cannot be popped from ${brokerName}`, error)
        await background.sleep(PAUSE_MS)
      }
    }
    this.#loops.delete(`${topic}@${brokerName}`)
  }

  /** Resolves when the message is acknowledged, or put off; or when it never begins. */
  #deliver(popped: PoppedMessage, listener: PopListener): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#pool.submit(() => this.#consume(popped, listener).finally(resolve))
    return promise
  }

  async #consume(popped: PoppedMessage, listener: PopListener): Promise<void> {
    const { background } = this.#cluster
    const { msgId } = popped.message
    try {
      if (await this.#isConsumed(popped.message, listener)) return await this.ack(popped)
      await this.changeInvisibleTime(popped, againMs(popped.message))
    } catch (error) {
      background.report(`message ${msgId} comes again`, error)
    }
  }

  async #isConsumed(message: ReceivedMessage, listener: PopListener): Promise<boolean> {
    try {
      return (await listener(message)) !== 'RECONSUME_LATER'
    } catch (error) {
      const of = `topic ${message.topic}, message ${message.msgId}`
      this.#cluster.background.report(`the listener failed on ${of}`, error)
      return false
    }
  }

  async #pop(wanted: Subscription, brokerName: string, holdMs?: number): Promise<Popped> {
    const { group, countMax = 32, invisibleMs = 60_000, beginsWith } = this.#options
    const initMode = beginsWith === 'NEWEST' ? InitMode.MAX : InitMode.MIN
    const wait = holdMs ?? this.#options.holdMs ?? 15_000
    const options = { group, subscription: wanted, countMax, invisibleMs, holdMs: wait, initMode }
    const at = { topic: wanted.topic, brokerName }
    const { messages, isFull } = await pop(this.#cluster, at, options)
    const isIn = (each: PoppedMessage) => isWantedMessage(wanted, each)
    for (const each of messages) if (!isIn(each)) this.#answers.passOver(each)
    return { messages: messages.filter(isIn), isFull }
  }

  #role(): ConsumerData {
    return {
      groupName: this.#options.group,
      consumeType: 'CONSUME_POP',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      subscriptionDataSet: Array.from(this.#subscriptions.values(), subscriptionData),
      unitMode: false,
    }
  }
}
