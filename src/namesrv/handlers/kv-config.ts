import type { Handlers } from '../../net/handlers.ts'
import { KvTable } from '../../protocol/bodies/kv-table.ts'
import {
  DeleteKvConfig,
  GetKvConfig,
  GetKvListByNamespace,
  PutKvConfig,
} from '../../protocol/requests/namesrv-config.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { ORDER_TOPIC_CONFIG } from '../kv-config.ts'
import type { Parts } from '../parts.ts'

/** Key-value settings that clients and brokers share. */
export function serveKvConfig(handlers: Handlers, { kv, table }: Parts): void {
  const onChange = (namespace: string) => {
    if (namespace === ORDER_TOPIC_CONFIG) table.forgetRoutes()
  }
  handlers
    .on(PutKvConfig, ({ namespace, key, value }) => {
      kv.put(namespace, key, value)
      onChange(namespace)
    })
    .on(GetKvConfig, ({ namespace, key }) => {
      const value = kv.get(namespace, key)
      if (value !== undefined) return { header: { value } }
      const remark = `No config item, Namespace: ${namespace} Key: ${key}`
      throw new ResponseError('QUERY_NOT_FOUND', remark)
    })
    .on(DeleteKvConfig, ({ namespace, key }) => {
      kv.delete(namespace, key)
      onChange(namespace)
    })
    .on(GetKvListByNamespace, ({ namespace }) => {
      const found = kv.table(namespace)
      if (found !== undefined) return { body: KvTable.encode({ table: found }) }
      throw new ResponseError('QUERY_NOT_FOUND', `No config item, Namespace: ${namespace}`)
    })
}
