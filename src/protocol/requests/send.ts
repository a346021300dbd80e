import { bool, i32, i64, millis, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'
import type { HeaderOf, ReplyOf } from '../request.ts'
import type { ResponseCodeName } from '../response-code.ts'

/** All of them but SUCCESS, FLUSH_* and SLAVE_NOT_AVAILABLE mean: nothing was stored. */
const fails: ResponseCodeName[] = [
  'FLUSH_DISK_TIMEOUT',
  'FLUSH_SLAVE_TIMEOUT',
  'SLAVE_NOT_AVAILABLE',
  'MESSAGE_ILLEGAL',
  'SERVICE_NOT_AVAILABLE',
  'NO_PERMISSION',
  'TOPIC_NOT_EXIST',
  'INVALID_PARAMETER',
]

/** The client wants `msgId` in hex (32 or 56 digits) and, with every answer, some extFields. */
export const sendReply = {
  msgId: text('msgId'),
  queueId: i32('queueId'),
  queueOffset: i64('queueOffset'),
  transactionId: optional(text('transactionId')),
  batchUniqId: optional(text('batchUniqId')),
  recallHandle: optional(text('recallHandle')),
  region: optional(text('MSG_REGION')),
  traceOn: optional(bool('TRACE_ON')),
}

/** Short keys: this is the hottest request on the wire. */
export const shortSendHeader = {
  producerGroup: text('a'),
  topic: text('b'),
  defaultTopic: orElse(text('c'), ''),
  defaultTopicQueueNums: orElse(i32('d'), 4),
  queueId: i32('e'),
  sysFlag: orElse(i32('f'), 0),
  bornTimestamp: orElse(millis('g'), 0),
  flag: orElse(i32('h'), 0),
  properties: optional(text('i')),
  reconsumeTimes: orElse(i32('j'), 0),
  unitMode: orElse(bool('k'), false),
  maxReconsumeTimes: optional(i32('l')),
  batch: orElse(bool('m'), false),
  brokerName: optional(text('n')),
}

/** What stands with a message wherever it goes; SendMessage and the push of an answer have more. */
export const messageHeader = {
  producerGroup: text('producerGroup'),
  topic: text('topic'),
  defaultTopic: orElse(text('defaultTopic'), ''),
  defaultTopicQueueNums: orElse(i32('defaultTopicQueueNums'), 4),
  queueId: i32('queueId'),
  sysFlag: orElse(i32('sysFlag'), 0),
  bornTimestamp: orElse(millis('bornTimestamp'), 0),
  flag: orElse(i32('flag'), 0),
  properties: optional(text('properties')),
  reconsumeTimes: orElse(i32('reconsumeTimes'), 0),
  unitMode: orElse(bool('unitMode'), false),
}

export const longSendHeader = {
  ...messageHeader,
  maxReconsumeTimes: optional(i32('maxReconsumeTimes')),
  batch: orElse(bool('batch'), false),
  brokerName: optional(text('bname')),
}

export const SendMessage = request(RequestCode.SEND_MESSAGE, {
  doc: 'Append one message. The body of the request is the body of the message.',
  header: longSendHeader,
  reply: sendReply,
  fails,
})

export const SendMessageV2 = request(RequestCode.SEND_MESSAGE_V2, {
  doc: 'Append one message: SEND_MESSAGE with short keys.',
  header: shortSendHeader,
  reply: sendReply,
  fails,
})

export const SendBatchMessage = request(RequestCode.SEND_BATCH_MESSAGE, {
  doc: 'Append several messages of one topic to one queue, all or none. The body is a batch body.',
  header: shortSendHeader,
  reply: sendReply,
  fails,
})

/** The header of all three, whatever its keys were. */
export type SendHeader = HeaderOf<typeof SendMessageV2>
export type SendReply = ReplyOf<typeof SendMessageV2>
