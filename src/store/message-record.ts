import { assert } from '../base/assert.ts'
import { copyFew, viewOf, writeSafeInt64 } from '../base/bytes.ts'
import { crc32 } from '../base/crc32.ts'
import type { RecordSource } from './log-appender.ts'
import { FIXED_LENGTH, hasQueueEntry, MAGIC_V1, MAGIC_V2, RecordAt } from './log-record.ts'
import type { LogWindow } from './log-window.ts'

/** Properties are a signed 16-bit length in the record (Apache 5.3.3). */
export const PROPERTIES_LENGTH_MAX = 32767
const PROPERTY_SEPARATOR = 2
const BORN_HOST_V6 = 0x10
const STORE_HOST_V6 = 0x20
const TRANSACTION_BITS = 0xc

const NOTHING = Buffer.alloc(0)

/** Some bytes of a buffer; reused, never kept. */
export class Slice {
  buffer: Uint8Array = NOTHING
  view: DataView = viewOf(NOTHING)
  at = 0
  length = 0

  /** Most requests come in the same read buffer, so its view is made once. */
  set(buffer: Uint8Array, at: number, length: number): void {
    if (buffer !== this.buffer) {
      this.buffer = buffer
      this.view = viewOf(buffer)
    }
    this.at = at
    this.length = length
  }

  setAll(buffer: Uint8Array): void {
    this.set(buffer, 0, buffer.length)
  }
}

/**
 * What all records of one send have in common: the fields of the request, filled in by a handler
 * from the bytes of the frame. One object per thread, used again for every send.
 */
export class RecordFields {
  readonly topic = new Slice()
  readonly body = new Slice()
  readonly properties = new Slice()
  /** Pairs that the broker adds behind the sender's, with their separators. */
  readonly suffix = new Slice()
  /** IP (4 or 16 bytes) and a 4-byte port. */
  readonly bornHost = new Slice()
  readonly storeHost = new Slice()
  queueId = 0
  flag = 0
  sysFlag = 0
  bornTimestamp = 0
  reconsumeTimes = 0
  preparedTransactionOffset = 0
  isLongTopic = false

  /** The sender's properties need a separator before the suffix when theirs does not end in one. */
  separatorLength(properties: Slice): number {
    if (properties.length === 0 || this.suffix.length === 0) return 0
    return properties.buffer[properties.at + properties.length - 1] === PROPERTY_SEPARATOR ? 0 : 1
  }

  propertiesLength(properties: Slice): number {
    return properties.length + this.separatorLength(properties) + this.suffix.length
  }

  recordLength(bodyLength: number, propertiesLength: number): number {
    const hosts = this.bornHost.length + this.storeHost.length
    const topic = this.topic.length + (this.isLongTopic ? 2 : 1)
    return FIXED_LENGTH + hosts + bodyLength + topic + propertiesLength
  }

  isTransactional(): boolean {
    return (this.sysFlag & TRANSACTION_BITS) !== 0
  }

  storedSysFlag(): number {
    const born = this.bornHost.length === 20 ? BORN_HOST_V6 : 0
    const store = this.storeHost.length === 20 ? STORE_HOST_V6 : 0
    return (this.sysFlag & ~(BORN_HOST_V6 | STORE_HOST_V6)) | born | store
  }
}

/** What differs from record to record of a batch. */
interface RecordItem {
  length: number
  flag: number
  crc: number
  body: Slice
  properties: Slice
  queueOffset: number
  position: number
  storeTimestamp: number
}

function recordItem(body: Slice, properties: Slice): RecordItem {
  const place = { queueOffset: 0, position: 0, storeTimestamp: 0 }
  return { length: 0, flag: 0, crc: 0, body, properties, ...place }
}

