import { AssignmentBody, AssignmentReply } from '../bodies/assignment.ts'
import { BatchAckBody } from '../bodies/batch-ack.ts'
import { bool, i32, i64, millis, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'
import type { HeaderOf, ReplyOf } from '../request.ts'
import type { ResponseCodeName } from '../response-code.ts'

/** Where a group begins that has no offset in a queue. Source: Apache 5.3.3, ConsumeInitMode. */
export const InitMode = { MIN: 0, MAX: 1 } as const

const place = {
  consumerGroup: text('consumerGroup'),
  topic: text('topic'),
  /** -1: any queue. */
  queueId: i32('queueId'),
}

const receipt = {
  consumerGroup: text('consumerGroup'),
  topic: text('topic'),
  queueId: i32('queueId'),
  /** The receipt, see pop-receipt.ts. */
  extraInfo: text('extraInfo'),
  offset: i64('offset'),
}

/** Also sent with POLLING_FULL, POLLING_TIMEOUT and PULL_NOT_FOUND: clients read it there. */
const popReply = {
  popTime: i64('popTime'),
  invisibleTime: millis('invisibleTime'),
  reviveQid: i32('reviveQid'),
  restNum: i64('restNum'),
  startOffsetInfo: optional(text('startOffsetInfo')),
  msgOffsetInfo: optional(text('msgOffsetInfo')),
  orderCountInfo: optional(text('orderCountInfo')),
}

const refusals: ResponseCodeName[] = [
  'NO_PERMISSION',
  'TOPIC_NOT_EXIST',
  'SUBSCRIPTION_GROUP_NOT_EXIST',
  'INVALID_PARAMETER',
]

const ackRefusals: ResponseCodeName[] = [
  'TOPIC_NOT_EXIST',
  'SUBSCRIPTION_GROUP_NOT_EXIST',
  'MESSAGE_ILLEGAL',
  'NO_MESSAGE',
]

export const PopMessage = request(RequestCode.POP_MESSAGE, {
  doc: 'Take messages of a topic, which others of the group do not get while they are invisible; may be held. The body of the reply is stored messages.',
  header: {
    ...place,
    maxMsgNums: i32('maxMsgNums'),
    invisibleTime: millis('invisibleTime'),
    pollTime: millis('pollTime'),
    bornTime: orElse(i64('bornTime'), 0),
    initMode: i32('initMode'),
    expType: optional(text('expType')),
    exp: optional(text('exp')),
    order: orElse(bool('order'), false),
    attemptId: optional(text('attemptId')),
  },
  reply: popReply,
  fails: ['POLLING_FULL', 'POLLING_TIMEOUT', 'SUBSCRIPTION_PARSE_FAILED', ...refusals],
})

export const PeekMessage = request(RequestCode.PEEK_MESSAGE, {
  doc: 'Read what a pop would take, and take nothing.',
  header: { ...place, maxMsgNums: i32('maxMsgNums') },
  reply: popReply,
  fails: ['PULL_NOT_FOUND', ...refusals],
})

export const AckMessage = request(RequestCode.ACK_MESSAGE, {
  doc: 'A message that was popped is consumed.',
  header: receipt,
  reply: {},
  fails: ackRefusals,
})

export const BatchAckMessage = request(RequestCode.BATCH_ACK_MESSAGE, {
  doc: 'Messages that were popped are consumed. They are in the body.',
  body: BatchAckBody,
  header: {},
  reply: {},
  fails: ackRefusals,
})

export const ChangeMessageInvisibleTime = request(RequestCode.CHANGE_MESSAGE_INVISIBLETIME, {
  doc: 'A message that was popped stays invisible for so long from now on. The reply makes a new receipt.',
  header: { ...receipt, invisibleTime: millis('invisibleTime') },
  reply: {
    popTime: i64('popTime'),
    invisibleTime: millis('invisibleTime'),
    reviveQid: i32('reviveQid'),
  },
  fails: [...ackRefusals, 'INVALID_PARAMETER'],
})

export const Notification = request(RequestCode.NOTIFICATION, {
  doc: 'Whether a pop would find a message; may be held until there is one.',
  header: {
    ...place,
    pollTime: millis('pollTime'),
    bornTime: orElse(i64('bornTime'), 0),
    order: orElse(bool('order'), false),
    attemptId: optional(text('attemptId')),
  },
  reply: { hasMsg: bool('hasMsg'), pollingFull: orElse(bool('pollingFull'), false) },
  fails: refusals,
})

export const PollingInfo = request(RequestCode.POLLING_INFO, {
  doc: 'How many pops of a group are held.',
  header: place,
  reply: { pollingNum: i32('pollingNum') },
  fails: refusals,
})

export const QueryAssignment = request(RequestCode.QUERY_ASSIGNMENT, {
  doc: 'The queues that a consumer is to read, and how: the broker shares them out.',
  body: AssignmentBody,
  header: {},
  replyBody: AssignmentReply,
  reply: {},
  fails: [],
})

export type PopHeader = HeaderOf<typeof PopMessage>
export type PopReply = ReplyOf<typeof PopMessage>
export type PeekHeader = HeaderOf<typeof PeekMessage>
export type AckHeader = HeaderOf<typeof AckMessage>
export type ChangeHeader = HeaderOf<typeof ChangeMessageInvisibleTime>
export type ChangeReply = ReplyOf<typeof ChangeMessageInvisibleTime>
export type NotificationHeader = HeaderOf<typeof Notification>
export type PollingInfoHeader = HeaderOf<typeof PollingInfo>
