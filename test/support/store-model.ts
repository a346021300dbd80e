/** What one message of the model is: its queue, its bytes, and where it ends in the log. */
export interface ModelMessage {
  queue: string
  bytes: Buffer
  end: number
}

/** A store as anybody would describe it: arrays of messages, by queue, in the order of the log. */
export class StoreModel {
  readonly #queues = new Map<string, ModelMessage[]>()

  topics(): string[] {
    return [...new Set([...this.#queues.keys()].map((queue) => queue.split('/')[0]!))]
  }

  queues(): string[] {
    return [...this.#queues.keys()]
  }

  create(topic: string, count: number): void {
    for (let queueId = 0; queueId < count; queueId++) this.#queues.set(`${topic}/${queueId}`, [])
  }

  delete(topic: string): void {
    for (const queue of this.queues()) if (queue.startsWith(`${topic}/`)) this.#queues.delete(queue)
  }

  append(message: ModelMessage): void {
    this.#queues.get(message.queue)!.push(message)
  }

  /** The messages of a queue that end by a position of the log. */
  until(queue: string, position: number): Buffer[] {
    return this.#of(queue)
      .filter(({ end }) => end <= position)
      .map(({ bytes }) => bytes)
  }

  /** Whatever lies behind the position was lost. */
  cut(position: number): void {
    for (const queue of this.queues()) {
      this.#queues.set(
        queue,
        this.#of(queue).filter(({ end }) => end <= position),
      )
    }
  }

  /** What was never promised came through, perhaps not whole: from now on it is what it is. */
  adopt(queue: string, found: readonly Buffer[], end: number): void {
    const kept = this.#of(queue).slice(0, found.length)
    const added = found.slice(kept.length)
    for (const bytes of added) kept.push({ queue, bytes, end })
    for (const [nth, message] of kept.entries()) message.bytes = found[nth]!
    this.#queues.set(queue, kept)
  }

  #of(queue: string): ModelMessage[] {
    return this.#queues.get(queue) ?? []
  }
}
