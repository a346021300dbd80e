import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import type { Subscription } from './subscription.ts'
import type { TopicRoute } from './topic-route.ts'

/** The queues of a topic that this client consumes, as far as is known; null: it keeps what it has, and asks again soon. */
export type Share = (route: TopicRoute) => Promise<TopicShare | null>

export interface TopicShare {
  /** Read one by one, each by one member of the group. */
  readonly pulled: readonly MessageQueue[]
  /** Popped from; queue -1 stands for all of a broker. */
  readonly popped: readonly MessageQueue[]
}

/** Who reads what a client is given. */
export interface Assignee {
  /** Resolves to whether it has all of them now: otherwise it is told again soon. */
  assign(topic: string, queues: readonly MessageQueue[]): Promise<boolean>
  /** Topics that were left. */
  retain(isSubscribed: (topic: string) => boolean): Promise<void>
}

export interface RebalanceParts {
  readonly cluster: Cluster
  readonly group: string
  /** By topic. They may change: rebalance then. */
  readonly subscriptions: ReadonlyMap<string, Subscription>
  readonly share: Share
  readonly pulling: Assignee
  /** Null when the share never names a queue to pop from. */
  readonly popping: Assignee | null
}

/** Until the next look at who reads what, unless the broker says that members came or went. */
const REBALANCE_MS = 20_000
/** After a round in which a broker or name server failed, or a broker did not list us yet. */
const REBALANCE_AGAIN_MS = 1000
/** While a subscribed topic does not exist. */
const MISSING_TOPIC_MS = 5000

/** Finds out, again and again, which queues this client is to read, and has them read. */
export class Rebalance {
  readonly #parts: RebalanceParts
  #soon = () => {}

  constructor(parts: RebalanceParts) {
    this.#parts = parts
  }

  start(): void {
    const { background } = this.#parts.cluster
    this.#soon = background.repeat('rebalance', 0, () => this.#round())
  }

  /** Who reads what may have changed. */
  soon(): void {
    this.#soon()
  }

  /** Resolves to the milliseconds until the next round. */
  async #round(): Promise<number> {
    const { cluster, subscriptions, pulling, popping } = this.#parts
    const topics = [...subscriptions.keys()]
    for (const topic of topics) await this.#attempt(topic, () => cluster.routes.find(topic))
    await cluster.greet() // a broker lists only whom it had a heartbeat from
    const isSubscribed = (topic: string) => subscriptions.has(topic)
    await pulling.retain(isSubscribed)
    await popping?.retain(isSubscribed)
    let waitMs = REBALANCE_MS
    for (const topic of topics) {
      const topicMs = await this.#attempt(topic, () => this.#topic(topic))
      waitMs = Math.min(waitMs, topicMs ?? REBALANCE_AGAIN_MS)
    }
    return waitMs
  }

  async #topic(topic: string): Promise<number> {
    const { cluster, share, pulling, popping } = this.#parts
    const route = await cluster.routes.find(topic)
    if (route === null) return MISSING_TOPIC_MS
    const own = await share(route)
    if (own === null) {
      await cluster.heartbeat()
      return REBALANCE_AGAIN_MS
    }
    await popping?.assign(topic, own.popped)
    return (await pulling.assign(topic, own.pulled)) ? REBALANCE_MS : REBALANCE_AGAIN_MS
  }

  /** Null after a failure, which is reported: other topics go on. */
  async #attempt<T>(topic: string, job: () => Promise<T>): Promise<T | null> {
    try {
      return await job()
    } catch (error) {
      const { cluster, group } = this.#parts
      cluster.background.report(`topic ${topic} of group ${group}`, error)
      return null
    }
  }
}
