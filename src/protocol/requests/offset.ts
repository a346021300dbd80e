import { ConsumerOffsetWrapper, ResetOffsetBody } from '../bodies/consumer-offset.ts'
import { bool, i32, i64, millis, oneOfText, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

const queue = { topic: text('topic'), queueId: i32('queueId') }

export const QueryConsumerOffset = request(RequestCode.QUERY_CONSUMER_OFFSET, {
  doc: 'The committed offset of a group in a queue.',
  header: {
    consumerGroup: text('consumerGroup'),
    ...queue,
    setZeroIfNotFound: optional(bool('setZeroIfNotFound')),
  },
  reply: { offset: i64('offset') },
  fails: ['QUERY_NOT_FOUND'],
})

export const UpdateConsumerOffset = request(RequestCode.UPDATE_CONSUMER_OFFSET, {
  doc: 'Commit the offset of a group in a queue. Clients send it one-way.',
  header: {
    consumerGroup: text('consumerGroup'),
    ...queue,
    commitOffset: i64('commitOffset'),
  },
  reply: {},
  fails: ['TOPIC_NOT_EXIST'],
})

export const GetMaxOffset = request(RequestCode.GET_MAX_OFFSET, {
  doc: 'The offset that the next message of a queue will get.',
  header: { ...queue, committed: orElse(bool('committed'), true) },
  reply: { offset: i64('offset') },
  fails: [],
})

export const GetMinOffset = request(RequestCode.GET_MIN_OFFSET, {
  doc: 'The offset of the oldest message of a queue.',
  header: queue,
  reply: { offset: i64('offset') },
  fails: [],
})

export const SearchOffsetByTimestamp = request(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, {
  doc: 'The offset of the message stored at or about a time.',
  header: {
    ...queue,
    timestamp: millis('timestamp'),
    boundaryType: orElse(oneOfText('boundaryType', 'LOWER', 'UPPER'), 'LOWER'),
  },
  reply: { offset: i64('offset') },
  fails: [],
})

export const GetEarliestMsgStoretime = request(RequestCode.GET_EARLIEST_MSG_STORETIME, {
  doc: 'When the oldest message of a queue was stored; -1 when the queue is empty.',
  header: queue,
  reply: { timestamp: millis('timestamp') },
  fails: [],
})

export const GetAllConsumerOffset = request(RequestCode.GET_ALL_CONSUMER_OFFSET, {
  doc: 'Every committed offset of this broker, in the body of the reply. Slaves ask for it.',
  replyBody: ConsumerOffsetWrapper,
  header: {},
  reply: {},
  fails: [],
})

export const InvokeBrokerToResetOffset = request(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, {
  doc: 'Move a group in a queue, or in all queues of a topic, to a time or an offset. Consumers that are online hear of it when they pull.',
  header: {
    topic: text('topic'),
    group: text('group'),
    /** -1: all queues. */
    queueId: orElse(i32('queueId'), -1),
    /** -1 or none: `timestamp` counts. */
    offset: optional(i64('offset')),
    /** -1: the end of the queue. */
    timestamp: orElse(millis('timestamp'), 0),
    isForce: orElse(bool('isForce'), false),
  },
  reply: {},
  replyBody: ResetOffsetBody,
  fails: ['TOPIC_NOT_EXIST', 'SUBSCRIPTION_GROUP_NOT_EXIST'],
})

export const ResetConsumerClientOffset = request(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, {
  doc: "Broker to client, one-way: go on from these offsets, which are in the body. Apache's brokers send it with useServerSideResetOffset=false.",
  body: ResetOffsetBody,
  header: {
    topic: text('topic'),
    group: text('group'),
    timestamp: orElse(millis('timestamp'), 0),
    isForce: orElse(bool('isForce'), false),
  },
  reply: {},
  fails: [],
})

export const CloneGroupOffset = request(RequestCode.CLONE_GROUP_OFFSET, {
  doc: 'Copy the committed offsets of a group in a topic, or in all its topics, to another group.',
  header: {
    srcGroup: text('srcGroup'),
    destGroup: text('destGroup'),
    topic: optional(text('topic')),
    /** Also of topics that the source group, which is online, does not subscribe to. */
    offline: orElse(bool('offline'), false),
  },
  reply: {},
  fails: ['SUBSCRIPTION_GROUP_NOT_EXIST'],
})
