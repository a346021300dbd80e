import { GetTopicConfig } from '../../protocol/requests/topic.ts'
import type { Admin } from '../admin.ts'
import { AdminError, type Call, type Command } from '../command.ts'
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
  await checkTopic(admin, topic, cluster)
  const masters = await deleteFromBrokers(admin, topic, cluster)
  out.line('delete topic [%s] from cluster [%s] success.', topic, cluster)
  await deleteFromNameServers(admin, topic, cluster)
  out.line('delete topic [%s] from NameServer success.', topic)
  out.data({ topic, cluster, brokers: masters.map(({ address }) => address) })
}

/** Rejects with TOPIC_NOT_EXIST when neither the name server nor a master of the cluster knows it. */
async function checkTopic(admin: Admin, topic: string, cluster: string): Promise<void> {
  const masters = await admin.masters(cluster)
  if ((await admin.topics()).includes(topic)) return
  let failure: unknown = new AdminError(
    `cluster ${cluster} has no master, and nobody knows topic ${topic}`,
  )
  for (const { address } of masters) {
    try {
      await admin.call(address, GetTopicConfig, { topic })
      return
    } catch (error) {
      failure = error
    }
  }
  throw failure
}
