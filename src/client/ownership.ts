import type { Cluster } from './cluster.ts'
import { queueKey, type MessageQueue } from './message-queue.ts'
import { byBroker, type QueueLocks } from './queue-locks.ts'
import type { OffsetStore } from './offset-store.ts'
import type { QueueReader } from './queue-reader.ts'

/** By what right a queue is read. */
export interface Ownership {
  /** Whether nobody else may begin before it is given back. */
  readonly isExclusive: boolean
  /** Resolves to those of the queues that may be read from now on; the others perhaps later. */
  take(queues: readonly MessageQueue[]): Promise<readonly MessageQueue[]>
  /** Not (any more, or for now): nothing of it may be consumed or committed. */
  isOwn(queue: MessageQueue): boolean
  /** When it was last made sure of; 0 when that is not needed. */
  askedAt(queue: MessageQueue): number
  /** Whoever reads these next may begin. */
  giveBack(queues: readonly MessageQueue[]): Promise<void>
}

/** Consumers in no order: the share is enough, and two may read the same queue for a moment. */
export const sharedOwnership: Ownership = {
  isExclusive: false,
  take: (queues) => Promise.resolve(queues),
  isOwn: () => true,
  askedAt: () => 0,
  giveBack: () => Promise.resolve(),
}

/** Consumers in order: each queue is locked at its broker. */
export class LockedOwnership implements Ownership {
  readonly isExclusive = true
  readonly #cluster: Cluster
  readonly #locks: QueueLocks
  readonly #offsets: OffsetStore

  constructor(cluster: Cluster, locks: QueueLocks, offsets: OffsetStore) {
    this.#cluster = cluster
    this.#locks = locks
    this.#offsets = offsets
  }

  /** All that are locked, as far as is known. */
  get queues(): MessageQueue[] {
    return this.#locks.queues
  }

  isOwn(queue: MessageQueue): boolean {
    return this.#locks.isHeld(queue)
  }

  askedAt(queue: MessageQueue): number {
    return this.#locks.askedAt(queue)
  }

  async take(queues: readonly MessageQueue[]): Promise<MessageQueue[]> {
    const taken: MessageQueue[] = []
    for (const ofBroker of byBroker(queues)) {
      const answer = await this.#ask(ofBroker)
      if (answer === null) continue
      for (const queue of answer.given) this.#locks.hold(queue, answer.askedAt)
      taken.push(...answer.given)
    }
    return taken
  }

  async giveBack(queues: readonly MessageQueue[]): Promise<void> {
    for (const ofBroker of byBroker(queues)) await this.#locks.giveBack(ofBroker)
  }

  /**
   * Makes sure of the queues that are read. Resolves to those readers whose queue is another's now, or was meanwhile;
   * and whether all brokers answered. A lock that lapsed is held again when nobody committed anything beyond what this
   * client consumed.
   */
  async renew(readers: readonly QueueReader[]): Promise<{ lost: QueueReader[]; isSure: boolean }> {
    const lost: QueueReader[] = []
    let isSure = true
    const byKey = new Map(readers.map((reader) => [queueKey(reader.queue), reader]))
    for (const ofBroker of byBroker(readers.map(({ queue }) => queue))) {
      const answer = await this.#ask(ofBroker)
      if (answer === null) isSure = false
      else {
        for (const queue of ofBroker) {
          const reader = byKey.get(queueKey(queue))!
          const isKept = answer.given.includes(queue) && (await this.#isUnmoved(reader))
          if (isKept) this.#locks.hold(queue, answer.askedAt)
          else {
            this.#locks.forget(queue)
            lost.push(reader)
          }
        }
      }
    }
    return { lost, isSure }
  }

  /** Null when the broker does not answer, which is reported. */
  async #ask(ofBroker: readonly MessageQueue[]) {
    try {
      return await this.#locks.ask(ofBroker)
    } catch (error) {
      this.#cluster.background.report('queues cannot be locked', error)
      return null
    }
  }

  async #isUnmoved({ queue, backlog }: QueueReader): Promise<boolean> {
    if (this.#locks.isHeld(queue)) return true
    const committed = await this.#offsets.committed(queue)
    return committed === null || committed <= backlog.committable
  }
}
