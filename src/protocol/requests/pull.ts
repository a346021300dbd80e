import { i32, i64, millis, optional, orElse, stamp, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'
import type { HeaderOf, ReplyOf } from '../request.ts'
import type { ResponseCodeName } from '../response-code.ts'

/** Bits of `sysFlag` in a pull; not those of a message. Source: Apache 5.3.3, PullSysFlag. */
export const PullFlag = {
  /** `commitOffset` is to be stored. */
  COMMIT_OFFSET: 1,
  /** May be held until a message comes. */
  SUSPEND: 2,
  /** The subscription comes with the request. */
  SUBSCRIPTION: 4,
  CLASS_FILTER: 8,
  LITE_PULL: 16,
} as const

const header = {
  consumerGroup: text('consumerGroup'),
  topic: text('topic'),
  queueId: i32('queueId'),
  queueOffset: i64('queueOffset'),
  maxMsgNums: i32('maxMsgNums'),
  sysFlag: orElse(i32('sysFlag'), 0),
  commitOffset: orElse(i64('commitOffset'), 0),
  suspendTimeoutMillis: orElse(millis('suspendTimeoutMillis'), 0),
  subscription: optional(text('subscription')),
  subVersion: orElse(stamp('subVersion'), 0),
  expressionType: optional(text('expressionType')),
  maxMsgBytes: optional(i32('maxMsgBytes')),
  requestSource: optional(i32('requestSource')),
  proxyFrowardClientId: optional(text('proxyFrowardClientId')),
}

/** Also sent with PULL_NOT_FOUND, PULL_RETRY_IMMEDIATELY and PULL_OFFSET_MOVED: clients read it there. */
const reply = {
  suggestWhichBrokerId: i64('suggestWhichBrokerId'),
  nextBeginOffset: i64('nextBeginOffset'),
  minOffset: i64('minOffset'),
  maxOffset: i64('maxOffset'),
  offsetDelta: optional(i64('offsetDelta')),
  topicSysFlag: optional(i32('topicSysFlag')),
  groupSysFlag: optional(i32('groupSysFlag')),
  forbiddenType: optional(i32('forbiddenType')),
}

const fails: ResponseCodeName[] = [
  'PULL_NOT_FOUND',
  'PULL_RETRY_IMMEDIATELY',
  'PULL_OFFSET_MOVED',
  'NO_PERMISSION',
  'TOPIC_NOT_EXIST',
  'SUBSCRIPTION_GROUP_NOT_EXIST',
  'SUBSCRIPTION_PARSE_FAILED',
  'SUBSCRIPTION_NOT_EXIST',
  'SUBSCRIPTION_NOT_LATEST',
  'FILTER_DATA_NOT_EXIST',
  'FILTER_DATA_NOT_LATEST',
  'INVALID_PARAMETER',
]

export const PullMessage = request(RequestCode.PULL_MESSAGE, {
  doc: 'Read messages of one queue from an offset on; may be held. The body of the reply is stored messages.',
  header,
  reply,
  fails,
})

export const LitePullMessage = request(RequestCode.LITE_PULL_MESSAGE, {
  doc: 'PULL_MESSAGE as sent by DefaultLitePullConsumer.',
  header,
  reply,
  fails,
})

export type PullHeader = HeaderOf<typeof PullMessage>
export type PullReply = ReplyOf<typeof PullMessage>
