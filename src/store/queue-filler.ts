import { PRE_BLANK_LENGTH, UNIT_LENGTH, type QueuePlace } from './consume-queue.ts'
import { LIGHT_QUEUE_ID, lightEntriesOf } from './light-entries.ts'
import { entersConsumeQueue, RECORD_LENGTH_MIN, type RecordParts } from './log-record.ts'
import type { QueueRecovery, QueueState } from './queue-recovery.ts'
import type { QueueStates } from './queue-states.ts'
import { QueueTail, UnitBuffers } from './queue-tail.ts'
import type { Digest } from './scan-digest.ts'
import { entryCodeOf } from './tags-code.ts'

/** Entries are written after this much of the log: it bounds the buffers of queues in the making. */
const FLUSH_BYTES = 1024 * 1024
/** A record that names another queue is damaged. */
const QUEUE_ID_MAX = 65_535
const FOLDER_NAME_MAX = 255

export interface FillerOptions {
  place: QueuePlace
  deletedBelow: ReadonlyMap<string, number>
  /** Where the log begins. */
  minPosition: number
  /** Topics whose queues are of Apache's batch kind, which we do not write. */
  batchTopics: ReadonlySet<string>
  /** Messages may stand in light queues, too. */
  hasLightQueues?: boolean
  /** Of delay levels 1, 2, …; Apache's default when absent. */
  delaysMs?: readonly number[]
  /** All are when it is absent. */
  isWanted?: (topic: string, queueId: number) => boolean
}

/** Where a message stands in the log, and as which one of its queue. */
interface MessagePlace {
  position: number
  length: number
  queueOffset: number
}

/** Where the name of a message's queue stands in some bytes. */
type QueueName = Pick<RecordParts, 'topicAt' | 'topicLength' | 'queueId'>

/** A queue of a digest: it is looked for once, not for each message. */
class MetQueue implements QueueName {
  readonly bytes: Buffer
  readonly topicAt = 0
  readonly topicLength: number
  readonly queueId: number
  state: QueueState | undefined

  constructor(topic: string, queueId: number) {
    this.bytes = Buffer.from(topic)
    this.topicLength = this.bytes.length
    this.queueId = queueId
  }
}

/** Gives queues the entries that they lack, from the records of the log in their order. */
export class QueueFiller {
  /** Entries added. */
  dispatched = 0
  /** A queue lacked entries of messages that stood before those it was shown. */
  hasGap = false
  readonly #queues: QueueRecovery
  readonly #states: QueueStates
  readonly #options: FillerOptions
  readonly #tails = new Map<QueueState, QueueTail>()
  readonly #buffers = new UnitBuffers()
  #flushDue = 0

  constructor(queues: QueueRecovery, states: QueueStates, options: FillerOptions) {
    this.#queues = queues
    this.#states = states
    this.#options = options
  }

