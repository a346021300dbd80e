import { DeleteKvConfig } from '../protocol/requests/namesrv-config.ts'
import { DeleteTopicInNamesrv } from '../protocol/requests/route.ts'
import { DeleteTopicInBroker } from '../protocol/requests/topic.ts'
import type { Admin, NamedBroker } from './admin.ts'
import { ORDER_NAMESPACE } from './order-conf.ts'

/** From the masters of a cluster. Resolves with them. */
export async function deleteFromBrokers(
  admin: Admin,
  topic: string,
  cluster: string,
): Promise<NamedBroker[]> {
  const masters = await admin.masters(cluster)
  for (const { address } of masters) await admin.call(address, DeleteTopicInBroker, { topic })
  return masters
}

/** Afterwards: brokers that still have it would register it again. */
export async function deleteFromNameServers(
  admin: Admin,
  topic: string,
  cluster: string,
): Promise<void> {
  await admin.tellNameServers(DeleteTopicInNamesrv, { topic, clusterName: cluster })
  await admin.tellNameServers(DeleteKvConfig, { namespace: ORDER_NAMESPACE, key: topic })
}
