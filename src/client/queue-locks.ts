import { LockBatchBody, LockBatchReply } from '../protocol/bodies/message-queue.ts'
import { LockBatchMq, UnlockBatchMq } from '../protocol/requests/client.ts'
import type { Cluster } from './cluster.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'

/** How long a lock is trusted after it was asked for; brokers keep it twice as long (Apache 5.3.3, ProcessQueue). */
const TRUSTED_MS = 30_000

/**
 * The queues that this client alone of its group consumes, as far as it knows. Brokers forget a lock that nobody
 * renews for a minute, or when they restart.
 */
export class QueueLocks {
  readonly #cluster: Cluster
  readonly #group: string
  /** By queueKey: when the lock was last asked for. */
  readonly #held = new Map<string, { queue: MessageQueue; askedAt: number }>()

  constructor(cluster: Cluster, group: string) {
    this.#cluster = cluster
    this.#group = group
  }

  get queues(): MessageQueue[] {
    return Array.from(this.#held.values(), ({ queue }) => queue)
  }

  isHeld(queue: MessageQueue): boolean {
    return this.#cluster.clock.now() - this.askedAt(queue) < TRUSTED_MS
  }

  /** In ms since 1970; 0: never, or given back. */
  askedAt(queue: MessageQueue): number {
    return this.#held.get(queueKey(queue))?.askedAt ?? 0
  }

  /**
   * Asks one broker for queues of its own, or to go on with them. Resolves to those that it gave, which are not held
   * before `hold` is called with the time of the question: who else had them meanwhile is to be found out first.
   */
  async ask(queues: readonly MessageQueue[]): Promise<{ given: MessageQueue[]; askedAt: number }> {
    const askedAt = this.#cluster.clock.now()
    const { body } = await this.#cluster.call(queues[0]!, LockBatchMq, {}, this.#body(queues))
    const keys = new Set(LockBatchReply.decode(body).lockOKMQSet.map(queueKey))
    return { given: queues.filter((queue) => keys.has(queueKey(queue))), askedAt }
  }

  hold(queue: MessageQueue, askedAt: number): void {
    this.#held.set(queueKey(queue), { queue, askedAt })
  }

  /** It is another's now, or may be. */
  forget(queue: MessageQueue): void {
    this.#held.delete(queueKey(queue))
  }

  /** Resolves when the broker lets others have them. Queues of one broker. */
  async giveBack(queues: readonly MessageQueue[]): Promise<void> {
    for (const queue of queues) this.forget(queue)
    await this.#cluster.call(queues[0]!, UnlockBatchMq, {}, this.#body(queues))
  }

  #body(queues: readonly MessageQueue[]) {
    const { clientId } = this.#cluster
    const mqSet = queues.map(({ topic, brokerName, queueId }) => ({ topic, brokerName, queueId }))
    const request = { clientId, consumerGroup: this.#group, mqSet, onlyThisBroker: false }
    return { body: LockBatchBody.encode(request) }
  }
}

/** What can be asked of one broker at once. */
export function byBroker(queues: readonly MessageQueue[]): MessageQueue[][] {
  return [...Map.groupBy(queues, ({ brokerName }) => brokerName).values()]
}
