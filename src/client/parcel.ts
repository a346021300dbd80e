import { encodeBatch } from '../protocol/batch-body.ts'
import { encodeProperties } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { ClientError } from './client-error.ts'
import { compressBody } from './message-body.ts'
import type { OutgoingMessage } from './message.ts'

/** What one send request carries: a message, or several of one topic in one batch body. */
export interface Parcel extends OutgoingMessage {
  /** Of a batch: the ids of all its messages, with commas between. */
  readonly msgId: string
  readonly sysFlag: number
  readonly isBatch: boolean
  /** Of a message that goes to a retry topic. */
  readonly retry?: { readonly reconsumeTimes: number; readonly maxReconsumeTimes: number }
}

export async function messageParcel(message: OutgoingMessage): Promise<Parcel> {
  const { body, sysFlag } = await compressBody(message.body)
  return { ...message, body, sysFlag, isBatch: false }
}

/**
 * Never compressed: brokers take batches apart. Throws ClientError for messages that cannot travel
 * together.
 */
export function batchParcel(messages: readonly OutgoingMessage[], bodyMax: number): Parcel {
  const [first] = messages
  if (first === undefined) throw new ClientError('a batch needs at least one message')
  for (const message of messages) checkFits(first, message)
  const body = encodeBatch(
    messages.map((message) => ({
      ...message,
      properties: encodeProperties(message.properties),
    })),
  )
  if (body.length > bodyMax) {
    const allowed = `${bodyMax} (maxMessageSize) are allowed: send it in parts`
    throw new ClientError(`topic ${first.topic}: a batch of ${body.length} bytes, ${allowed}`)
  }
  const msgId = messages.map((message) => message.msgId).join(',')
  // No UNIQ_KEY: Apache's broker would give it to every message of the batch, in place of its own.
  const properties = new Map([[MessageProperty.WAIT, waits(first)]])
  return { topic: first.topic, msgId, body, flag: 0, properties, sysFlag: 0, isBatch: true }
}

/** Properties that make a message wait. */
export const DELAYS = [
  MessageProperty.DELAY,
  MessageProperty.TIMER_DELAY_MS,
  MessageProperty.TIMER_DELIVER_MS,
]

function checkFits(first: OutgoingMessage, message: OutgoingMessage): void {
  const { topic, properties } = message
  if (topic !== first.topic) {
    throw new ClientError(`topics ${first.topic} and ${topic} in one batch: it must be one topic`)
  }
  if (waits(message) !== waits(first)) {
    throw new ClientError(`topic ${topic}: waitStoreOk differs within one batch`)
  }
  if (DELAYS.some((name) => properties.has(name))) {
    throw new ClientError(`topic ${topic}: a delayed message in a batch, send it alone`)
  }
  if (topic.startsWith('%RETRY%'))
    throw new ClientError(`topic ${topic}: no batch for a retry topic`)
}

function waits(message: OutgoingMessage): string {
  return message.properties.get(MessageProperty.WAIT) ?? 'true'
}
