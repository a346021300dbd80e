import type { Call, Command } from '../command.ts'
import { deleteFromBrokers, deleteFromNameServers } from '../delete-topic.ts'

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
  const masters = await deleteFromBrokers(admin, topic, cluster)
  out.line('delete topic [%s] from cluster [%s] success.', topic, cluster)
  await deleteFromNameServers(admin, topic, cluster)
  out.line('delete topic [%s] from NameServer success.', topic)
  out.data({ topic, cluster, brokers: masters.map(({ address }) => address) })
}