/** The stored form (Apache 5.3.3, MessageExtEncoder). Returns the index behind it. */
function encodeRecord(
  window: LogWindow,
  at: number,
  fields: RecordFields,
  item: RecordItem,
): number {
  const { view } = window
  view.setInt32(at, item.length)
  view.setInt32(at + RecordAt.MAGIC, fields.isLongTopic ? MAGIC_V2 : MAGIC_V1)
  view.setInt32(at + RecordAt.BODY_CRC, item.crc)
  view.setInt32(at + RecordAt.QUEUE_ID, fields.queueId)
  view.setInt32(at + RecordAt.FLAG, item.flag)
  writeSafeInt64(view, at + RecordAt.QUEUE_OFFSET, item.queueOffset)
  writeSafeInt64(view, at + RecordAt.POSITION, item.position)
  view.setInt32(at + RecordAt.SYS_FLAG, fields.storedSysFlag())
  writeSafeInt64(view, at + RecordAt.BORN_TIMESTAMP, fields.bornTimestamp)
  let next = put(window, at + RecordAt.BORN_HOST, fields.bornHost)
  writeSafeInt64(view, next, item.storeTimestamp)
  next = put(window, next + 8, fields.storeHost)
  view.setInt32(next, fields.reconsumeTimes)
  writeSafeInt64(view, next + 4, fields.preparedTransactionOffset)
  view.setInt32(next + 12, item.body.length)
  next = put(window, next + 16, item.body)
  return encodeNames(window, next, fields, item)
}

function encodeNames(
  window: LogWindow,
  at: number,
  fields: RecordFields,
  item: RecordItem,
): number {
  const { view, bytes } = window
  const topicAt = at + (fields.isLongTopic ? 2 : 1)
  if (fields.isLongTopic) view.setInt16(at, fields.topic.length)
  else view.setInt8(at, fields.topic.length)
  let next = put(window, topicAt, fields.topic)
  view.setInt16(next, fields.propertiesLength(item.properties))
  next = put(window, next + 2, item.properties)
  if (fields.separatorLength(item.properties) === 1) bytes[next++] = PROPERTY_SEPARATOR
  return put(window, next, fields.suffix)
}

/** From here on a call into C++ copies faster than we do. */
const FEW_MAX = 128

function put(window: LogWindow, at: number, { buffer, view, at: from, length }: Slice): number {
  if (length <= FEW_MAX) copyFew(window.view, at, view, from, length)
  else (buffer as Buffer).copy(window.bytes, at, from, from + length)
  return at + length
}

/** The CRC that a record carries of its stored body: CRC-32 without its top bit. */
function bodyCrc(body: Slice): number {
  return crc32(body.view, body.at, body.length) & 0x7fffffff
}

/** One message. Set the fields, then `prepare`, then append. */
export class MessageRecord implements RecordSource {
  readonly fields: RecordFields
  row = 0
  length = 0
  count = 1
  position = 0
  queueOffset = 0
  storeTimestamp = 0
  readonly #item: RecordItem

  constructor(fields: RecordFields) {
    this.fields = fields
    const { body, properties } = fields
    this.#item = recordItem(body, properties)
  }

  /** Before the lock: the checksum and the length. */
  prepare(): void {
    const { fields } = this
    const item = this.#item
    this.count = hasQueueEntry(fields.sysFlag) ? 1 : 0 // no entry: stored with offset 0, takes none
    item.crc = bodyCrc(fields.body)
    item.flag = fields.flag
    this.measure()
  }

  /** Once more, after the suffix has changed. */
  measure(): void {
    const { body, properties } = this.fields
    this.length = this.fields.recordLength(body.length, this.fields.propertiesLength(properties))
    this.#item.length = this.length
  }

  encodeInto(window: LogWindow, index: number): void {
    const item = this.#item
    item.queueOffset = this.count === 0 ? 0 : this.queueOffset
    item.position = this.position
    item.storeTimestamp = this.storeTimestamp
    const end = encodeRecord(window, index, this.fields, item)
    assert(end === index + this.length, 'a record is not as long as it was measured')
  }
}

/** A batch body that is not a sequence of whole items, or breaks a limit. Says which item. */
export class BatchError extends Error {
  override name = 'BatchError'
}

/** Before the body length: total size, magic, CRC, flag, all int32. */
const ITEM_HEAD = 16

