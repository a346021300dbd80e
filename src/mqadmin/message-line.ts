import { formatMessage, type ReceivedMessage } from '../client/index.ts'

/** One message on one line, as printMsg and consumeMessage print it. Without `decode`: not the body. */
export function messageLine(
  message: ReceivedMessage,
  decode: ((body: Uint8Array) => string) | null,
): string {
  const body = decode === null ? 'NOT PRINT BODY' : decode(message.body)
  return `MSGID: ${message.msgId} ${formatMessage(message)} BODY: ${body}`
}
