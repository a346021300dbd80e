import { RECORD_LENGTH_MIN } from './log-record.ts'

/** Two doubles and two int32: offset in the queue, code of the entry; length, place in the list of queues. */
const ROW_LENGTH = 24

/** What the queues need to know of records that follow one another in the log; all of them are good. */
export interface Digest {
  /** Where the first record begins. */
  begin: number
  /** Where a record would follow the last one: behind a blank that is the start of the next file. */
  end: number
  /** Records. */
  count: number
  /** Store time of the last one, ms. */
  timestamp: number
  queues: readonly DigestQueue[]
  rows: DigestRows
  /** Entries in light queues, in the order of their records. */
  copies: readonly DigestCopy[]
}

/** An entry of the nth record in a queue that is not its own. */
export interface DigestCopy {
  nth: number
  /** Index into `queues` of the digest. */
  queue: number
  offset: number
}

export interface DigestQueue {
  topic: string
  queueId: number
}

/** In rows: the record enters no queue. */
export const NO_QUEUE = -1

/** The numbers of a digest's records, by columns, in memory that two threads hand to one another. */
export class DigestRows {
  readonly offsets: Float64Array
  readonly codes: Float64Array
  readonly lengths: Int32Array
  /** Index into `queues` of the digest, or NO_QUEUE. */
  readonly queues: Int32Array

  constructor(memory: SharedArrayBuffer) {
    const max = Math.floor(memory.byteLength / ROW_LENGTH)
    this.offsets = new Float64Array(memory, 0, max)
    this.codes = new Float64Array(memory, 8 * max, max)
    this.lengths = new Int32Array(memory, 16 * max, max)
    this.queues = new Int32Array(memory, 20 * max, max)
  }
}

/** Has room for as many records as can begin in so many bytes; what is not used costs no memory. */
export function digestMemory(spanLength: number): SharedArrayBuffer {
  const max = Math.ceil(spanLength / RECORD_LENGTH_MIN) + 1
  return new SharedArrayBuffer(max * ROW_LENGTH)
}

/** A recovery stands at `position`, where a record begins, and is about to read on. */
export interface ScanAsk {
  /** Where this pass over the log began; there may be two. */
  first: number
  position: number
  /** End of the last file. */
  end: number
}

/** What it may take instead of reading, and up to where it reads by itself otherwise. */
export interface ScanAnswer {
  /** Of records from `position` on, or it counts for nothing. */
  digest: Digest | null
  until: number
}

/** Read all of it, and ask no more. */
export const READ_ALONE: ScanAnswer = { digest: null, until: Infinity }
