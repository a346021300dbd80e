import type { ByteTable } from '../base/byte-table.ts'
import type { Clock } from '../base/clock.ts'
import { delaysIn } from '../config/delay-levels.ts'
import { decodeProperties, MessageFlag } from '../protocol/message.ts'
import { encodeRecallHandle } from '../protocol/recall-handle.ts'
import { type RecordFields, PROPERTIES_LENGTH_MAX } from '../store/message-record.ts'
import type { DelayRules } from './message-draft.ts'
import type { TopicChange } from './metadata-change.ts'
import { Asks, delayLevel, transactionId } from './property-scan.ts'
import { illegalMessage } from './send-refusals.ts'
import { TIMER_NOTES_LENGTH } from './timer-message.ts'
import { timerOutMs } from './timer-rules.ts'
import { HALF_TOPIC, RETRY_PREFIX, SCHEDULE_TOPIC, TIMER_TOPIC } from './topic-names.ts'

const HALF = Buffer.from(HALF_TOPIC)
const SCHEDULE = Buffer.from(SCHEDULE_TOPIC)
const TIMER = Buffer.from(TIMER_TOPIC)

interface Place {
  topic: Buffer
  queueId: number
  /** Pairs of its properties, in stored form. */
  note: string
}

export interface ParkingRules extends DelayRules {
  brokerName: string
  maxMessageSize: number
}

/** What `Parking` looks at. */
export const PARKED = Asks.TRANSACTION | Asks.DELAY | Asks.TIMER

/**
 * Half messages and those that are to be delivered later wait in queues of the broker's own, and remember where
 * they belong (Apache 5.3.3, HookUtils).
 */
export class Parking {
  readonly #rules: ParkingRules
  readonly #clock: Clock
  readonly #topics: ByteTable<TopicChange>
  /** How many there are; level n waits in queue n - 1. */
  readonly #levels: number
  /** By which the last message that was parked can be called back; empty when it cannot. */
  recallHandle = ''

  constructor(rules: ParkingRules, clock: Clock, topics: ByteTable<TopicChange>) {
    this.#rules = rules
    this.#clock = clock
    this.#topics = topics
    this.#levels = delaysIn(rules.messageDelayLevel).length
  }

  /** Changes the fields; returns the topic to store in. Throws ResponseError. */
  park(fields: RecordFields, topic: TopicChange, asks: number): TopicChange {
    const place = this.#placeOf(fields, topic.topic, asks)
    if (place === null) return topic
    const { suffix, queueId } = fields
    const home = `REAL_TOPIC\u0001${topic.topic}\u0002REAL_QID\u0001${queueId}\u0002${place.note}`
    const known = suffix.buffer.subarray(suffix.at, suffix.at + suffix.length)
    suffix.setAll(Buffer.concat([known, Buffer.from(home)]))
    if (place.topic === TIMER) this.#checkRoom(fields)
    fields.topic.setAll(place.topic)
    fields.isLongTopic = false
    fields.queueId = place.queueId
    return this.#topics.get(place.topic, 0, place.topic.length)!
  }

  #placeOf(fields: RecordFields, topic: string, asks: number): Place | null {
    const { buffer, at, length } = fields.properties
    const properties = buffer.subarray(at, at + length)
    if ((asks & Asks.TRANSACTION) !== 0) {
      fields.sysFlag &= ~MessageFlag.TRANSACTION_ROLLBACK // all bits of transactions
      return { topic: HALF, queueId: 0, note: transactionId(properties) }
    }
    const asked = (asks & Asks.DELAY) === 0 ? 0 : delayLevel(properties)
    if (asked === 0)
      return topic === TIMER_TOPIC ? null : this.#timerPlace(fields, topic, properties)
    const level = Math.min(asked, this.#levels)
    const note = level === asked ? '' : `DELAY\u0001${level}\u0002` // of two pairs with one name the last counts
    return { topic: SCHEDULE, queueId: level - 1, note }
  }

  #timerPlace({ suffix }: RecordFields, topic: string, bytes: Uint8Array): Place | null {
    const properties = decodeProperties(Buffer.from(bytes).toString())
    const outMs = timerOutMs(properties, this.#rules, this.#clock.now())
    if (outMs === null) return null
    const own = suffix.buffer.subarray(suffix.at, suffix.at + suffix.length)
    const made = decodeProperties(Buffer.from(own).toString()).get('UNIQ_KEY')
    const messageId = properties.get('UNIQ_KEY') ?? made ?? ''
    const { brokerName } = this.#rules
    const deliverMs = outMs + 1 // lies in the slot, as its begin does not
    if (!topic.startsWith(RETRY_PREFIX)) {
      this.recallHandle = encodeRecallHandle({ topic, brokerName, deliverMs, messageId })
    }
    return { topic: TIMER, queueId: 0, note: `TIMER_OUT_MS\u0001${outMs}\u0002` }
  }

  /** A delivery adds to the properties, and must not fail for that. */
  #checkRoom(fields: RecordFields): void {
    const length = fields.propertiesLength(fields.properties) + TIMER_NOTES_LENGTH
    if (length <= PROPERTIES_LENGTH_MAX) return
    const found = `the properties have ${length} bytes with what the delivery will add`
    throw illegalMessage(found, this.#rules.maxMessageSize)
  }
}
