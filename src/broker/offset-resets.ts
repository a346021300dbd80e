import type { Metadata } from './metadata.ts'

/** One queue of a group, as main and workers name it. */
export function resetKey(topic: string, queueId: number): string {
  return `${topic}@${queueId}`
}

/**
 * Queues in which a group was moved while its consumers were online. They go on from where they are
 * until they hear of it: until then their commits do not count, and the next pull is answered with
 * the new offset. As Apache 5.3.3 does with useServerSideResetOffset. In memory only: a restart
 * forgets what a consumer has not heard yet, which takes one that pulls some milliseconds.
 */
export class OffsetResets {
  readonly #metadata: Metadata
  /** Group to queue to offset. */
  readonly #groups = new Map<string, Map<string, number>>()
  /** A group was moved in a topic: what it waits for may be there. */
  onMoved: (group: string, topic: string) => void = () => {}

  constructor(metadata: Metadata) {
    this.#metadata = metadata
  }

  /** `offsets` by queue id. */
  set(group: string, topic: string, offsets: Iterable<readonly [number, number]>): void {
    let queues = this.#groups.get(group)
    if (queues === undefined) this.#groups.set(group, (queues = new Map<string, number>()))
    for (const [queueId, offset] of offsets) queues.set(resetKey(topic, queueId), offset)
    this.#publish(group)
    this.onMoved(group, topic)
  }

  has(group: string, topic: string, queueId: number): boolean {
    return this.#groups.get(group)?.has(resetKey(topic, queueId)) ?? false
  }

  /** Where the group is now; from here on its commits count again. Null: it was not moved. */
  take(group: string, topic: string, queueId: number): number | null {
    const queues = this.#groups.get(group)
    const offset = queues?.get(resetKey(topic, queueId))
    if (offset === undefined) return null
    queues!.delete(resetKey(topic, queueId))
    if (queues!.size === 0) this.#groups.delete(group)
    this.#publish(group)
    return offset
  }

  removeGroup(group: string): void {
    if (this.#groups.delete(group)) this.#publish(group)
  }

  removeTopic(topic: string): void {
    for (const [group, queues] of this.#groups) {
      const gone = [...queues.keys()].filter((key) => key.slice(0, key.lastIndexOf('@')) === topic)
      for (const key of gone) queues.delete(key)
      if (queues.size === 0) this.#groups.delete(group)
      if (gone.length > 0) this.#publish(group)
    }
  }

  #publish(group: string): void {
    this.#metadata.publishResets(group, [...(this.#groups.get(group)?.keys() ?? [])])
  }
}