/**
 * A batch: the body is a sequence of items (int32 total size, magic, CRC, flag, body length; body;
 * int16 properties length; properties), each stored as a record of its own, all in one file, with
 * consecutive queue offsets (Apache 5.3.3, MessageExtBatchEncoder).
 */
export class BatchRecord implements RecordSource {
  readonly fields: RecordFields
  row = 0
  length = 0
  count = 0
  position = 0
  queueOffset = 0
  storeTimestamp = 0
  /** Length of each record, for the ids of the reply. */
  readonly lengths: number[] = []
  readonly #crcs: number[] = []
  readonly #item = recordItem(new Slice(), new Slice())
  #view: DataView = new DataView(new ArrayBuffer(0))

  constructor(fields: RecordFields) {
    this.fields = fields
  }

  /** Before the lock: measures all items. @throws BatchError */
  prepare(): void {
    const { body } = this.fields
    if (this.fields.isTransactional()) {
      throw new BatchError('the messages of a batch cannot be parts of a transaction')
    }
    this.#view = new DataView(body.buffer.buffer, body.buffer.byteOffset + body.at, body.length)
    this.lengths.length = 0
    this.#crcs.length = 0
    this.length = 0
    this.count = 0
    for (let at = 0; at < body.length; this.count++) at = this.#measureItem(at)
    if (this.count === 0) throw new BatchError('the batch has no message')
  }

  #measureItem(at: number): number {
    const next = this.#readItem(at)
    const item = this.#item
    const propertiesLength = this.fields.propertiesLength(item.properties)
    if (propertiesLength > PROPERTIES_LENGTH_MAX) {
      throw new BatchError(
        `message ${this.count} of the batch has ${propertiesLength} bytes of properties with those that the broker adds; ${PROPERTIES_LENGTH_MAX} are allowed`,
      )
    }
    const length = this.fields.recordLength(item.body.length, propertiesLength)
    this.lengths.push(length)
    this.#crcs.push(bodyCrc(item.body))
    this.length += length
    return next
  }

  /** Points `#item` at the item that starts at `at` of the body; returns where the next starts. */
  #readItem(at: number): number {
    const { body } = this.fields
    const item = this.#item
    if (at + ITEM_HEAD + 4 > body.length) throw this.#cutOff()
    item.flag = this.#view.getInt32(at + 12)
    const bodyLength = this.#view.getInt32(at + ITEM_HEAD)
    const propertiesAt = at + ITEM_HEAD + 4 + bodyLength
    if (bodyLength < 0 || propertiesAt + 2 > body.length) throw this.#cutOff()
    const propertiesLength = this.#view.getInt16(propertiesAt)
    const next = propertiesAt + 2 + propertiesLength
    if (propertiesLength < 0 || next > body.length) throw this.#cutOff()
    item.body.set(body.buffer, body.at + at + ITEM_HEAD + 4, bodyLength)
    item.properties.set(body.buffer, body.at + propertiesAt + 2, propertiesLength)
    return next
  }

  /** Whether the properties of a message contain these bytes. After `prepare`. */
  someHas(bytes: Uint8Array): boolean {
    const { properties } = this.#item
    for (let at = 0; at < this.fields.body.length;) {
      at = this.#readItem(at)
      const { buffer, at: from, length } = properties
      if (Buffer.from(buffer.buffer, buffer.byteOffset + from, length).includes(bytes)) return true
    }
    return false
  }

  #cutOff(): BatchError {
    return new BatchError(
      `message ${this.count} of the batch is cut off or its lengths do not add up`,
    )
  }

  encodeInto(window: LogWindow, index: number): void {
    const item = this.#item
    let at = 0
    let target = index
    for (let nth = 0; nth < this.count; nth++) {
      at = this.#readItem(at)
      item.length = this.lengths[nth]!
      item.crc = this.#crcs[nth]!
      item.queueOffset = this.queueOffset + nth
      item.position = this.position + (target - index)
      item.storeTimestamp = this.storeTimestamp
      target = encodeRecord(window, target, this.fields, item)
    }
    assert(target === index + this.length, 'a batch is not as long as it was measured')
  }
}
