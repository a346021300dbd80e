import assert from 'node:assert/strict'
import fc from 'fast-check'
import { LOCK_LIFE_MS, type Queue, QueueLocks } from '../../src/broker/queue-locks.ts'

interface Step {
  kind: 'lock' | 'unlock' | 'wait' | 'restart' | 'hasLocks' | 'removeTopic' | 'removeGroup'
  group: string
  clientId: string
  queues: Queue[]
  /** Milliseconds; around the life of a lock more often than elsewhere. */
  waitMs: number
}

interface Lock {
  key: string
  group: string
  topic: string
  clientId: string
  renewedAt: number
}

const TOPICS = ['T', 'U']

const queue = fc.record<Queue>({ topic: fc.constantFrom(...TOPICS), queueId: fc.nat(2) })

const step = fc.record<Step>({
  kind: fc.constantFrom(
    ...(['lock', 'lock', 'lock', 'lock', 'unlock', 'unlock', 'wait', 'wait', 'hasLocks'] as const),
    ...(['restart', 'removeTopic', 'removeGroup'] as const),
  ),
  group: fc.constantFrom('g', 'h'),
  clientId: fc.constantFrom('a', 'b', 'c'),
  queues: fc.array(queue, { maxLength: 6 }),
  waitMs: fc.oneof(
    fc.constantFrom(1, LOCK_LIFE_MS - 1, LOCK_LIFE_MS, LOCK_LIFE_MS + 1),
    fc.nat(2 * LOCK_LIFE_MS),
  ),
})

/**
 * Several clients lock and unlock queues of two groups, time passes, the broker restarts: a queue has one owner at
 * a time, who keeps it while it renews it, and it is free a minute after that.
 */
export const lockProperty = fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
  const model = new LockModel()
  for (const each of steps) model.step(each)
})

/** Who has a queue and since when, as one flat list: the plainest way to say it. */
class LockModel {
  #now = 0
  readonly #clock = { now: () => this.#now }
  #locks = new QueueLocks(this.#clock)
  #held: Lock[] = []

  step({ kind, group, clientId, queues, waitMs }: Step): void {
    if (kind === 'lock') this.#lock(group, clientId, queues)
    else if (kind === 'unlock') this.#unlock(group, clientId, queues)
    else if (kind === 'wait') this.#now += waitMs
    else if (kind === 'restart') this.#restart()
    else if (kind === 'removeTopic') this.#removeTopic(queues[0]?.topic ?? 'T')
    else if (kind === 'removeGroup') this.#removeGroup(group)
    for (const name of ['g', 'h']) this.#expectHasLocks(name)
  }

  #lock(group: string, clientId: string, queues: Queue[]): void {
    const wanted = queues.filter((each) => {
      const key = keyOf(group, each)
      const owner = this.#alive().find((lock) => lock.key === key)
      if (owner !== undefined && owner.clientId !== clientId) return false
      this.#held = this.#held.filter((lock) => lock.key !== key)
      this.#held.push({ key, group, topic: each.topic, clientId, renewedAt: this.#now })
      return true
    })
    assert.deepEqual(this.#locks.lock(group, clientId, queues), wanted, 'the queues it has now')
  }

  #unlock(group: string, clientId: string, queues: Queue[]): void {
    const keys = queues.map((each) => keyOf(group, each))
    this.#locks.unlock(group, clientId, queues)
    this.#held = this.#held.filter((lock) => lock.clientId !== clientId || !keys.includes(lock.key))
  }

  /** Locks are not stored: clients ask again. */
  #restart(): void {
    this.#locks = new QueueLocks(this.#clock)
    this.#held = []
  }

  #removeTopic(topic: string): void {
    this.#locks.removeTopic(topic)
    this.#held = this.#held.filter((lock) => lock.topic !== topic)
  }

  #removeGroup(group: string): void {
    this.#locks.removeGroup(group)
    this.#held = this.#held.filter((lock) => lock.group !== group)
  }

  #expectHasLocks(group: string): void {
    const expected = this.#alive().some((lock) => lock.group === group)
    assert.equal(this.#locks.hasLocks(group), expected, `whether ${group} consumes in order`)
  }

  #alive(): Lock[] {
    return this.#held.filter(({ renewedAt }) => this.#now - renewedAt <= LOCK_LIFE_MS)
  }
}

function keyOf(group: string, { topic, queueId }: Queue): string {
  return `${group}/${topic}/${queueId}`
}
