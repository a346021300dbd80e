import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../log/log.ts'
import { messagesIn, type StoredMessage } from '../../protocol/message.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import type { ConsumerOffsets } from '../consumer-offsets.ts'
import { type Ack, type CheckPoint, readAck, readCheckPoint } from './check-point.ts'
import { ALL_MESSAGES, type PopPlace, type PopStore } from './pop-store.ts'
import { ReviveTag } from './revive-log.ts'

/** Whose offsets say up to where the revive topic is done with; the last that is, not the next (Apache 5.3.3). */
const DONE_GROUP = 'CID_RMQ_SYS_REVIVE_GROUP'
/** Ours: check points below these offsets are in the groups' offsets that the same file holds. */
const SEEN_GROUP = 'CID_RMQ_SYS_REVIVE_SEEN'

const BATCH = 32

/** What a record says, and where it stands. */
export interface ReviveRecord {
  reviveQueueId: number
  reviveOffset: number
  /** It came through the timer wheel. */
  isForeign: boolean
  /** The groups' offsets that were found on the disk know of it. */
  isSeen: boolean
  position: number
}

export interface ReviveQueuesParts {
  store: PopStore
  topic: string
  queueCount: number
  brokerName: string
  offsets: ConsumerOffsets
  onCheckPoint: (point: CheckPoint, at: ReviveRecord) => void
  onAck: (ack: Ack, at: ReviveRecord) => void
  clock: Clock
  log: Log
}

interface ReviveQueue extends PopPlace {
  /** Everything below is known. */
  readEnd: number
  /** Beyond that: records that this run has written. */
  readonly own: Set<number>
  /** Those of them that may still get lost. */
  readonly unsafe: Set<number>
  seenEnd: number
}

/** The queues of the revive topic: reads what others wrote, and says how far they are done with. */
export class ReviveQueues {
  readonly #parts: ReviveQueuesParts
  readonly #queues: ReviveQueue[]
  #reading: Promise<void> | null = null

  constructor(parts: ReviveQueuesParts) {
    const { store, topic, queueCount } = parts
    this.#parts = parts
    this.#queues = Array.from({ length: queueCount }, (_, queueId) => {
      const row = store.rowOf(topic, queueId)!
      const own = new Set<number>()
      return { topic, queueId, row, readEnd: 0, own, unsafe: new Set<number>(), seenEnd: 0 }
    })
  }

  get count(): number {
    return this.#queues.length
  }

  /** What earlier runs left open. */
  async load(): Promise<void> {
    const { store, offsets, topic } = this.#parts
    for (const queue of this.#queues) {
      const [min, max] = [store.min(queue.row), store.max(queue.row)]
      const done = offsets.get(DONE_GROUP, topic, queue.queueId) ?? -1
      queue.readEnd = Math.min(Math.max(done + 1, min), max)
      queue.seenEnd = Math.min(offsets.get(SEEN_GROUP, topic, queue.queueId) ?? 0, max)
      await this.#readOn(queue)
      queue.seenEnd = Infinity // what comes now, comes after those offsets were read
      store.watch(queue.row)
    }
  }

  /** This run has written a record. */
  wrote(queueId: number, offset: number): void {
    const queue = this.#queues[queueId]!
    queue.own.add(offset)
    queue.unsafe.add(offset)
  }

  /** It survives now, or nobody knows. */
  settled(queueId: number, offset: number): void {
    this.#queues[queueId]!.unsafe.delete(offset)
  }

  /** There are records that are not known to be done with, or not known at all. */
  get isBehind(): boolean {
    return this.hasNews || this.#queues.some(({ own }) => own.size > 0)
  }

  /** Queues have moved since they were read. */
  get hasNews(): boolean {
    const { store } = this.#parts
    return this.#queues.some(({ row, readEnd }) => store.max(row) > readEnd)
  }

  /** Queues may have moved: takes in what others have written. Resolves when it is. */
  readOn(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => (this.#reading = null))
    return this.#reading
  }

  /** `lowest`: of those that are open in a queue. */
  commit(lowest: (queueId: number) => number): void {
    const { offsets, topic } = this.#parts
    for (const { queueId, readEnd, unsafe } of this.#queues) {
      const safeEnd = Math.min(readEnd, first(unsafe))
      if (safeEnd === 0) continue
      offsets.commit(SEEN_GROUP, topic, queueId, safeEnd)
      const done = Math.min(safeEnd, lowest(queueId)) - 1
      if (done >= 0) offsets.commit(DONE_GROUP, topic, queueId, done)
    }
  }

  async #readAll(): Promise<void> {
    const { store } = this.#parts
    for (const queue of this.#queues) {
      await this.#readOn(queue)
      // Of what this run writes itself nobody need tell it.
      if (queue.own.size > 0) continue
      store.watch(queue.row)
      await this.#readOn(queue) // after it is watched
    }
  }

  async #readOn(queue: ReviveQueue): Promise<void> {
    const { store } = this.#parts
    const max = store.max(queue.row)
    while (queue.readEnd < max) {
      if (queue.own.delete(queue.readEnd)) queue.readEnd++
      else await this.#readBatch(queue)
    }
  }

  async #readBatch(queue: ReviveQueue): Promise<void> {
    const { store, log } = this.#parts
    const from = queue.readEnd
    const countMax = queue.own.size === 0 ? BATCH : 1
    const found = await store.read(queue, { offset: from, countMax, filter: ALL_MESSAGES })
    for (const message of messagesIn(found.bytes)) this.#take(queue, message)
    if (found.nextOffset <= from) log.error({ from }, 'the revive topic cannot be read on')
    queue.readEnd = Math.max(found.nextOffset, from + 1)
  }

  #take(queue: ReviveQueue, message: StoredMessage): void {
    const { brokerName, onCheckPoint, onAck } = this.#parts
    const { properties, body, queueOffset: reviveOffset, position } = message
    const isForeign = properties.has(MessageProperty.REAL_TOPIC)
    const isSeen = reviveOffset < queue.seenEnd
    const at = { reviveQueueId: queue.queueId, reviveOffset, isForeign, isSeen, position }
    const tag = properties.get(MessageProperty.TAGS)
    if (tag === ReviveTag.CHECK_POINT) {
      const point = readCheckPoint(body, brokerName)
      if (point !== null) return onCheckPoint(point, at)
    } else {
      const ack = readAck(body, brokerName)
      if (ack !== null) return onAck(ack, at)
    }
    this.#parts.log.warn({ position, tag }, 'a record of the revive topic is passed over')
  }
}

function first(offsets: ReadonlySet<number>): number {
  for (const offset of offsets) return offset
  return Infinity
}
