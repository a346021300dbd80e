import { decodeProperties, encodeProperties, type StoredMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { SCHEDULE_TOPIC } from './topic-names.ts'

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

/** Levels of Apache's default `messageDelayLevel`; level n waits in queue n - 1. */
export const DELAY_LEVELS = 18

/** The same message once more, for another queue. */
export function draftOf(
  message: StoredMessage,
  place: { topic: string; queueId: number },
  properties: ReadonlyMap<string, string>,
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
    properties: Buffer.from(encodeProperties(properties)),
    body,
  }
}

/**
 * A message with a delay level first waits in the queue of its level, and remembers where it belongs
 * (Apache 5.3.3, HookUtils). Any other is returned as it is.
 */
export function parkDelayed(draft: MessageDraft): MessageDraft {
  const properties = decodeProperties(draft.properties.toString())
  const level = Number.parseInt(properties.get(MessageProperty.DELAY) ?? '0', 10)
  if (!(level > 0)) return draft
  properties.set(MessageProperty.DELAY, String(Math.min(level, DELAY_LEVELS)))
  properties.set(MessageProperty.REAL_TOPIC, draft.topic)
  properties.set(MessageProperty.REAL_QID, String(draft.queueId))
  return {
    ...draft,
    topic: SCHEDULE_TOPIC,
    queueId: Math.min(level, DELAY_LEVELS) - 1,
    properties: Buffer.from(encodeProperties(properties)),
  }
}
