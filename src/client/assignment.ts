import { ConsumerList } from '../protocol/bodies/heartbeat.ts'
import { GetConsumerListByGroup } from '../protocol/requests/client.ts'
import { shareOf, type Allocation } from './allocation.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import type { TopicRoute } from './topic-route.ts'

/**
 * The queues of a topic that this client reads. Null when the broker does not list it (yet): then
 * it keeps what it has. Throws when no broker says who the members of the group are.
 */
export async function assignment(
  cluster: Cluster,
  group: string,
  route: TopicRoute,
  allocate: Allocation,
): Promise<MessageQueue[] | null> {
  const members = await membersOf(cluster, group, route)
  if (!members.includes(cluster.clientId)) return null
  return shareOf(cluster.clientId, route.readQueues, members, allocate)
}

/** Every broker of the topic should say the same; the first that answers is believed. */
async function membersOf(cluster: Cluster, group: string, route: TopicRoute): Promise<string[]> {
  let failure: unknown
  for (const brokerName of shuffled([...route.brokers.keys()])) {
    try {
      const at = { topic: route.topic, brokerName }
      const { body } = await cluster.call(at, GetConsumerListByGroup, { consumerGroup: group })
      return ConsumerList.decode(body).consumerIdList
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

function shuffled<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => [Math.random(), item] as const)
  return keyed.sort(([one], [other]) => one - other).map(([, item]) => item)
}
