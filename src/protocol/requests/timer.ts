import { optional, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const RecallMessage = request(RequestCode.RECALL_MESSAGE, {
  doc: 'Do not deliver a message that waits for its time. Needs recallMessageEnable.',
  header: {
    producerGroup: optional(text('producerGroup')),
    topic: text('topic'),
    /** From the answer to its send. */
    recallHandle: text('recallHandle'),
    brokerName: optional(text('bname')),
  },
  /** The UNIQ_KEY of the message. */
  reply: { msgId: text('msgId'), region: optional(text('MSG_REGION')) },
  fails: ['NO_PERMISSION', 'TOPIC_NOT_EXIST', 'ILLEGAL_OPERATION', 'SERVICE_NOT_AVAILABLE'],
})

export const GetTimerCheckPoint = request(RequestCode.GET_TIMER_CHECK_POINT, {
  doc: 'How far timed messages were put in and delivered. The body is seven 64-bit numbers, as in `config/timercheck`.',
  header: {},
  reply: {},
  fails: ['SYSTEM_ERROR'],
})

export const GetTimerMetrics = request(RequestCode.GET_TIMER_METRICS, {
  doc: 'How many timed messages wait for each topic. The body is the content of `config/timermetrics`.',
  header: {},
  reply: {},
  fails: ['SYSTEM_ERROR'],
})
