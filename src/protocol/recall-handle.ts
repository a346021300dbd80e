/** What a timed message is called back by (Apache 5.3.3, RecallMessageHandle): names are without blanks. */
export interface RecallHandle {
  topic: string
  brokerName: string
  /** Within the slot that the message waits for, ms since 1970. */
  deliverMs: number
  /** The message's UNIQ_KEY. */
  messageId: string
}

const VERSION = 'v1'
/** No property of a message has such characters, and nothing of a handle may become one more. */
// oxlint-disable-next-line no-control-regex
const PROPERTY_ENDS = /[\u0001\u0002]/

/** URL-safe base64, padded as Java's encoder does. */
export function encodeRecallHandle(handle: RecallHandle): string {
  const { topic, brokerName, deliverMs, messageId } = handle
  const bytes = Buffer.from([VERSION, topic, brokerName, deliverMs, messageId].join(' '))
  const text = bytes.toString('base64url')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Null: it is none. */
export function decodeRecallHandle(text: string): RecallHandle | null {
  if (!/^[\w-]+={0,2}$/.test(text)) return null
  const known = Buffer.from(text, 'base64url').toString()
  if (PROPERTY_ENDS.test(known)) return null
  const parts = known.split(' ')
  const [version, topic, brokerName, time, messageId] = parts
  if (version !== VERSION || topic === undefined || brokerName === undefined) return null
  if (messageId === undefined || messageId === '' || time === undefined) return null
  const deliverMs = /^\d{1,15}$/.test(time) ? Number(time) : -1
  return { topic, brokerName, deliverMs, messageId }
}
