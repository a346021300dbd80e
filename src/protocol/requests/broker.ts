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
