import type { ConsumerData } from '../protocol/bodies/heartbeat.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { ClientError } from './client-error.ts'
import { GroupOffsets } from './group-offsets.ts'
import type { MessageQueue } from './message-queue.ts'
import { checkGroup } from './message.ts'
import { pull, type PullResult } from './pull.ts'
import { subscription, type FilterExpression } from './subscription.ts'

export interface PullConsumerOptions extends ClusterOptions {
  readonly group: string
}

export interface PullOptions {
  readonly offset: number
  /** Default: everything. */
  readonly filter?: FilterExpression
  /** How many messages at most. Default: 32, which is also the most that brokers give. */
  readonly countMax?: number
  /** How long to wait for a message when there is none. Default: 0, answer at once. */
  readonly holdMs?: number
}

/**
 * Reads queues by hand: where to begin, how far one has come and who reads which queue is the
 * caller's.
 */
export class PullConsumer {
  readonly offsets: GroupOffsets
  readonly #group: string
  readonly #cluster: Cluster
  #isStarted = false

  /** Throws ClientError when the group or the name servers are not allowed. */
  constructor(options: PullConsumerOptions) {
    checkGroup(options.group)
    const consumer: ConsumerData = {
      groupName: options.group,
      consumeType: 'CONSUME_ACTIVELY',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: [],
      unitMode: false,
    }
    this.#group = options.group
    this.#cluster = new Cluster(options, () => ({ producers: [], consumers: [consumer] }))
    this.offsets = new GroupOffsets(this.#cluster, options.group)
  }

  /** Begins to keep routes fresh and brokers informed. */
  start(): void {
    this.#isStarted = true
    this.#cluster.start()
  }

  /** The queues of a topic that can be read. Throws ClientError when there is no such topic. */
  async queues(topic: string): Promise<readonly MessageQueue[]> {
    if (!this.#isStarted) throw new ClientError('the consumer is not started, or closed already')
    const route = await this.#cluster.routes.find(topic)
    if (route === null) throw new ClientError(`topic ${topic} does not exist`)
    await this.#cluster.greet()
    return route.readQueues
  }

  async pull(queue: MessageQueue, options: PullOptions): Promise<PullResult> {
    const { offset, filter = '*', countMax = 32, holdMs = 0 } = options
    return pull(this.#cluster, {
      group: this.#group,
      queue,
      offset,
      subscription: subscription(queue.topic, filter, 0),
      carriesSubscription: true,
      countMax,
      holdMs,
    })
  }

  /** Pulls that are held fail with ConnectionError. */
  async close(): Promise<void> {
    this.#isStarted = false
    this.#cluster.background.stop()
    await this.#cluster.unregister({ consumerGroup: this.#group })
    await this.#cluster.close()
  }
}
