import type { ByteTable } from '../base/byte-table.ts'
import { MessageFlag } from '../protocol/message.ts'
import type { RecordFields } from '../store/message-record.ts'
import { DELAY_LEVELS } from './message-draft.ts'
import type { TopicChange } from './metadata-change.ts'
import { Asks, delayLevel, transactionId } from './property-scan.ts'
import { HALF_TOPIC, SCHEDULE_TOPIC } from './topic-names.ts'

const HALF = Buffer.from(HALF_TOPIC)
const SCHEDULE = Buffer.from(SCHEDULE_TOPIC)

interface Place {
  topic: Buffer
  queueId: number
  /** Pairs of its properties, in stored form. */
  note: string
}

/**
 * Half messages and those with a delay level wait in queues of the broker's own, and remember where they
 * belong (Apache 5.3.3, HookUtils). Changes the fields for that; returns the topic to store in.
 */
export function park(
  fields: RecordFields,
  topic: TopicChange,
  { asks, topics }: { asks: number; topics: ByteTable<TopicChange> },
): TopicChange {
  const place = placeOf(fields, asks)
  if (place === null) return topic
  const { suffix, queueId } = fields
  const home = `REAL_TOPIC\u0001${topic.topic}\u0002REAL_QID\u0001${queueId}\u0002${place.note}`
  const known = suffix.buffer.subarray(suffix.at, suffix.at + suffix.length)
  suffix.setAll(Buffer.concat([known, Buffer.from(home)]))
  fields.topic.setAll(place.topic)
  fields.isLongTopic = false
  fields.queueId = place.queueId
  return topics.get(place.topic, 0, place.topic.length)!
}

function placeOf(fields: RecordFields, asks: number): Place | null {
  const { buffer, at, length } = fields.properties
  const properties = buffer.subarray(at, at + length)
  if ((asks & Asks.TRANSACTION) !== 0) {
    fields.sysFlag &= ~MessageFlag.TRANSACTION_ROLLBACK // all bits of transactions
    return { topic: HALF, queueId: 0, note: transactionId(properties) }
  }
  const asked = delayLevel(properties)
  if (asked === 0) return null
  const level = Math.min(asked, DELAY_LEVELS)
  const note = level === asked ? '' : `DELAY\u0001${level}\u0002` // of two pairs with one name the last counts
  return { topic: SCHEDULE, queueId: level - 1, note }
}
