import { KvTable } from '../bodies/kv-table.ts'
import { optional, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const PutKvConfig = request(RequestCode.PUT_KV_CONFIG, {
  doc: 'Store a value under a key of a namespace.',
  header: { namespace: text('namespace'), key: text('key'), value: text('value') },
  reply: {},
  fails: [],
})

export const GetKvConfig = request(RequestCode.GET_KV_CONFIG, {
  doc: 'The value of a key.',
  header: { namespace: text('namespace'), key: text('key') },
  reply: { value: optional(text('value')) },
  fails: ['QUERY_NOT_FOUND'],
})

export const DeleteKvConfig = request(RequestCode.DELETE_KV_CONFIG, {
  doc: 'Forget a key.',
  header: { namespace: text('namespace'), key: text('key') },
  reply: {},
  fails: [],
})

export const GetKvListByNamespace = request(RequestCode.GET_KVLIST_BY_NAMESPACE, {
  doc: 'All keys and values of a namespace.',
  replyBody: KvTable,
  header: { namespace: text('namespace') },
  reply: {},
  fails: ['QUERY_NOT_FOUND'],
})

export const UpdateNamesrvConfig = request(RequestCode.UPDATE_NAMESRV_CONFIG, {
  doc: 'Change settings of the name server. The body is lines of `key=value`.',
  header: {},
  reply: {},
  fails: [],
})

export const GetNamesrvConfig = request(RequestCode.GET_NAMESRV_CONFIG, {
  doc: 'The settings of the name server as lines of `key=value`, in the body of the reply.',
  header: {},
  reply: {},
  fails: [],
})
