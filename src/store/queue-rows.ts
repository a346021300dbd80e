import type { Rows } from '../ring/rows.ts'

/** More queues than `maxQueues` have room for. */
export class TooManyQueuesError extends Error {
  override name = 'TooManyQueuesError'
}

/** Gives queues their rows in shared memory. Main's own: the others are told. */
export class QueueRows {
  readonly #rows: Rows
  readonly #byTopic = new Map<string, number[]>()
  #used = 0

  constructor(rows: Rows) {
    this.#rows = rows
  }

  /** Rows by queueId; undefined when the topic has none. */
  of(topic: string): readonly number[] | undefined {
    return this.#byTopic.get(topic)
  }

  row(topic: string, queueId: number): number | undefined {
    return this.#byTopic.get(topic)?.[queueId]
  }

  topics(): IterableIterator<string> {
    return this.#byTopic.keys()
  }

  /** Rows for queues 0 … count - 1, or none at all; new ones start empty. @throws TooManyQueuesError */
  ensure(topic: string, count: number): void {
    const rows = this.#byTopic.get(topic) ?? []
    if (this.#used + count - rows.length > this.#rows.capacity) throw this.#tooMany(topic)
    while (rows.length < count) rows.push(this.#used++)
    this.#byTopic.set(topic, rows)
  }

  /** A queue that recovery found. */
  restore(topic: string, queueId: number, queue: { next: number; min: number }): void {
    this.ensure(topic, queueId + 1)
    const row = this.row(topic, queueId)!
    this.#rows.publishNext(row, queue.next)
    this.#rows.publishMax(row, queue.next)
    this.#rows.publishMin(row, queue.min)
  }

  /** The rows are not used again: a late reader of them sees a queue that stands still. */
  remove(topic: string): void {
    this.#byTopic.delete(topic)
  }

  #tooMany(topic: string): TooManyQueuesError {
    return new TooManyQueuesError(
      `no queue can be added to topic ${topic}: the broker has room for maxQueues=${this.#rows.capacity}, deleted ones included until a restart`,
    )
  }
}
