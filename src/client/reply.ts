import { MessageProperty } from '../protocol/message-property.ts'
import { ClientError } from './client-error.ts'
import type { Message, OutgoingMessage } from './message.ts'
import type { ReceivedMessage } from './received-message.ts'

/** MSG_TYPE of an answer. */
export const REPLY_TYPE = 'reply'

/** The answer to a message. Throws ClientError when nobody waits for one (Apache 5.3.3, MessageUtil). */
export function answerTo(
  { msgId, properties }: ReceivedMessage,
  body: Uint8Array | string,
  outgoing: (message: Message) => OutgoingMessage,
): OutgoingMessage {
  const { CLUSTER, CORRELATION_ID, REPLY_TO_CLIENT, TTL, MSG_TYPE } = MessageProperty
  const needed = [CLUSTER, CORRELATION_ID, REPLY_TO_CLIENT].find((name) => !properties.has(name))
  if (needed !== undefined) {
    throw new ClientError(`message ${msgId} waits for no answer: it has no property ${needed}`)
  }
  const answer = outgoing({ topic: `${properties.get(CLUSTER)}_REPLY_TOPIC`, body })
  const own = new Map(answer.properties).set(MSG_TYPE, REPLY_TYPE)
  for (const name of [CORRELATION_ID, REPLY_TO_CLIENT, TTL]) {
    const value = properties.get(name)
    if (value !== undefined) own.set(name, value)
  }
  return { ...answer, properties: own }
}
