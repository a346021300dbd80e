import { readSafeInt64, viewOf } from '../base/bytes.ts'
import { crc32 } from '../base/crc32.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { MessageFlag } from '../protocol/message.ts'

/** Numbers of the stored record (Apache 5.3.3, MessageDecoder and CommitLog). */
export const MAGIC_V1 = 0xdaa320a7 | 0
/** Topic length takes two bytes: topics of more than 127 UTF-16 units. */
export const MAGIC_V2 = 0xdaa320ab | 0
export const BLANK_MAGIC = 0xcbd43194 | 0
/** Length and magic of the blank record; every full file ends with at least these. */
export const BLANK_LENGTH = 8
/** Everything but hosts, body, topic (and its length) and properties. */
export const FIXED_LENGTH = 74
/** IPv4 hosts, neither body nor properties, and no topic. */
export const RECORD_LENGTH_MIN = FIXED_LENGTH + 8 + 8 + 1

const { BORN_HOST_V6, STORE_HOST_V6 } = MessageFlag
const { INNER_BATCH, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK } = MessageFlag
const MULTI_DISPATCH = `${MessageProperty.INNER_MULTI_DISPATCH}\u0001`

export const RecordAt = {
  LENGTH: 0,
  MAGIC: 4,
  BODY_CRC: 8,
  QUEUE_ID: 12,
  FLAG: 16,
  QUEUE_OFFSET: 20,
  POSITION: 28,
  SYS_FLAG: 36,
  BORN_TIMESTAMP: 40,
  BORN_HOST: 48,
} as const

/** What `readRecord` found at a place. */
export const RecordKind = { MESSAGE: 1, BLANK: 2, BAD: 0 } as const
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind]

/** Where the parts of one record lie; reused from record to record. Indices are into the view. */
export class RecordParts {
  length = 0
  queueId = 0
  sysFlag = 0
  queueOffset = 0
  position = 0
  storeTimestamp = 0
  bodyCrc = 0
  bodyAt = 0
  bodyLength = 0
  topicAt = 0
  topicLength = 0
  propertiesAt = 0
  propertiesLength = 0

  hasQueueEntry(): boolean {
    return hasQueueEntry(this.sysFlag)
  }
}

/** Half messages of the 3.x kind and roll-backs have no place in a consume queue. */
export function hasQueueEntry(sysFlag: number): boolean {
  const transaction = sysFlag & TRANSACTION_ROLLBACK // all bits of transactions
  return transaction !== TRANSACTION_PREPARED && transaction !== TRANSACTION_ROLLBACK
}

/** Messages of Apache's batch kind stand in queues of that kind, not in consume queues. */
export function entersConsumeQueue(sysFlag: number): boolean {
  return hasQueueEntry(sysFlag) && (sysFlag & INNER_BATCH) === 0
}

/**
 * Finds the parts of the record at `at`. BAD when it is no record, does not end by `end`, or its
 * lengths do not add up: nothing outside `[at, end)` is ever read.
 */
export function readRecord(
  parts: RecordParts,
  view: DataView,
  at: number,
  end: number,
): RecordKind {
  if (end - at < BLANK_LENGTH) return RecordKind.BAD
  const length = view.getInt32(at)
  const magic = view.getInt32(at + RecordAt.MAGIC)
  if (magic === BLANK_MAGIC) return readBlank(parts, length)
  if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return RecordKind.BAD
  if (length < RECORD_LENGTH_MIN || length > end - at) return RecordKind.BAD
  return readMessage(parts, view, at, length) ? RecordKind.MESSAGE : RecordKind.BAD
}

function readBlank(parts: RecordParts, length: number): RecordKind {
  parts.length = length
  return length >= BLANK_LENGTH ? RecordKind.BLANK : RecordKind.BAD
}

function readMessage(parts: RecordParts, view: DataView, at: number, length: number): boolean {
  const bodyLengthAt = readHead(parts, view, at)
  return (
    bodyLengthAt + 4 <= at + length &&
    readVariable(parts, view, { at: bodyLengthAt, end: at + length, recordAt: at })
  )
}

/** Bytes that `readHead` may look at. */
export const HEAD_LENGTH = 112

/** The fields before the body, whatever lies behind them; returns where the body's length stands. */
export function readHead(parts: RecordParts, view: DataView, at: number): number {
  parts.length = view.getInt32(at)
  parts.bodyCrc = view.getInt32(at + RecordAt.BODY_CRC)
  parts.queueId = view.getInt32(at + RecordAt.QUEUE_ID)
  parts.queueOffset = readSafeInt64(view, at + RecordAt.QUEUE_OFFSET)
  parts.position = readSafeInt64(view, at + RecordAt.POSITION)
  parts.sysFlag = view.getInt32(at + RecordAt.SYS_FLAG)
  const bornHost = (parts.sysFlag & BORN_HOST_V6) === 0 ? 8 : 20
  const storeHost = (parts.sysFlag & STORE_HOST_V6) === 0 ? 8 : 20
  const storeTimestampAt = at + RecordAt.BORN_HOST + bornHost
  parts.storeTimestamp = readSafeInt64(view, storeTimestampAt)
  return storeTimestampAt + 8 + storeHost + 12 // reconsume times, half position
}

/** Store time in ms, from the head of the message at `position`; null when these bytes are none. */
export function storeTimeIn(head: Buffer, position: number): number | null {
  if (head.length < RECORD_LENGTH_MIN) return null
  const parts = new RecordParts()
  readHead(parts, viewOf(head), 0)
  return parts.position === position && parts.length > 0 ? parts.storeTimestamp : null
}

/** Body, topic and properties, each behind its length; they must end where the record ends. */
function readVariable(
  parts: RecordParts,
  view: DataView,
  { at, end, recordAt }: { at: number; end: number; recordAt: number },
): boolean {
  parts.bodyLength = view.getInt32(at)
  parts.bodyAt = at + 4
  const topicLengthAt = parts.bodyAt + parts.bodyLength
  const isLong = view.getInt32(recordAt + RecordAt.MAGIC) === MAGIC_V2
  if (parts.bodyLength < 0 || topicLengthAt + (isLong ? 2 : 1) > end) return false
  parts.topicLength = isLong ? view.getInt16(topicLengthAt) : view.getInt8(topicLengthAt)
  parts.topicAt = topicLengthAt + (isLong ? 2 : 1)
  const propertiesLengthAt = parts.topicAt + parts.topicLength
  if (parts.topicLength < 0 || propertiesLengthAt + 2 > end) return false
  parts.propertiesLength = view.getInt16(propertiesLengthAt)
  parts.propertiesAt = propertiesLengthAt + 2
  return parts.propertiesLength >= 0 && parts.propertiesAt + parts.propertiesLength === end
}

/** Whether the body is what was stored. */
export function hasGoodBody(view: DataView, { bodyAt, bodyLength, bodyCrc }: RecordParts): boolean {
  return (crc32(view, bodyAt, bodyLength) & 0x7fffffff) === bodyCrc
}

/** A message that stands in queues of other topics, too, says so in a property (Apache, LMQ). */
export function isMultiDispatched(view: DataView, parts: RecordParts): boolean {
  const { propertiesAt: at, propertiesLength } = parts
  return Buffer.from(view.buffer, view.byteOffset + at, propertiesLength).includes(MULTI_DISPATCH)
}
