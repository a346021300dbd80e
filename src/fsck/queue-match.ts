import { DescriptorCache } from '../store/descriptor-cache.ts'
import { PRE_BLANK_LENGTH, type Unit } from '../store/consume-queue.ts'
import type { RecordParts } from '../store/log-record.ts'
import type { Disk } from '../base/disk.ts'
import { MessageFlag } from '../protocol/message.ts'
import { entryCodeOf } from '../store/tags-code.ts'
import { BatchCursor } from './batch-cursor.ts'
import { extensionFault } from './extension.ts'
import { Part, type Findings } from './finding.ts'
import { QueueCursor } from './queue-cursor.ts'
import { otherQueues } from './record-text.ts'
import { shownPath, type StoreMap } from './store-map.ts'
import { Tally } from './tally.ts'

const CURSORS_MAX = 4096
const DESCRIPTORS_MAX = 256
/** Their tags code is a time of delivery, by delays that may be configured otherwise. */
const SCHEDULE_TOPIC = 'SCHEDULE_TOPIC_XXXX'
/** Tags codes at or below are addresses of the extension (Apache 5.3.3, ConsumeQueueExt). */
const ADDRESS_MAX = -2147483649

/** One record, as it is asked for. */
export interface RecordAsked {
  topic: string
  position: number
  record: RecordParts
  bytes: Buffer
  properties: ReadonlyMap<string, string>
}

/** Key of a queue in what tasks hand back. */
export function queueKey(topic: string, queueId: number): string {
  return `${topic}/${queueId}`
}

/** Looks for the entries that records must have in their queues. */
export class QueueMatch {
  /** Entries that were right, by queue. */
  readonly matched = new Map<string, number>()
  /** Records of topics that were deleted: they have no queue any more. */
  readonly deleted = new Tally()
  /** Records that dispatch had not come to when the broker died. */
  readonly behind = new Tally()
  readonly #disk: Disk
  readonly #map: StoreMap
  readonly #findings: Findings
  readonly #descriptors: DescriptorCache
  readonly #queues: ReadonlyMap<string, StoreMap['queues'][number]>
  readonly #cursors = new Map<string, QueueCursor>()
  readonly #batches = new Map<string, BatchCursor>()
  readonly #topics: ReadonlySet<string> | null
  readonly #unit: Unit = { position: 0, length: 0, tagsCode: 0 }

  constructor(disk: Disk, map: StoreMap, findings: Findings) {
    this.#disk = disk
    this.#map = map
    this.#findings = findings
    this.#descriptors = new DescriptorCache(disk, { max: DESCRIPTORS_MAX, isReadOnly: true })
    this.#queues = new Map(map.queues.map((each) => [queueKey(each.topic, each.queueId), each]))
    for (const each of map.batchQueues) {
      const cursor = new BatchCursor(disk, each, this.#descriptors)
      this.#batches.set(queueKey(each.topic, each.queueId), cursor)
    }
    this.#topics = map.topics === null ? null : new Set(map.topics)
  }

  take(asked: RecordAsked): void {
    const { topic, record, properties } = asked
    const batch = this.#batches.get(queueKey(topic, record.queueId))
    if (batch !== undefined) this.#matchBatch(asked, batch)
    else if ((record.sysFlag & MessageFlag.INNER_BATCH) === 0) this.#match(asked)
    if (!properties.has('INNER_MULTI_DISPATCH')) return
    for (const { name, queueId, offset } of otherQueues(properties, record.queueId)) {
      this.#matchOther(asked, { topic: name, queueId, offset })
    }
  }

  close(): void {
    this.#descriptors.closeAll()
  }

  #match(asked: RecordAsked): void {
    const { topic, position, record } = asked
    const cursor = this.#cursorOf(topic, record.queueId)
    if (cursor === undefined) return this.#missQueue(asked)
    const unit = this.#unit
    const isThere = cursor.read(record.queueOffset, unit)
    if (isThere && unit.position === position && unit.length === record.length) {
      this.#count(topic, record.queueId)
      this.#checkCode(asked, cursor)
    } else this.#missUnit(asked, cursor, isThere)
  }

  #checkCode({ topic, position, record, bytes }: RecordAsked, cursor: QueueCursor): void {
    const { tagsCode } = this.#unit
    if (tagsCode === entryCodeOf(bytes, record)) return
    const where = { topic, queueId: record.queueId, offset: record.queueOffset }
    if (tagsCode <= ADDRESS_MAX) {
      const code = cursor.wideCodeAt(record.queueOffset)
      const fault = extensionFault(this.#disk, this.#map, { ...where, code, record, bytes })
      if (fault !== null) this.#tell(cursor, position, where, fault)
      return
    }
    if (topic === SCHEDULE_TOPIC && tagsCode >= record.storeTimestamp) return
    const text = `the entry has tags code ${tagsCode}, the message ${entryCodeOf(bytes, record)}`
    this.#tell(cursor, position, where, text)
  }

