import type { Clock } from '../base/clock.ts'
import type { BrokerConfig } from '../config/broker.ts'
import type { RemotingClient } from '../net/remoting-client.ts'
import type { MessageQueue } from '../protocol/bodies/message-queue.ts'
import { TopicRouteData } from '../protocol/bodies/topic-route.ts'
import { GetRouteInfoByTopic } from '../protocol/requests/route.ts'
import { Permission } from './system-topics.ts'

/** What name servers said is believed for this long (Apache 5.3.3, loadBalancePollNameServerInterval). */
const KEPT_MS = 30_000
const TIMEOUT_MS = 3000
/** Topics that are remembered. */
const TOPICS_MAX = 10_000

interface Known {
  queues: MessageQueue[] | null
  atMs: number
}

/** The queues of topics on all brokers of the cluster, as name servers know them. */
export class ClusterQueues {
  readonly #client: RemotingClient
  readonly #config: Pick<BrokerConfig, 'namesrvAddr'>
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()

  constructor(client: RemotingClient, config: Pick<BrokerConfig, 'namesrvAddr'>, clock: Clock) {
    this.#client = client
    this.#config = config
    this.#clock = clock
  }

  /** Those that can be read; null when no name server knows the topic, or can be asked. */
  async of(topic: string): Promise<MessageQueue[] | null> {
    const known = this.#known.get(topic)
    if (known !== undefined && this.#clock.now() - known.atMs < KEPT_MS) return known.queues
    const queues = await this.#ask(topic)
    if (queues === null) return known?.queues ?? null
    if (this.#known.size >= TOPICS_MAX) this.#known.clear()
    this.#known.set(topic, { queues, atMs: this.#clock.now() })
    return queues
  }

  /** The first name server that answers is believed. */
  async #ask(topic: string): Promise<MessageQueue[] | null> {
    for (const address of this.#config.namesrvAddr.split(';').filter(Boolean)) {
      const answer = await this.#client
        .call(address, GetRouteInfoByTopic, { topic }, { timeoutMs: TIMEOUT_MS })
        .catch(() => null) // the next one may know
      if (answer !== null) return readable(topic, TopicRouteData.decode(answer.body))
    }
    return null
  }
}

function readable(topic: string, { queueDatas }: TopicRouteData): MessageQueue[] {
  return queueDatas
    .filter(({ perm }) => (perm & Permission.READ) !== 0)
    .flatMap(({ brokerName, readQueueNums }) =>
      Array.from({ length: readQueueNums }, (_, queueId) => ({ brokerName, queueId, topic })),
    )
}
