import { GetKvConfig, PutKvConfig } from '../protocol/requests/namesrv-config.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin, NamedBroker } from './admin.ts'

/** Where name servers keep which brokers hold the queues of ordered topics (Apache 5.3.3). */
export const ORDER_NAMESPACE = 'ORDER_TOPIC_CONFIG'

/** `broker-a:8;broker-b:8`. Brokers that were named by address only are looked up. */
export async function orderConfOf(
  admin: Admin,
  brokers: readonly NamedBroker[],
  queues: number,
): Promise<string> {
  const known = brokers.every(({ brokerName }) => brokerName !== '') ? [] : await admin.masters()
  const names = brokers.map(
    ({ brokerName, address }) =>
      brokerName || (known.find((each) => each.address === address)?.brokerName ?? address),
  )
  return names.map((name) => `${name}:${queues}`).join(';')
}

/** Brokers that are there already and not named stay as they are. */
export async function setOrderConf(admin: Admin, topic: string, conf: string): Promise<void> {
  const entries = new Map<string, string>()
  for (const pair of [...(await orderConf(admin, topic)).split(';'), ...conf.split(';')]) {
    const [name, count] = pair.split(':')
    if (name !== undefined && count !== undefined) entries.set(name, count)
  }
  const value = [...entries].map((entry) => entry.join(':')).join(';')
  await admin.tellNameServers(PutKvConfig, { namespace: ORDER_NAMESPACE, key: topic, value })
}

/** Empty when there is none. */
async function orderConf(admin: Admin, topic: string): Promise<string> {
  try {
    const header = { namespace: ORDER_NAMESPACE, key: topic }
    const answer = await admin.askNameServer(GetKvConfig, header)
    return answer.header.value ?? ''
  } catch (error) {
    if (error instanceof ResponseError && error.code === ResponseCode.QUERY_NOT_FOUND) return ''
    throw error
  }
}
