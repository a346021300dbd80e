import { ConsumerConnection, ProducerConnection, ProducerTable } from '../bodies/connections.ts'
import { ConsumerRunningInfo, ConsumerStatus } from '../bodies/running-info.ts'
import { CheckClientBody, ConsumerList, HeartbeatData } from '../bodies/heartbeat.ts'
import { LockBatchBody, LockBatchReply } from '../bodies/message-queue.ts'
import { bool, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const HeartBeat = request(RequestCode.HEART_BEAT, {
  doc: 'A client says which groups it produces and consumes for. The version in the header of the reply decides whether clients dare to use SQL92.',
  body: HeartbeatData,
  header: {},
  reply: {
    supportsHeartbeatV2: optional(bool('IS_SUPPORT_HEART_BEAT_V2')),
    subscriptionChanged: optional(bool('IS_SUB_CHANGE')),
  },
  fails: [],
})

export const UnregisterClient = request(RequestCode.UNREGISTER_CLIENT, {
  doc: 'A client leaves a group.',
  header: {
    clientID: text('clientID'),
    producerGroup: optional(text('producerGroup')),
    consumerGroup: optional(text('consumerGroup')),
  },
  reply: {},
  fails: [],
})

export const GetConsumerListByGroup = request(RequestCode.GET_CONSUMER_LIST_BY_GROUP, {
  doc: 'The client ids that consume for a group, in the body of the reply. SYSTEM_ERROR when there are none.',
  replyBody: ConsumerList,
  header: { consumerGroup: text('consumerGroup') },
  reply: {},
  fails: [],
})

export const NotifyConsumerIdsChanged = request(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, {
  doc: 'Broker to client, one-way: the members of the group changed, rebalance now.',
  header: { consumerGroup: text('consumerGroup') },
  reply: {},
  fails: [],
})

export const CheckClientConfig = request(RequestCode.CHECK_CLIENT_CONFIG, {
  doc: 'Whether this broker can filter by the subscription in the body. Sent before the first SQL92 pull.',
  body: CheckClientBody,
  header: {},
  reply: {},
  fails: ['SUBSCRIPTION_PARSE_FAILED'],
})

export const LockBatchMq = request(RequestCode.LOCK_BATCH_MQ, {
  doc: 'An orderly consumer takes queues for itself; those it got are in the body of the reply.',
  body: LockBatchBody,
  replyBody: LockBatchReply,
  header: {},
  reply: {},
  fails: [],
})

export const UnlockBatchMq = request(RequestCode.UNLOCK_BATCH_MQ, {
  doc: 'An orderly consumer gives queues back.',
  body: LockBatchBody,
  header: {},
  reply: {},
  fails: [],
})

export const GetConsumerConnectionList = request(RequestCode.GET_CONSUMER_CONNECTION_LIST, {
  doc: 'The connections of a consumer group, and what it subscribes to.',
  replyBody: ConsumerConnection,
  header: { consumerGroup: text('consumerGroup') },
  reply: {},
  fails: ['CONSUMER_NOT_ONLINE'],
})

export const GetProducerConnectionList = request(RequestCode.GET_PRODUCER_CONNECTION_LIST, {
  doc: 'The connections of a producer group. SYSTEM_ERROR when there are none.',
  replyBody: ProducerConnection,
  header: { producerGroup: text('producerGroup') },
  reply: {},
  fails: [],
})

export const GetAllProducerInfo = request(RequestCode.GET_ALL_PRODUCER_INFO, {
  doc: 'Every producer of this broker, by group.',
  replyBody: ProducerTable,
  header: {},
  reply: {},
  fails: [],
})

export const GetConsumerRunningInfo = request(RequestCode.GET_CONSUMER_RUNNING_INFO, {
  doc: 'What a consumer says of itself: settings, queues, speed. The broker asks the client and passes its answer on.',
  replyBody: ConsumerRunningInfo,
  header: {
    consumerGroup: text('consumerGroup'),
    clientId: text('clientId'),
    jstackEnable: orElse(bool('jstackEnable'), false),
  },
  reply: {},
  fails: ['CONSUME_MSG_TIMEOUT'],
})

const consumerStatusHeader = {
  topic: text('topic'),
  group: text('group'),
  /** A client id, whatever its name says. */
  clientAddr: optional(text('clientAddr')),
}

export const InvokeBrokerToGetConsumerStatus = request(
  RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
  {
    doc: 'The offsets that the consumers of a group are at, as they say themselves.',
    replyBody: ConsumerStatus,
    header: consumerStatusHeader,
    reply: {},
    fails: [],
  },
)

export const GetConsumerStatusFromClient = request(RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, {
  doc: 'Broker to client: which offsets are you at?',
  replyBody: ConsumerStatus,
  header: consumerStatusHeader,
  reply: {},
  fails: [],
})
