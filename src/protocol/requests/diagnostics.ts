import { BrokerStatsData } from '../bodies/broker-stats.ts'
import { ConsumeDirectlyResult } from '../bodies/consume-directly-result.ts'
import { QueryConsumeQueueReply } from '../bodies/consume-queue.ts'
import { EpochCache } from '../bodies/epoch-cache.ts'
import { HaStatus } from '../bodies/ha-status.ts'
import { i32, i64, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const QueryConsumeQueue = request(RequestCode.QUERY_CONSUME_QUEUE, {
  doc: 'Entries of a consume queue from `index` on, and what the subscription of a group makes of them.',
  replyBody: QueryConsumeQueueReply,
  header: {
    topic: text('topic'),
    queueId: orElse(i32('queueId'), 0),
    index: orElse(i64('index'), 0),
    count: orElse(i32('count'), 0),
    consumerGroup: optional(text('consumerGroup')),
  },
  reply: {},
  fails: [],
})

export const ViewBrokerStatsData = request(RequestCode.VIEW_BROKER_STATS_DATA, {
  doc: 'How often something happened in the last minute, hour and day: `statsName` says what, such as TOPIC_PUT_NUMS, `statsKey` to whom.',
  replyBody: BrokerStatsData,
  header: { statsName: text('statsName'), statsKey: text('statsKey') },
  reply: {},
  fails: [],
})

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

export const GetBrokerHaStatus = request(RequestCode.GET_BROKER_HA_STATUS, {
  doc: 'Which slaves follow this broker, and how far they are; or which master it follows.',
  replyBody: HaStatus,
  header: {},
  reply: {},
  fails: [],
})

export const GetBrokerEpochCache = request(RequestCode.GET_BROKER_EPOCH_CACHE, {
  doc: 'The epochs of a broker under a controller. Any other answers SYSTEM_ERROR.',
  replyBody: EpochCache,
  header: {},
  reply: {},
  fails: [],
})

export const GetColdDataFlowCtrInfo = request(RequestCode.GET_COLD_DATA_FLOW_CTR_INFO, {
  doc: "Apache's: which groups are slowed down for reading old messages, as JSON text in the body of the reply.",
  header: {},
  reply: {},
  fails: [],
})

export const UpdateColdDataFlowCtrConfig = request(RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG, {
  doc: "Apache's: how many bytes of old messages groups may read a second. The body is lines of `group=bytes`.",
  header: {},
  reply: {},
  fails: [],
})

export const RemoveColdDataFlowCtrConfig = request(RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG, {
  doc: "Apache's: forget such a limit. The body is the name of the group.",
  header: {},
  reply: {},
  fails: [],
})

export const SetCommitLogReadMode = request(RequestCode.SET_COMMITLOG_READ_MODE, {
  doc: "Apache's: how the system reads ahead in its mapped log files, 0 as usual, 1 not at all.",
  header: { mode: i32('READ_AHEAD_MODE') },
  reply: {},
  fails: [],
})
