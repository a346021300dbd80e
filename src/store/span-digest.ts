import { assert } from '../base/assert.ts'
import { systemDisk, type Disk } from '../base/disk.ts'
import { ByteTable } from '../base/byte-table.ts'
import { LogFiles } from './log-files.ts'
import { LIGHT_QUEUE_ID, lightEntriesOf } from './light-entries.ts'
import { entersConsumeQueue, type RecordParts } from './log-record.ts'
import { LogScan } from './log-scan.ts'
import {
  type Digest,
  type DigestCopy,
  type DigestQueue,
  DigestRows,
  NO_QUEUE,
} from './scan-digest.ts'
import { entryCodeOf } from './tags-code.ts'

/** A smaller piece than recovery's own: little is read behind the span's end. */
const CHUNK_LENGTH = 1024 * 1024
/** The first record is looked for in so much of the span: behind a longer one nobody else looks for it either. */
const SEARCH_LENGTH = 8 * 1024 * 1024
/** So many that look like the first record and are none: somebody has put them into a body. */
const TRIES_MAX = 16
const QUEUES_MAX = 65_536
/** Entries in light queues that are handed over at most: they are objects. */
const COPIES_MAX = 1_000_000

/** A part of one file of the log that is to be read. */
export interface SpanAsked {
  /** Folder of the log, and the length of its files. */
  directory: string
  fileSize: number
  checkCrc: boolean
  /** Messages may stand in light queues, too. */
  hasLightQueues?: boolean
  /** Of delay levels 1, 2, …; Apache's default when absent. */
  delaysMs?: readonly number[]
  from: number
  to: number
  /** The reader's own until it answers. */
  memory: SharedArrayBuffer
}

/** Rows lie in the memory that was given. */
export type FoundDigest = Omit<Digest, 'rows'>

/** Reads a span in a thread of its own; see `digestSpan`. */
export function runSpan(asked: SpanAsked): FoundDigest | null {
  return digestSpan(systemDisk, asked)
}

/**
 * A digest of the records that begin in a span, up to the first thing that is no good record. Null when
 * it is not known where the first one begins: it must be one for whoever knows nothing of what is before it.
 */
export function digestSpan(disk: Disk, asked: SpanAsked): FoundDigest | null {
  const files = new LogFiles(disk, asked)
  try {
    return new SpanReader(files, asked).run()
  } finally {
    files.closeAll()
  }
}

class SpanReader {
  readonly #asked: SpanAsked
  readonly #rows: DigestRows
  readonly #scan: LogScan
  readonly #queues: DigestQueue[] = []
  readonly #copies: DigestCopy[] = []
  readonly #places = new ByteTable<Map<number, number>>()
  #count = 0
  #timestamp = 0

  constructor(files: LogFiles, asked: SpanAsked) {
    this.#asked = asked
    this.#rows = new DigestRows(asked.memory)
    const options = { checkCrc: asked.checkCrc, timestamp: 0, isMiddle: () => false }
    this.#scan = new LogScan(files, { ...options, chunkLength: CHUNK_LENGTH })
  }

  run(): FoundDigest | null {
    const { from, to } = this.#asked
    const begin = this.#scan.find(from, Math.min(to, from + SEARCH_LENGTH), TRIES_MAX)
    if (begin === -1) return null
    const end = this.#scan.run(begin, to, (record, bytes) => this.#take(record, bytes))
    // Whoever asked would have to keep all of them.
    if (this.#queues.length > QUEUES_MAX || this.#copies.length > COPIES_MAX) return null
    const [count, timestamp] = [this.#count, this.#timestamp]
    if (count === 0) return null
    return { begin, end, count, timestamp, queues: this.#queues, copies: this.#copies }
  }

  #take(record: RecordParts, bytes: Buffer): void {
    const nth = this.#count++
    const rows = this.#rows
    assert(nth < rows.lengths.length)
    this.#timestamp = record.storeTimestamp
    rows.lengths[nth] = record.length
    rows.queues[nth] = NO_QUEUE
    if (!entersConsumeQueue(record.sysFlag)) return
    rows.queues[nth] = this.#placeOf(bytes, record.topicAt, record.topicLength, record.queueId)
    rows.offsets[nth] = record.queueOffset
    rows.codes[nth] = entryCodeOf(bytes, record, this.#asked.delaysMs)
    if (this.#asked.hasLightQueues === true) this.#takeLight(nth, record, bytes)
  }

  #takeLight(nth: number, record: RecordParts, bytes: Buffer): void {
    for (const { topic, offset } of lightEntriesOf(bytes, record)) {
      if (this.#copies.length > COPIES_MAX) return // nobody will see this digest
      const name = Buffer.from(topic)
      const queue = this.#placeOf(name, 0, name.length, LIGHT_QUEUE_ID)
      if (queue !== NO_QUEUE) this.#copies.push({ nth, queue, offset })
    }
  }

  #placeOf(bytes: Buffer, topicAt: number, topicLength: number, queueId: number): number {
    const places = this.#places.get(bytes, topicAt, topicLength)
    return (
      places?.get(queueId) ??
      this.#newPlace(bytes.subarray(topicAt, topicAt + topicLength), queueId)
    )
  }

  #newPlace(name: Buffer, queueId: number): number {
    const topic = name.toString()
    if (!Buffer.from(topic).equals(name)) return NO_QUEUE // not UTF-8: there can be no such queue
    const place = this.#queues.length
    if (place > QUEUES_MAX) return NO_QUEUE // nobody will see this digest
    const places = this.#places.get(name, 0, name.length) ?? new Map<number, number>()
    if (places.size === 0) this.#places.set(topic, places)
    places.set(queueId, place)
    this.#queues.push({ topic, queueId })
    return place
  }
}