  #matchOther(
    asked: RecordAsked,
    { topic, queueId, offset }: { topic: string; queueId: number; offset: number },
  ): void {
    const cursor = this.#cursorOf(topic, queueId)
    if (cursor === undefined) return // the feature is off: nothing says that there must be one
    const { position, record } = asked
    const isThere = cursor.read(offset, this.#unit)
    if (isThere && this.#unit.position === position && this.#unit.length === record.length) {
      this.#count(topic, queueId)
    } else {
      this.#tell(cursor, position, { topic, queueId, offset }, this.#unitText(isThere))
    }
  }

  #matchBatch({ topic, position, record, properties }: RecordAsked, cursor: BatchCursor): void {
    const unit = cursor.find(position)
    const base = Number(properties.get('INNER_BASE') ?? record.queueOffset)
    const count = Number(properties.get('INNER_NUM') ?? 1)
    const where = { topic, queueId: record.queueId, offset: record.queueOffset }
    const file = shownPath(this.#map.root, cursor.files.directory)
    if (unit === null) {
      const text = 'a message has no entry in its queue'
      this.#findings.add({ part: Part.QUEUE, file, position, ...where, text })
      return
    }
    this.#count(topic, record.queueId)
    if (unit.length === record.length && unit.base === base && unit.count === count) return
    const text = `the entry says ${unit.length} bytes, messages ${unit.base} and ${unit.count - 1} more; the record has ${record.length}, ${base} and ${count - 1} more`
    this.#findings.add({ part: Part.QUEUE, file, position, ...where, text })
  }

  #missQueue({ topic, position, record }: RecordAsked): void {
    if (this.#isDeleted(topic, position)) {
      this.deleted.add(position)
      return
    }
    const where = { topic, queueId: record.queueId, offset: record.queueOffset }
    const text = 'a message of a queue that has no folder'
    this.#findings.add({ part: Part.QUEUE, file: 'consumequeue', position, ...where, text })
  }

  #missUnit({ topic, position, record }: RecordAsked, cursor: QueueCursor, isThere: boolean): void {
    const unit = this.#unit
    const isWritten = isThere && unit.length > 0
    // A topic of that name was deleted and made again: its queues began anew.
    const isOlder = isWritten && unit.length !== PRE_BLANK_LENGTH && unit.position > position
    if (isOlder || this.#isDeletedBelow(topic, position)) this.deleted.add(position)
    else if (!isWritten && this.#map.isAborted) this.behind.add(position)
    else {
      const where = { topic, queueId: record.queueId, offset: record.queueOffset }
      this.#tell(cursor, position, where, this.#unitText(isThere))
    }
  }

  #unitText(isThere: boolean): string {
    const { position, length } = this.#unit
    if (!isThere || length === 0) return 'the message has no entry'
    if (length === PRE_BLANK_LENGTH) return 'the entry stands for no message, and there is one'
    return `the entry says position ${position}, ${length} bytes`
  }

  #isDeleted(topic: string, position: number): boolean {
    return (
      (this.#topics !== null && !this.#topics.has(topic)) || this.#isDeletedBelow(topic, position)
    )
  }

  #isDeletedBelow(topic: string, position: number): boolean {
    return position < (this.#map.deletedBelow.get(topic) ?? 0)
  }

  #tell(
    cursor: QueueCursor,
    position: number,
    where: { topic: string; queueId: number; offset: number },
    text: string,
  ): void {
    const file = shownPath(this.#map.root, cursor.pathOf(where.offset))
    this.#findings.add({ part: Part.QUEUE, file, position, ...where, text })
  }

  #count(topic: string, queueId: number): void {
    const key = queueKey(topic, queueId)
    this.matched.set(key, (this.matched.get(key) ?? 0) + 1)
  }

  #cursorOf(topic: string, queueId: number): QueueCursor | undefined {
    const key = queueKey(topic, queueId)
    const files = this.#queues.get(key)
    if (files === undefined) return undefined
    const known = this.#cursors.get(key)
    const cursor = known ?? new QueueCursor(this.#disk, files, this.#descriptors)
    this.#cursors.delete(key) // the least recently used go
    this.#cursors.set(key, cursor)
    if (this.#cursors.size > CURSORS_MAX) this.#cursors.delete(this.#cursors.keys().next().value!)
    return cursor
  }
}
