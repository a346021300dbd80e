import { javaHashCode } from '../base/java-hash.ts'
import type { RecordParts } from './log-record.ts'

const TAGS = Buffer.from('TAGS\u0001')
const DELAY = Buffer.from('DELAY\u0001')
const PAIR_END = 2
const ASCII_END = 0x80

/** Where delayed messages wait; its queues' entries carry the time of delivery as tags code. */
const SCHEDULE_TOPIC = Buffer.from('SCHEDULE_TOPIC_XXXX')
const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000]
/** Levels 1 to 18: the default of Apache 5.3.3's messageDelayLevel. */
export const DELAYS_MS: readonly number[] = [
  ...[1, 5, 10, 30].map((count) => count * SECOND),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map((count) => count * MINUTE),
  ...[1, 2].map((count) => count * HOUR),
]

/**
 * What the entry of a record says in its third field (Apache 5.3.3, CommitLog): the time
 * of delivery for a message that waits, else the tags code. `delaysMs`: of delay levels 1, 2, …
 */
export function entryCodeOf(
  bytes: Buffer,
  record: RecordParts,
  delaysMs: readonly number[] = DELAYS_MS,
): number {
  const deliverMs = isScheduled(bytes, record) ? deliverTimeOf(bytes, record, delaysMs) : 0
  return deliverMs > 0 ? deliverMs : tagsCodeOf(bytes, record.propertiesAt, record.propertiesLength)
}

function isScheduled(bytes: Buffer, { topicAt, topicLength }: RecordParts): boolean {
  if (topicLength !== SCHEDULE_TOPIC.length) return false // almost always
  return isAt(SCHEDULE_TOPIC, bytes, topicAt, topicAt + topicLength)
}

/**
 * The tags code of a record: Java's hash of property TAGS, 0 without one. Reads the properties as
 * they are stored (`name 0x01 value 0x02`, the last 0x02 may be missing).
 */
export function tagsCodeOf(bytes: Buffer, at: number, length: number): number {
  const value = propertyAt(TAGS, bytes, at, at + length)
  return value === -1 ? 0 : hashValue(bytes, value, at + length)
}

/** Store time plus delay, ms; 0 when the record has no delay level. */
function deliverTimeOf(bytes: Buffer, record: RecordParts, delaysMs: readonly number[]): number {
  const end = record.propertiesAt + record.propertiesLength
  const value = propertyAt(DELAY, bytes, record.propertiesAt, end)
  if (value === -1) return 0
  const level = Number.parseInt(bytes.toString('latin1', value, Math.min(end, value + 10)), 10)
  if (!(level > 0)) return 0
  return record.storeTimestamp + delaysMs[Math.min(level, delaysMs.length) - 1]!
}

/** Where the value of a property begins (`key` ends in 0x01), -1 without one. Of two pairs the last counts, as in Java's map. */
export function propertyAt(key: Buffer, bytes: Buffer, at: number, end: number): number {
  let found = -1
  for (let pair = at; pair < end; pair++) {
    const value = pair + key.length
    if (isAt(key, bytes, pair, end) && value < end && bytes[value] !== PAIR_END) found = value
    while (pair < end && bytes[pair] !== PAIR_END) pair++
  }
  return found
}

function isAt(text: Buffer, bytes: Buffer, at: number, end: number): boolean {
  if (bytes[at] !== text[0] || at + text.length > end) return false
  for (let i = 1; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

/** Over UTF-16 units: for ASCII these are the bytes. */
function hashValue(bytes: Buffer, at: number, end: number): number {
  let hash = 0
  for (let i = at; i < end && bytes[i] !== PAIR_END; i++) {
    if (bytes[i]! >= ASCII_END) return hashUtf8(bytes, at, end)
    hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  }
  return hash
}

function hashUtf8(bytes: Buffer, at: number, end: number): number {
  const next = bytes.subarray(at, end).indexOf(PAIR_END)
  return javaHashCode(bytes.toString('utf8', at, next === -1 ? end : at + next))
}
