import { writeSafeInt64 } from '../../../src/base/bytes.ts'
import { crc32 } from '../../../src/base/crc32.ts'
import type { RecordSource } from '../../../src/store/log-appender.ts'
import { FIXED_LENGTH, MAGIC_V1, RecordAt } from '../../../src/store/log-record.ts'
import type { LogWindow } from '../../../src/store/log-window.ts'
import type { Random } from '../random.ts'
import type { Steps } from '../steps.ts'
import type { StoreLedger, StoredRecord } from './store-ledger.ts'

/** The queues of a simulated store: a row is an index. All names are of one length. */
export const QUEUES = [
  { topic: 'Abc', queueId: 0 },
  { topic: 'Abc', queueId: 1 },
  { topic: 'Xyz', queueId: 0 },
] as const

const HOSTS = 16
const TOPIC_LENGTH = 3
/** Name, separator, one letter, separator. */
const TAGS_LENGTH = 7
/** Name, separator, two words of a letter each, separator. */
const KEYS_LENGTH = 9
const FIXED = FIXED_LENGTH + HOSTS + 1 + TOPIC_LENGTH
export const BODY_AT = RecordAt.BORN_HOST + HOSTS + 8 + 12 + 4
const BODY_MAX = 300
const BATCH_MAX = 2
/** All bodies have this length in some runs: old bytes then fit exactly where new ones belong. */
const EQUAL_BODY = 24
/** Longest append of a simulated store. */
export const STORE_APPEND_MAX = BATCH_MAX * (FIXED + TAGS_LENGTH + KEYS_LENGTH + BODY_MAX)

/** Where topic and properties begin: nothing but their length says that they are whole. */
export function tailAt({ bytes }: { bytes: Buffer }): number {
  return BODY_AT + bytes.readInt32BE(BODY_AT - 4)
}

/** Makes appends; the record, or the two of a batch, take several steps into the window. */
export class StoreSource implements RecordSource {
  row = 0
  length = 0
  count = 0
  position = 0
  queueOffset = 0
  storeTimestamp = 0
  /** What the last append has stored. */
  records: StoredRecord[] = []
  readonly #ledger: StoreLedger
  readonly #random: Random
  readonly #isEqual: boolean
  readonly #hasKeys: boolean
  readonly #overhead: number
  #bodies: Buffer[] = []

  constructor(
    ledger: StoreLedger,
    random: Random,
    { isEqual, hasKeys }: { isEqual: boolean; hasKeys: boolean },
  ) {
    this.#ledger = ledger
    this.#random = random
    this.#isEqual = isEqual
    this.#hasKeys = hasKeys
    this.#overhead = FIXED + TAGS_LENGTH + (hasKeys ? KEYS_LENGTH : 0)
  }

  next(): void {
    const random = this.#random
    this.row = random.below(QUEUES.length)
    this.count = random.oneIn(4) ? BATCH_MAX : 1
    this.#bodies = Array.from({ length: this.count }, () => this.#body())
    this.length = this.#bodies.reduce((sum, body) => sum + this.#overhead + body.length, 0)
  }

  #body(): Buffer {
    const random = this.#random
    const length = this.#isEqual ? EQUAL_BODY : random.below(random.pick([30, 120, BODY_MAX]))
    return Buffer.alloc(length, 1 + random.below(255))
  }

  /** A generator at run time, as all stepped functions. */
  encodeInto(window: LogWindow, index: number): void {
    return this.#encode(window, index) as unknown as void
  }

  *#encode(window: LogWindow, index: number): Steps<void> {
    const { row, position, queueOffset } = this
    let at = position
    this.records = this.#bodies.map((body, nth) => {
      const offset = queueOffset + nth
      const bytes = this.#encodeRecord(body, { offset, position: at })
      const record = { row, offset, position: at, end: at + bytes.length, bytes, isTorn: false }
      at = record.end
      return record
    })
    const bytes = Buffer.concat(this.records.map((record) => record.bytes))
    const middle = this.#random.below(bytes.length)
    yield 'encodes the first half'
    window.bytes.set(bytes.subarray(0, middle), index)
    yield 'encodes the second half'
    window.bytes.set(bytes.subarray(middle), index + middle)
    for (const record of this.records) this.#ledger.append(record)
  }

  /** Apache's stored form, as MessageRecord has it, but for the hosts. */
  #encodeRecord(body: Buffer, at: { offset: number; position: number }): Buffer {
    const bytes = Buffer.alloc(this.#overhead + body.length)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const { topic, queueId } = QUEUES[this.row]!
    view.setInt32(RecordAt.LENGTH, bytes.length)
    view.setInt32(RecordAt.MAGIC, MAGIC_V1)
    const bodyView = new DataView(body.buffer, body.byteOffset, body.length)
    view.setInt32(RecordAt.BODY_CRC, crc32(bodyView, 0, body.length) & 0x7fffffff)
    view.setInt32(RecordAt.QUEUE_ID, queueId)
    writeSafeInt64(view, RecordAt.QUEUE_OFFSET, at.offset)
    writeSafeInt64(view, RecordAt.POSITION, at.position)
    writeSafeInt64(view, RecordAt.BORN_HOST + 8, this.storeTimestamp)
    view.setInt32(BODY_AT - 4, body.length)
    body.copy(bytes, BODY_AT)
    const topicAt = BODY_AT + body.length
    view.setInt8(topicAt, TOPIC_LENGTH)
    bytes.write(topic, topicAt + 1)
    const lengthAt = topicAt + 1 + TOPIC_LENGTH
    const tags = `TAGS\u0001${tagOf(this.row)}\u0002`
    const properties = tags + (this.#hasKeys ? keysProperty(at.offset) : '')
    view.setInt16(lengthAt, properties.length)
    bytes.write(properties, lengthAt + 2)
    return bytes
  }
}

/** Of the message with this offset: none, or two words, which may be the same. */
export function keysOf(offset: number): string[] {
  if (offset % 4 === 3) return []
  return [String.fromCharCode(97 + (offset % 7)), String.fromCharCode(97 + (offset % 5))]
}

/** Of one length whether it has keys or not. */
function keysProperty(offset: number): string {
  const keys = keysOf(offset)
  return keys.length === 0 ? 'NONE\u0001a b\u0002' : `KEYS\u0001${keys.join(' ')}\u0002`
}

/** One letter, so its Java hash code is the letter's own. */
function tagOf(row: number): string {
  return String.fromCharCode(65 + row)
}

export function tagsCodeOf(row: number): number {
  return tagOf(row).charCodeAt(0)
}
