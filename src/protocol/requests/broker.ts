import { KvTable } from '../bodies/kv-table.ts'
import { text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const GetBrokerRuntimeInfo = request(RequestCode.GET_BROKER_RUNTIME_INFO, {
  doc: 'Counters and positions of a broker as a table of texts, in the body of the reply.',
  replyBody: KvTable,
  header: {},
  reply: {},
  fails: [],
})

export const GetBrokerConfig = request(RequestCode.GET_BROKER_CONFIG, {
  doc: 'The settings of a broker as lines of `key=value`, in the body of the reply.',
  header: {},
  reply: { version: text('version') },
  fails: [],
})

export const UpdateBrokerConfig = request(RequestCode.UPDATE_BROKER_CONFIG, {
  doc: 'Change settings of the broker. The body is lines of `key=value`.',
  header: {},
  reply: {},
  fails: ['NO_PERMISSION'],
})

export const CleanExpiredConsumeQueue = request(RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, {
  doc: 'Removes consume queue and index files now that hold nothing but deleted messages. Offsets go on.',
  header: {},
  reply: {},
  fails: [],
})

export const CleanUnusedTopic = request(RequestCode.CLEAN_UNUSED_TOPIC, {
  doc: 'Removes the queues of topics that are in the store, but not in the configuration.',
  header: {},
  reply: {},
  fails: [],
})

export const DeleteExpiredCommitLog = request(RequestCode.DELETE_EXPIRED_COMMITLOG, {
  doc: 'Deletes log files past fileReservedTime now, whatever deleteWhen says.',
  header: {},
  reply: {},
  fails: [],
})
