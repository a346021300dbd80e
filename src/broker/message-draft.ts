import { viewOf } from '../base/bytes.ts'
import { delaysIn } from '../config/delay-levels.ts'
import type { Peer } from '../net/handlers.ts'
import { decodeProperties, encodeProperties, type StoredMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { readRecord, RecordParts } from '../store/log-record.ts'
import { Asks, delayLevel, scanProperties } from './property-scan.ts'
import { timerOutMs, type TimerRules } from './timer-rules.ts'
import { SCHEDULE_TOPIC, TIMER_TOPIC } from './topic-names.ts'

const PAIR_END = 2
const NOTHING = Buffer.alloc(0)

/** A message that the broker itself is about to store. */
export interface MessageDraft {
  topic: string
  queueId: number
  /** The application's. */
  flag: number
  sysFlag: number
  bornTimestamp: number
  /** IP (4 or 16 bytes) and a 4-byte port. */
  bornHost: Uint8Array
  reconsumeTimes: number
  preparedTransactionOffset: number
  /** As stored: `name 0x01 value 0x02`, over and over. */
  properties: Buffer
  body: Uint8Array
}

/** A client's address as messages carry it: its IP (4 or 16 bytes) and a 4-byte port. */
export function bornHostOf({ host, address }: Peer): Uint8Array {
  const bytes = Buffer.alloc(host.length + 4)
  bytes.set(host)
  bytes.writeInt32BE(Number(address.slice(address.lastIndexOf(':') + 1)), host.length)
  return bytes
}

/** What decides how long a message waits. */
export interface DelayRules extends TimerRules {
  messageDelayLevel: string
}

/** The same message once more, for another queue. */
export function draftOf(
  message: StoredMessage,
  place: { topic: string; queueId: number },
  properties: Buffer,
): MessageDraft {
  const { flag, sysFlag, bornTimestamp, bornHost, reconsumeTimes, body } = message
  return {
    ...place,
    flag,
    sysFlag,
    bornTimestamp,
    bornHost,
    reconsumeTimes,
    preparedTransactionOffset: 0,
    properties,
    body,
  }
}

/** The properties of a stored message, byte for byte: what was no text comes out as it came in. */
export function storedProperties(bytes: Buffer): Buffer {
  const parts = new RecordParts()
  readRecord(parts, viewOf(bytes), 0, bytes.length)
  return bytes.subarray(parts.propertiesAt, parts.propertiesAt + parts.propertiesLength)
}

/**
 * A message that is to be delivered later first waits in a queue of the broker's own, and remembers where it
 * belongs (Apache 5.3.3, HookUtils). Any other is returned as it is. Throws ResponseError when its time is too far
 * ahead.
 */
export function parkDelayed(draft: MessageDraft, rules: DelayRules, now: number): MessageDraft {
  const asks = scanProperties(draft.properties, 0, draft.properties.length)
  const asked = (asks & Asks.DELAY) === 0 ? 0 : delayLevel(draft.properties)
  if (asked > 0) {
    const level = Math.min(asked, delaysIn(rules.messageDelayLevel).length)
    const place = { topic: SCHEDULE_TOPIC, queueId: level - 1 }
    return parked(draft, place, [[MessageProperty.DELAY, String(level)]])
  }
  if ((asks & Asks.TIMER) === 0 || draft.topic === TIMER_TOPIC) return draft
  const outMs = timerOutMs(decodeProperties(draft.properties.toString()), rules, now)
  if (outMs === null) return draft
  const place = { topic: TIMER_TOPIC, queueId: 0 }
  return parked(draft, place, [[MessageProperty.TIMER_OUT_MS, String(outMs)]])
}

function parked(
  draft: MessageDraft,
  place: { topic: string; queueId: number },
  notes: [string, string][],
): MessageDraft {
  const { REAL_TOPIC, REAL_QID } = MessageProperty
  const home: [string, string][] = [
    ...notes,
    [REAL_TOPIC, draft.topic],
    [REAL_QID, String(draft.queueId)],
  ]
  return { ...draft, ...place, properties: withPairs(draft.properties, encodeProperties(home)) }
}

/** Of two pairs with one name the last counts. */
export function withPairs(properties: Buffer, pairs: string): Buffer {
  const isEnded = properties.length === 0 || properties.at(-1) === PAIR_END
  return Buffer.concat([properties, isEnded ? NOTHING : Buffer.of(PAIR_END), Buffer.from(pairs)])
}
