import { DeleteKvConfig } from '../../protocol/requests/namesrv-config.ts'
import { DeleteTopicInNamesrv } from '../../protocol/requests/route.ts'
import { DeleteTopicInBroker } from '../../protocol/requests/topic.ts'
import type { Call, Command } from '../command.ts'
import { ORDER_NAMESPACE } from '../order-conf.ts'

export const command: Command = {
  name: 'deleteTopic',
  doc: 'Delete a topic from the brokers of a cluster and from the name servers.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'c', long: 'clusterName', doc: 'from all masters of this cluster', isRequired: true },
  ],
  run: deleteTopic,
}

async function deleteTopic({ options, admin, out }: Call): Promise<void> {
  const [topic, cluster] = [options.needed('t'), options.needed('c')]
  const masters = await admin.masters(cluster)
  for (const { address } of masters) await admin.call(address, DeleteTopicInBroker, { topic })
  out.line('delete topic [%s] from cluster [%s] success.', topic, cluster)
  await admin.tellNameServers(DeleteTopicInNamesrv, { topic, clusterName: cluster })
  out.line('delete topic [%s] from NameServer success.', topic)
  await admin.tellNameServers(DeleteKvConfig, { namespace: ORDER_NAMESPACE, key: topic })
  out.data({ topic, cluster, brokers: masters.map(({ address }) => address) })
}
