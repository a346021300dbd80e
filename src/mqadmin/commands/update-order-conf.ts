import { DeleteKvConfig, GetKvConfig, PutKvConfig } from '../../protocol/requests/namesrv-config.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import { ORDER_NAMESPACE } from '../order-conf.ts'

export const command: Command = {
  name: 'updateOrderConf',
  doc: 'Set, show or delete which brokers hold how many queues of an ordered topic.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'v', long: 'orderConf', doc: 'brokerName:queues;brokerName:queues' },
    { short: 'm', long: 'method', doc: 'put, get or delete', isRequired: true },
  ],
  run: updateOrderConf,
}

async function updateOrderConf(call: Call): Promise<void> {
  switch (call.options.needed('m')) {
    case 'put':
      return put(call)
    case 'get':
      return get(call)
    case 'delete':
      return remove(call)
    default:
      throw new AdminError(`-m ${call.options.text('m')}: it must be put, get or delete`)
  }
}

async function put({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  const value = options.needed('v')
  if (!/^[^:;]+:\d+(;[^:;]+:\d+)*;?$/.test(value))
    throw new AdminError(`-v ${value}: it must be like brokerName:8;otherName:8`)
  await admin.tellNameServers(PutKvConfig, { namespace: ORDER_NAMESPACE, key: topic, value })
  out.line(`update orderConf success. topic=[${topic}], orderConf=[${value}]`)
  out.data({ topic, orderConf: value })
}

/** Rejects with QUERY_NOT_FOUND when the topic has none. */
async function get({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  const header = { namespace: ORDER_NAMESPACE, key: topic }
  const { value = '' } = (await admin.askNameServer(GetKvConfig, header)).header
  out.line(`get orderConf success. topic=[${topic}], orderConf=[${value}] `)
  out.data({ topic, orderConf: value })
}

/** Rejects with QUERY_NOT_FOUND when the topic has none. */
async function remove({ options, admin, out }: Call): Promise<void> {
  const topic = options.needed('t')
  await admin.askNameServer(GetKvConfig, { namespace: ORDER_NAMESPACE, key: topic })
  await admin.tellNameServers(DeleteKvConfig, { namespace: ORDER_NAMESPACE, key: topic })
  out.line(`delete orderConf success. topic=[${topic}]`)
  out.data({ topic })
}
