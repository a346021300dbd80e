import { GroupList } from '../bodies/group-list.ts'
import { TopicStatsTable } from '../bodies/message-queue.ts'
import { TopicConfig, TopicConfigList, TopicConfigWrapper } from '../bodies/topic-config.ts'
import { TopicList } from '../bodies/topic-list.ts'
import { bool, i32, oneOfText, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const UpdateAndCreateTopic = request(RequestCode.UPDATE_AND_CREATE_TOPIC, {
  doc: 'Create a topic on this broker, or change it.',
  header: {
    topic: text('topic'),
    defaultTopic: orElse(text('defaultTopic'), ''),
    readQueueNums: i32('readQueueNums'),
    writeQueueNums: i32('writeQueueNums'),
    perm: i32('perm'),
    topicFilterType: orElse(oneOfText('topicFilterType', 'SINGLE_TAG', 'MULTI_TAG'), 'SINGLE_TAG'),
    topicSysFlag: orElse(i32('topicSysFlag'), 0),
    order: orElse(bool('order'), false),
    attributes: optional(text('attributes')),
    force: orElse(bool('force'), false),
  },
  reply: {},
  fails: ['INVALID_PARAMETER'],
})

export const DeleteTopicInBroker = request(RequestCode.DELETE_TOPIC_IN_BROKER, {
  doc: 'Delete a topic with its queues and its committed offsets.',
  header: { topic: text('topic') },
  reply: {},
  fails: [],
})

export const GetAllTopicConfig = request(RequestCode.GET_ALL_TOPIC_CONFIG, {
  doc: 'Every topic of this broker, in the body of the reply.',
  replyBody: TopicConfigWrapper,
  header: {},
  reply: {},
  fails: [],
})

export const GetTopicStatsInfo = request(RequestCode.GET_TOPIC_STATS_INFO, {
  doc: 'Minimum and maximum offset and last store time of each queue of a topic.',
  replyBody: TopicStatsTable,
  header: { topic: text('topic') },
  reply: {},
  fails: ['TOPIC_NOT_EXIST'],
})

export const GetTopicConfig = request(RequestCode.GET_TOPIC_CONFIG, {
  doc: 'One topic of this broker, in the body of the reply.',
  replyBody: TopicConfig,
  header: { topic: text('topic') },
  reply: {},
  fails: ['TOPIC_NOT_EXIST'],
})

export const GetSystemTopicListFromBroker = request(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, {
  doc: 'The topics of this broker that are not for applications.',
  replyBody: TopicList,
  header: {},
  reply: {},
  fails: [],
})

export const QueryTopicConsumeByWho = request(RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, {
  doc: 'The groups that consume a topic, online or not.',
  replyBody: GroupList,
  header: { topic: text('topic') },
  reply: {},
  fails: [],
})

export const UpdateAndCreateTopicList = request(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, {
  doc: 'Create many topics on this broker, or change them. All of them or, when one is wrong, none.',
  body: TopicConfigList,
  header: {},
  reply: {},
  fails: ['INVALID_PARAMETER'],
})
