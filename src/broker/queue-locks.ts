import type { Clock } from '../base/clock.ts'

/** A lock nobody has renewed for this long is free (Apache 5.3.3, RebalanceLockManager). */
export const LOCK_LIFE_MS = 60_000

interface Lock {
  clientId: string
  renewedAt: number
}

/** Topic → queue id → lock. */
type GroupLocks = Map<string, Map<number, Lock>>

/** One queue of this broker. */
export interface Queue {
  topic: string
  queueId: number
}

/**
 * Which client of a group consumes which queue in order. Only in memory: after a restart the clients
 * ask again within 20 seconds, and until then they hold what they hold.
 */
export class QueueLocks {
  readonly #clock: Clock
  readonly #groups = new Map<string, GroupLocks>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes or renews each lock that is free, too old, or the client's own. Returns those it has now. */
  lock<Q extends Queue>(group: string, clientId: string, queues: readonly Q[]): Q[] {
    this.#dropExpired(group)
    const locks = this.#groups.get(group) ?? new Map<string, Map<number, Lock>>()
    const taken = queues.filter((queue) => this.#take(locks, clientId, queue))
    if (locks.size > 0) this.#groups.set(group, locks)
    return taken
  }

  /** Gives back those of the locks that the client has. */
  unlock(group: string, clientId: string, queues: readonly Queue[]): void {
    const locks = this.#groups.get(group)
    if (locks === undefined) return
    for (const { topic, queueId } of queues) {
      const lock = locks.get(topic)?.get(queueId)
      if (lock?.clientId === clientId) remove(locks, topic, queueId)
    }
    if (locks.size === 0) this.#groups.delete(group)
  }

  /** Whether anybody consumes in order in this group now: then its retries are not tried again later. */
  hasLocks(group: string): boolean {
    this.#dropExpired(group)
    return this.#groups.has(group)
  }

  removeGroup(group: string): void {
    this.#groups.delete(group)
  }

  removeTopic(topic: string): void {
    for (const [group, locks] of this.#groups) {
      locks.delete(topic)
      if (locks.size === 0) this.#groups.delete(group)
    }
  }

  #take(locks: GroupLocks, clientId: string, { topic, queueId }: Queue): boolean {
    const lock = locks.get(topic)?.get(queueId)
    if (lock !== undefined && lock.clientId !== clientId) return false
    if (!locks.has(topic)) locks.set(topic, new Map())
    locks.get(topic)!.set(queueId, { clientId, renewedAt: this.#clock.now() })
    return true
  }

  #dropExpired(group: string): void {
    const locks = this.#groups.get(group)
    if (locks === undefined) return
    const oldest = this.#clock.now() - LOCK_LIFE_MS
    for (const [topic, queues] of locks) {
      for (const [queueId, lock] of queues) {
        if (lock.renewedAt < oldest) remove(locks, topic, queueId)
      }
    }
    if (locks.size === 0) this.#groups.delete(group)
  }
}

function remove(locks: GroupLocks, topic: string, queueId: number): void {
  const queues = locks.get(topic)!
  queues.delete(queueId)
  if (queues.size === 0) locks.delete(topic)
}