  take(record: RecordParts, bytes: Buffer): void {
    if (!entersConsumeQueue(record.sysFlag)) return
    const state = this.#stateOf(record, bytes, record.position)
    if (state !== null && this.#lacks(state, record)) {
      this.#add(state, record, entryCodeOf(bytes, record, this.#options.delaysMs))
    }
    if (this.#options.hasLightQueues === true) this.#takeLight(record, bytes)
  }

  #takeLight(record: RecordParts, bytes: Buffer): void {
    for (const { topic, offset: queueOffset } of lightEntriesOf(bytes, record)) {
      const { position, length } = record
      const state = this.#stateOfMet(new MetQueue(topic, LIGHT_QUEUE_ID), position)
      const place = { position, length, queueOffset }
      if (state === null || !this.#lacks(state, place)) continue
      this.#add(state, place, entryCodeOf(bytes, record, this.#options.delaysMs))
    }
  }

  /** The same for all records of a digest. Returns the position behind the last one. */
  takeDigest({ begin, end, count, queues, rows, copies }: Digest): number {
    const met = queues.map(({ topic, queueId }) => new MetQueue(topic, queueId))
    const place: MessagePlace = { position: begin, length: 0, queueOffset: 0 }
    let copy = 0
    for (let nth = 0; nth < count; nth++) {
      place.length = rows.lengths[nth]!
      place.queueOffset = rows.offsets[nth]!
      const code = rows.codes[nth]!
      const queue = met[rows.queues[nth]!] // none: the message enters no queue
      if (queue !== undefined) this.#takePlace(queue, place, code)
      for (; copies[copy]?.nth === nth; copy++) {
        place.queueOffset = copies[copy]!.offset
        this.#takePlace(met[copies[copy]!.queue]!, place, code)
      }
      place.position += place.length
    }
    return end
  }

  #takePlace(queue: MetQueue, place: MessagePlace, code: number): void {
    const state = this.#stateOfMet(queue, place.position)
    if (state !== null && this.#lacks(state, place)) this.#add(state, place, code)
  }

  #lacks(state: QueueState, place: MessagePlace): boolean {
    const { position, length, queueOffset } = place
    if (this.#isDisproved(state, place)) this.#queues.cut(state, queueOffset)
    if (position + length <= state.maxPosition || queueOffset < state.next) return false
    // Every message before it in its queue takes room in the log: an offset beyond that is damaged.
    return queueOffset <= position / RECORD_LENGTH_MIN
  }

  /**
   * All entries of the queue are of deleted messages, and here is a message that stands behind those and
   * has the offset of one of them: they are what a power failure brought back of entries that recovery had
   * cut, and nothing is left in the log that could tell.
   */
  #isDisproved(
    { maxPosition, next }: QueueState,
    { position, queueOffset }: MessagePlace,
  ): boolean {
    if (maxPosition === 0 || maxPosition > this.#options.minPosition) return false
    return position >= maxPosition && queueOffset < next
  }

  /**
   * Everything that was added is in the files. Not synced: there may be very many of them, and after a
   * power failure they are made again (the checkpoint tells of dispatches that are a minute old).
   */
  flush(): void {
    for (const tail of this.#tails.values()) tail.flush()
  }

  #add(state: QueueState, place: MessagePlace, code: number): void {
    const { position, length, queueOffset } = place
    if (queueOffset > state.next) this.#fillGap(state, queueOffset)
    this.#tailOf(state).add(position, length, code)
    state.next++
    state.isChanged = true
    state.lastPosition = position
    state.maxPosition = position + length
    this.dispatched++
    if (position < this.#flushDue) return
    this.flush()
    this.#flushDue = position + FLUSH_BYTES
  }

  /** The messages before this one are no longer in the log: their entries stand for none. */
  #fillGap(state: QueueState, offset: number): void {
    this.hasGap = true
    if (state.next === 0) {
      const perFile = this.#options.place.fileSize / UNIT_LENGTH
      state.first = state.next = Math.floor(offset / perFile) * perFile
      this.#tails.delete(state)
    }
    const tail = this.#tailOf(state)
    for (; state.next < offset; state.next++) tail.add(0, PRE_BLANK_LENGTH, 0)
  }

  #tailOf(state: QueueState): QueueTail {
    let tail = this.#tails.get(state)
    if (tail === undefined) {
      tail = new QueueTail(-1, state.queue, state.next, this.#buffers)
      this.#tails.set(state, tail)
    }
    return tail
  }

  /** Null when the message has no queue here, or none any more. */
  #stateOf(
    { topicAt, topicLength, queueId }: QueueName,
    bytes: Buffer,
    position: number,
  ): QueueState | null {
    const known = this.#states.find(bytes, topicAt, topicLength, queueId)
    if (known !== undefined) return this.#isDeleted(known.topic, position) ? null : known
    const topic = bytes.toString('utf8', topicAt, topicAt + topicLength)
    if (!this.#isOurs(topic, queueId) || this.#isDeleted(topic, position)) return null
    if (Buffer.compare(Buffer.from(topic), bytes.subarray(topicAt, topicAt + topicLength)) !== 0) {
      return null // not UTF-8
    }
    const state = this.#queues.empty(topic, queueId)
    this.#states.add(state)
    return state
  }

  #stateOfMet(queue: MetQueue, position: number): QueueState | null {
    queue.state ??= this.#states.find(queue.bytes, 0, queue.topicLength, queue.queueId)
    if (queue.state === undefined) return this.#stateOf(queue, queue.bytes, position)
    return this.#isDeleted(queue.state.topic, position) ? null : queue.state
  }

  #isDeleted(topic: string, position: number): boolean {
    return position < (this.#options.deletedBelow.get(topic) ?? 0)
  }

  /** Nothing but the body is under a checksum: a damaged topic must not lead out of the store. */
  #isOurs(topic: string, queueId: number): boolean {
    if (topic === '' || topic === '.' || topic === '..' || /[/\0]/.test(topic)) return false
    if (Buffer.byteLength(topic) > FOLDER_NAME_MAX || queueId < 0 || queueId > QUEUE_ID_MAX) {
      return false
    }
    const { batchTopics, isWanted } = this.#options
    return !batchTopics.has(topic) && isWanted?.(topic, queueId) !== false
  }
}
