import { KvTable } from '../bodies/kv-table.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const GetBrokerRuntimeInfo = request(RequestCode.GET_BROKER_RUNTIME_INFO, {
  doc: 'Counters and positions of a broker as a table of texts, in the body of the reply.',
  replyBody: KvTable,
  header: {},
  reply: {},
  fails: [],
})
