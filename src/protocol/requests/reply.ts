/** Request and reply: a consumer answers the producer of a message through the broker. */
import { millis, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'
import type { HeaderOf } from '../request.ts'
import { longSendHeader, messageHeader, sendReply, shortSendHeader } from './send.ts'

export const SendReplyMessage = request(RequestCode.SEND_REPLY_MESSAGE, {
  doc: 'Pass the answer to a message on to its producer: the client that the property REPLY_TO_CLIENT names. SYSTEM_ERROR when it is not there or does not take it.',
  header: longSendHeader,
  reply: sendReply,
  fails: ['NO_PERMISSION', 'TOPIC_NOT_EXIST', 'MESSAGE_ILLEGAL', 'INVALID_PARAMETER'],
})

export const SendReplyMessageV2 = request(RequestCode.SEND_REPLY_MESSAGE_V2, {
  doc: 'SEND_REPLY_MESSAGE with short keys.',
  header: shortSendHeader,
  reply: sendReply,
  fails: ['NO_PERMISSION', 'TOPIC_NOT_EXIST', 'MESSAGE_ILLEGAL', 'INVALID_PARAMETER'],
})

export const PushReplyMessageToClient = request(RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, {
  doc: 'Broker to client: the answer to a message that it sent, to be matched by CORRELATION_ID.',
  header: {
    ...messageHeader,
    /** `ip:port` of the client that replied. */
    bornHost: text('bornHost'),
    /** `ip:port` of the broker. */
    storeHost: text('storeHost'),
    storeTimestamp: orElse(millis('storeTimestamp'), 0),
  },
  reply: {},
  fails: [],
})
export type PushReplyHeader = HeaderOf<typeof PushReplyMessageToClient>
