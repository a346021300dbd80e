import { BrokerMemberGroupReply } from '../bodies/cluster-info.ts'
import { DataVersion } from '../bodies/data-version.ts'
import { KvTable } from '../bodies/kv-table.ts'
import { RegisterBrokerBody } from '../bodies/register-broker.ts'
import { TopicRouteData } from '../bodies/topic-route.ts'
import { bool, i32, i64, millis, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

const broker = {
  brokerName: text('brokerName'),
  brokerAddr: text('brokerAddr'),
  clusterName: text('clusterName'),
  brokerId: i64('brokerId'),
}

export const RegisterBroker = request(RequestCode.REGISTER_BROKER, {
  doc: 'A broker says that it lives and which topics it holds.',
  body: RegisterBrokerBody,
  replyBody: KvTable,
  header: {
    brokerName: text('brokerName'),
    brokerAddr: text('brokerAddr'),
    clusterName: text('clusterName'),
    haServerAddr: orElse(text('haServerAddr'), ''),
    brokerId: i64('brokerId'),
    heartbeatTimeoutMillis: optional(millis('heartbeatTimeoutMillis')),
    enableActingMaster: optional(bool('enableActingMaster')),
    compressed: orElse(bool('compressed'), false),
    bodyCrc32: orElse(i32('bodyCrc32'), 0),
  },
  reply: {
    haServerAddr: optional(text('haServerAddr')),
    masterAddr: optional(text('masterAddr')),
  },
  fails: [],
})

export const UnregisterBroker = request(RequestCode.UNREGISTER_BROKER, {
  doc: 'A broker leaves.',
  header: broker,
  reply: {},
  fails: [],
})

export const QueryDataVersion = request(RequestCode.QUERY_DATA_VERSION, {
  doc: 'Whether the topics of a broker, of the version in the body, differ from what is known here. Counts as a heartbeat.',
  body: DataVersion,
  replyBody: DataVersion,
  header: broker,
  reply: { changed: bool('changed') },
  fails: [],
})

export const BrokerHeartbeat = request(RequestCode.BROKER_HEARTBEAT, {
  doc: 'A broker says that it lives. One-way.',
  header: {
    clusterName: text('clusterName'),
    brokerAddr: text('brokerAddr'),
    brokerName: text('brokerName'),
    brokerId: optional(i64('brokerId')),
    epoch: optional(i32('epoch')),
    maxOffset: optional(i64('maxOffset')),
    confirmOffset: optional(i64('confirmOffset')),
    heartbeatTimeoutMills: optional(millis('heartbeatTimeoutMills')),
    electionPriority: optional(i32('electionPriority')),
  },
  reply: {},
  fails: [],
})

export const GetBrokerMemberGroup = request(RequestCode.GET_BROKER_MEMBER_GROUP, {
  doc: 'The addresses of all brokers of one name.',
  replyBody: BrokerMemberGroupReply,
  header: { clusterName: text('clusterName'), brokerName: text('brokerName') },
  reply: {},
  fails: [],
})

export const RegisterTopicInNamesrv = request(RequestCode.REGISTER_TOPIC_IN_NAMESRV, {
  doc: 'A broker announces one topic; its queues are in the body.',
  body: TopicRouteData,
  header: { topic: text('topic') },
  reply: {},
  fails: [],
})

export const WipeWritePermOfBroker = request(RequestCode.WIPE_WRITE_PERM_OF_BROKER, {
  doc: 'Take the write permission from all queues of a broker.',
  header: { brokerName: text('brokerName') },
  reply: { wipeTopicCount: i32('wipeTopicCount') },
  fails: [],
})

export const AddWritePermOfBroker = request(RequestCode.ADD_WRITE_PERM_OF_BROKER, {
  doc: 'Give the write permission to all queues of a broker.',
  header: { brokerName: text('brokerName') },
  reply: { addTopicCount: i32('addTopicCount') },
  fails: [],
})
