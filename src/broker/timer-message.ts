import { encodeProperties, type StoredMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { PROPERTIES_LENGTH_MAX } from '../store/message-record.ts'
import { draftOf, type MessageDraft, storedProperties, withPairs } from './message-draft.ts'
import { SEND_FORBIDDEN, TIMER_TOPIC } from './topic-names.ts'

/** What the wheel must know of a message in the timer queue. */
export interface TimedMessage {
  /** Begin of the slot that it was stored for. */
  outMs: number
  /** When it is to be delivered. */
  dueMs: number
  topic: string
  queueId: number
  /** By which it can be deleted; null without an id. */
  key: string | null
  /** The key of the message that this one deletes; null for one that is to be delivered. */
  deletes: string | null
}

/** Room in the properties for what deliveries and rolls add. */
export const TIMER_NOTES_LENGTH = 112

/** Of a recall, TIMER_DEL_UNIQKEY is this (Apache 5.3.3, TimerMessageStore.buildDeleteKey). */
export function deleteKey(topic: string, uniqueKey: string): string {
  return `${topic}+${uniqueKey}`
}

/** Null: it does not say when, or where to. Only what a client put into the timer queue itself is so. */
export function readTimed(message: StoredMessage, precisionMs: number): TimedMessage | null {
  const { properties } = message
  const { TIMER_OUT_MS, REAL_TOPIC, REAL_QID, UNIQ_KEY, TIMER_DEL_UNIQKEY } = MessageProperty
  const outMs = millis(properties.get(TIMER_OUT_MS))
  const topic = properties.get(REAL_TOPIC)
  const queueId = Number(properties.get(REAL_QID))
  if (outMs === null || topic === undefined || !Number.isSafeInteger(queueId)) return null
  if (SEND_FORBIDDEN.has(topic) || topic === TIMER_TOPIC) return null
  const unique = properties.get(UNIQ_KEY)
  return {
    outMs,
    dueMs: dueOf(message, outMs, precisionMs),
    topic,
    queueId,
    key: unique === undefined ? null : deleteKey(topic, unique),
    deletes: properties.get(TIMER_DEL_UNIQKEY) ?? null,
  }
}

/** What was asked for lies within (outMs, outMs + precision]; a time that came by another way is put there. */
function dueOf(message: StoredMessage, outMs: number, precisionMs: number): number {
  const { properties, storeTimestamp } = message
  const { TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS } = MessageProperty
  const [seconds, delay, at] = [TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS].map((name) =>
    millis(properties.get(name)),
  )
  let askedMs = outMs + precisionMs
  if (seconds !== null && seconds !== undefined) askedMs = storeTimestamp + seconds * 1000
  else if (delay !== null && delay !== undefined) askedMs = storeTimestamp + delay
  else if (at !== null && at !== undefined) askedMs = at
  return Math.min(Math.max(askedMs, outMs + 1), outMs + precisionMs)
}

function millis(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return null
  return Number(text)
}

/** The message as its consumers get it. Apache 5.3.3 leaves all properties in place. */
export function deliveredDraft(
  { message, bytes }: { message: StoredMessage; bytes: Buffer },
  { topic, queueId }: TimedMessage,
  { writtenMs, now }: { writtenMs: number; now: number },
): MessageDraft {
  const { TIMER_ENQUEUE_MS, TIMER_DEQUEUE_MS } = MessageProperty
  const notes: [string, string][] = [
    [TIMER_ENQUEUE_MS, String(writtenMs)],
    [TIMER_DEQUEUE_MS, String(now)],
  ]
  return draftOf(message, { topic, queueId }, noted(storedProperties(bytes), notes))
}

/** The message once more for the timer queue: its time was further away than the wheel looks. */
export function rolledDraft(
  { message, bytes }: { message: StoredMessage; bytes: Buffer },
  { writtenMs, now }: { writtenMs: number; now: number },
): MessageDraft {
  const { TIMER_ENQUEUE_MS, TIMER_DEQUEUE_MS, TIMER_ROLL_TIMES } = MessageProperty
  const rolls = Number(message.properties.get(TIMER_ROLL_TIMES) ?? 0)
  const notes: [string, string][] = [
    [TIMER_ENQUEUE_MS, String(writtenMs)],
    [TIMER_DEQUEUE_MS, String(now)],
    [TIMER_ROLL_TIMES, String((Number.isSafeInteger(rolls) ? rolls : 0) + 1)],
  ]
  return draftOf(message, { topic: TIMER_TOPIC, queueId: 0 }, noted(storedProperties(bytes), notes))
}

/** Of two pairs with one name the last counts. Better without the notes than not at all. */
function noted(properties: Buffer, notes: [string, string][]): Buffer {
  const known = notes.reduce((text, [name]) => withoutPair(text, name), properties)
  const all = withPairs(known, encodeProperties(notes))
  return all.length <= PROPERTIES_LENGTH_MAX ? all : properties
}

/** Byte for byte, as the rest may be no text. */
function withoutPair(properties: Buffer, name: string): Buffer {
  const head = Buffer.from(`${name}\u0001`)
  let at = properties.indexOf(head)
  while (at > 0 && properties[at - 1] !== 2) at = properties.indexOf(head, at + 1)
  if (at === -1) return properties
  const end = properties.indexOf(2, at)
  const rest = end === -1 ? Buffer.alloc(0) : properties.subarray(end + 1)
  return Buffer.concat([properties.subarray(0, at), rest])
}
