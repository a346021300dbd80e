import type { ConsumerOffsets } from '../consumer-offsets.ts'

/** How far one group has popped one queue. */
export interface PopQueue {
  readonly group: string
  readonly topic: string
  readonly queueId: number
  readonly row: number
  /** The next offset to pop. */
  position: number
  /** What stood in the group's offsets when we last looked or wrote there. */
  committed: number
  /** Check points of it that may still get lost. */
  unsafe: number
  /** Moves when the group is moved: what was popped before says nothing of its offset any more. */
  era: number
  /** Messages that are popped and neither acknowledged nor put back. */
  inFlight: number
}

/** A step of a queue's position that is not safe yet. */
export interface Advance {
  readonly queue: PopQueue
  readonly position: number
  readonly era: number
}

/**
 * Where each group goes on popping. The group's offset follows when the check point of what was popped is safe:
 * a crash then brings nothing twice, and loses nothing.
 */
export class PopQueues {
  readonly #queues = new Map<string, PopQueue>()
  readonly #offsets: ConsumerOffsets

  constructor(offsets: ConsumerOffsets) {
    this.#offsets = offsets
  }

  /** Undefined: the group has not popped it in this run. */
  find(group: string, topic: string, queueId: number): PopQueue | undefined {
    return this.#queues.get(`${queueId}@${topic}@${group}`)
  }

  /** What is known of a topic, or a group, that was deleted. */
  forget(gone: { topic: string } | { group: string }): void {
    for (const [key, { topic, group }] of this.#queues) {
      const isGone = 'topic' in gone ? topic === gone.topic : group === gone.group
      if (isGone) this.#queues.delete(key)
    }
  }

  /** Where the group would go on; null when it has no offset. Nothing is begun. */
  peek(group: string, topic: string, queueId: number): number | null {
    const known = this.#offsets.get(group, topic, queueId)
    const queue = this.find(group, topic, queueId)
    return queue !== undefined && queue.committed === known ? queue.position : known
  }

  /**
   * The queue, with its position as it is now. `begin` says where a group without an offset begins.
   * `onMoved`: somebody else has set the offset.
   */
  get(
    place: { group: string; topic: string; queueId: number; row: number },
    begin: () => number,
    onMoved: () => void,
  ): PopQueue {
    const { group, topic, queueId, row } = place
    let queue = this.find(group, topic, queueId)
    if (queue === undefined || queue.row !== row) {
      queue = {
        group,
        topic,
        queueId,
        row,
        position: -1,
        committed: -1,
        unsafe: 0,
        era: 0,
        inFlight: 0,
      }
      this.#queues.set(`${queueId}@${topic}@${group}`, queue)
    }
    const known = this.#offsets.get(group, topic, queueId)
    if (known !== null && known === queue.committed) return queue
    const isFirst = queue.committed === -1
    queue.committed = queue.position = known ?? begin()
    queue.unsafe = 0
    queue.era++
    if (known === null) this.#offsets.commit(group, topic, queueId, queue.position)
    else if (!isFirst) onMoved()
    return queue
  }

  /** A check point of what lies before `position` was stored, but may still get lost. */
  advance(queue: PopQueue, position: number): Advance {
    queue.position = position
    queue.unsafe++
    return { queue, position, era: queue.era }
  }

  /** It is safe now, and so is everything that was stored before it. */
  secure({ queue, position, era }: Advance): void {
    if (queue.era !== era) return
    queue.unsafe--
    this.#commit(queue, queue.unsafe === 0 ? queue.position : position)
  }

  /** Nobody knows whether it is. */
  fail({ queue, era }: Advance): void {
    if (queue.era === era) queue.unsafe--
  }

  /** Nothing of what lies before is wanted, or is there. */
  passOver(queue: PopQueue, position: number): void {
    queue.position = position
    if (queue.unsafe === 0) this.#commit(queue, position)
  }

  /** Only while the offset is ours: it may have been set elsewhere meanwhile. */
  #commit(queue: PopQueue, position: number): void {
    const { group, topic, queueId, committed } = queue
    if (this.#offsets.get(group, topic, queueId) !== committed) return
    queue.committed = position
    this.#offsets.commit(group, topic, queueId, position)
  }
}
