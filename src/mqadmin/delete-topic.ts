import { DeleteKvConfig } from '../protocol/requests/namesrv-config.ts'
import { DeleteTopicInNamesrv } from '../protocol/requests/route.ts'
import { DeleteTopicInBroker } from '../protocol/requests/topic.ts'
import type { Admin, NamedBroker } from './admin.ts'
import { ORDER_NAMESPACE } from './order-conf.ts'

/** From the masters of a cluster, then from the name servers. Resolves with the masters. */
export async function deleteTopicEverywhere(
  admin: Admin,
  { topic, cluster }: { topic: string; cluster: string },
): Promise<NamedBroker[]> {
  const masters = await admin.masters(cluster)
  for (const { address } of masters) await admin.call(address, DeleteTopicInBroker, { topic })
  await admin.tellNameServers(DeleteTopicInNamesrv, { topic, clusterName: cluster })
  await admin.tellNameServers(DeleteKvConfig, { namespace: ORDER_NAMESPACE, key: topic })
  return masters
}
