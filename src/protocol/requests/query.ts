import { bool, i32, i64, millis, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'
import type { HeaderOf } from '../request.ts'
import { ConsumeStats, ConsumeStatsList, ConsumeTimeSpans } from '../bodies/consume-stats.ts'
import { GroupSubscription } from '../bodies/group-list.ts'
import { TopicList } from '../bodies/topic-list.ts'

export const QueryMessage = request(RequestCode.QUERY_MESSAGE, {
  doc: 'Find messages of a topic by key, newest first, stored between two times. The body of the reply is stored messages, in the order of the log.',
  header: {
    topic: text('topic'),
    key: text('key'),
    maxNum: i32('maxNum'),
    beginTimestamp: millis('beginTimestamp'),
    endTimestamp: millis('endTimestamp'),
    /** The key is a UNIQ_KEY; `maxNum` is not looked at. */
    uniqueKeyQuery: optional(bool('_UNIQUE_KEY_QUERY')),
  },
  // Of the newest message in the index; also sent with QUERY_NOT_FOUND.
  reply: {
    indexLastUpdateTimestamp: i64('indexLastUpdateTimestamp'),
    indexLastUpdatePhyoffset: i64('indexLastUpdatePhyoffset'),
  },
  fails: ['QUERY_NOT_FOUND'],
})
export type QueryMessage = HeaderOf<typeof QueryMessage>

export const ViewMessageById = request(RequestCode.VIEW_MESSAGE_BY_ID, {
  doc: 'Read the message at a position of the log, which its id names. The body of the reply is the stored message.',
  header: { topic: optional(text('topic')), offset: i64('offset') },
  reply: {},
  fails: [],
})

export const GetConsumeStats = request(RequestCode.GET_CONSUME_STATS, {
  doc: 'Tell how far a group has come in each queue of a topic, or of all topics it consumes.',
  header: { consumerGroup: text('consumerGroup'), topic: optional(text('topic')) },
  reply: {},
  replyBody: ConsumeStats,
  fails: [],
})

export const GetBrokerConsumeStats = request(RequestCode.GET_BROKER_CONSUME_STATS, {
  doc: 'How far every group of this broker has come in each topic that it consumes.',
  header: { isOrder: orElse(bool('isOrder'), false) },
  reply: {},
  replyBody: ConsumeStatsList,
  fails: [],
})

export const QueryConsumeTimeSpan = request(RequestCode.QUERY_CONSUME_TIME_SPAN, {
  doc: 'Store times of each queue of a topic: first, last, and how far a group has come.',
  header: { topic: text('topic'), group: text('group') },
  reply: {},
  replyBody: ConsumeTimeSpans,
  fails: ['TOPIC_NOT_EXIST'],
})

export const QueryTopicsByConsumer = request(RequestCode.QUERY_TOPICS_BY_CONSUMER, {
  doc: 'The topics in which a group has committed offsets.',
  header: { group: text('group') },
  reply: {},
  replyBody: TopicList,
  fails: [],
})

export const QuerySubscriptionByConsumer = request(RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER, {
  doc: 'What the connected consumers of a group want of a topic.',
  header: { group: text('group'), topic: text('topic') },
  reply: {},
  replyBody: GroupSubscription,
  fails: [],
})
