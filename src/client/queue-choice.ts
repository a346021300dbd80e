import { javaHashCode } from '../base/java-hash.ts'
import { assert } from '../base/assert.ts'
import type { MessageQueue } from './message-queue.ts'

/** Deals messages out over the queues of each topic in turn. */
export class QueueRotation {
  readonly #turns = new Map<string, number>()

  /** Passes over the queues of `avoided`, the broker that just failed, unless there is no other. */
  next(topic: string, queues: readonly MessageQueue[], avoided?: string): MessageQueue {
    assert(queues.length > 0)
    // Producers that all began with the first queue would fill it first.
    let turn = this.#turns.get(topic) ?? Math.floor(Math.random() * queues.length)
    const end = turn + queues.length
    while (turn < end && queues[turn % queues.length]!.brokerName === avoided) turn++
    this.#turns.set(topic, (turn + 1) % queues.length)
    return queues[turn % queues.length]!
  }
}

/** Equal keys get equal queues, the same that Apache's SelectMessageQueueByHash gives them. */
export function queueOfKey(queues: readonly MessageQueue[], key: string): MessageQueue {
  assert(queues.length > 0)
  return queues[Math.abs(javaHashCode(key) % queues.length)]!
}
