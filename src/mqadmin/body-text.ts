import type { ReceivedMessage } from '../client/index.ts'
import { AdminError } from './command.ts'
import type { GivenOptions } from './options.ts'

/** Turns bodies into text by the charset of an option, else as UTF-8. Throws AdminError for a name that is none. */
export function bodyDecoder(options: GivenOptions, short: string): (body: Uint8Array) => string {
  const charset = options.text(short) ?? 'UTF-8'
  try {
    const decoder = new TextDecoder(charset)
    return (body) => decoder.decode(body)
  } catch {
    throw new AdminError(`-${short} ${charset}: there is no such charset, UTF-8 or GBK are some`)
  }
}

/** A message as data: what --json prints. The body is text when it is UTF-8, else base64. */
export function messageData(message: ReceivedMessage): Record<string, unknown> {
  const { stored, msgId, offsetMsgId, topic, brokerName, properties, body } = message
  const text = Buffer.from(body).toString()
  const isText = Buffer.from(text).equals(body)
  return {
    msgId,
    offsetMsgId,
    topic,
    brokerName,
    queueId: stored.queueId,
    queueOffset: stored.queueOffset,
    commitLogOffset: stored.position,
    storeSize: stored.length,
    sysFlag: stored.sysFlag,
    flag: stored.flag,
    reconsumeTimes: message.reconsumeTimes,
    bornTimestamp: stored.bornTimestamp,
    bornHost: message.bornHost,
    storeTimestamp: stored.storeTimestamp,
    storeHost: message.storeHost,
    properties,
    ...(isText ? { body: text } : { bodyBase64: Buffer.from(body).toString('base64') }),
  }
}
