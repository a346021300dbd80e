import { ConsumeDirectlyResult } from '../bodies/consume-directly-result.ts'
import { optional, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const ConsumeMessageDirectly = request(RequestCode.CONSUME_MESSAGE_DIRECTLY, {
  doc: 'Have a consumer consume a message now, by the id that the broker gave it. The broker passes it on to the client, with the message in the body.',
  replyBody: ConsumeDirectlyResult,
  header: {
    consumerGroup: text('consumerGroup'),
    clientId: optional(text('clientId')),
    msgId: optional(text('msgId')),
    brokerName: optional(text('brokerName')),
    topic: optional(text('topic')),
  },
  reply: {},
  fails: [],
})
