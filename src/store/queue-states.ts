import { ByteTable } from '../base/byte-table.ts'
import type { QueueState } from './queue-recovery.ts'

/** The queues of a store by topic, as it stands in records, and queueId. */
export class QueueStates {
  readonly #byTopic = new ByteTable<Map<number, QueueState>>()
  readonly #all: QueueState[] = []

  all(): readonly QueueState[] {
    return this.#all
  }

  add(state: QueueState): void {
    const topic = Buffer.from(state.topic)
    let queues = this.#byTopic.get(topic, 0, topic.length)
    if (queues === undefined) {
      queues = new Map()
      this.#byTopic.set(state.topic, queues)
    }
    queues.set(state.queueId, state)
    this.#all.push(state)
  }

  find(
    bytes: Buffer,
    topicAt: number,
    topicLength: number,
    queueId: number,
  ): QueueState | undefined {
    return this.#byTopic.get(bytes, topicAt, topicLength)?.get(queueId)
  }
}
