import { bool, i32, i64, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const ConsumerSendMsgBack = request(RequestCode.CONSUMER_SEND_MSG_BACK, {
  doc: 'A message could not be consumed: deliver it again later, or make it a dead letter.',
  header: {
    /** Position of the message in the log. */
    offset: i64('offset'),
    group: text('group'),
    /** 0: the broker chooses, by how often it was tried. Below 0: to the dead letters at once. */
    delayLevel: i32('delayLevel'),
    originMsgId: optional(text('originMsgId')),
    originTopic: optional(text('originTopic')),
    unitMode: orElse(bool('unitMode'), false),
    maxReconsumeTimes: optional(i32('maxReconsumeTimes')),
    brokerName: optional(text('bname')),
  },
  reply: {},
  fails: ['SUBSCRIPTION_GROUP_NOT_EXIST', 'NO_PERMISSION'],
})
