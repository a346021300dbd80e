import { AssignmentBody, AssignmentReply } from '../protocol/bodies/assignment.ts'
import { ConsumerList } from '../protocol/bodies/heartbeat.ts'
import { GetConsumerListByGroup } from '../protocol/requests/client.ts'
import { QueryAssignment } from '../protocol/requests/pop.ts'
import { allocateInBlocks, allocateInCircle, shareOf, type Allocation } from './allocation.ts'
import { ClientError } from './client-error.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import type { TopicShare } from './rebalance.ts'
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

/** How brokers share out, by the allocation that clients use for the same. */
const STRATEGIES = new Map<Allocation, string>([
  [allocateInBlocks, 'AVG'],
  [allocateInCircle, 'AVG_BY_CIRCLE'],
])

/** Throws ClientError for an allocation that brokers do not know. */
export function strategyName(allocate: Allocation): string {
  const name = STRATEGIES.get(allocate)
  if (name !== undefined) return name
  throw new ClientError('clientRebalance: false knows allocateInBlocks and allocateInCircle only')
}

/**
 * The queues of a topic that a broker gives this client, and whether to pull or to pop. Null when it does not say: then
 * the client keeps what it has. Throws when no broker answers.
 */
export async function brokersAssignment(
  cluster: Cluster,
  group: string,
  { topic, brokers }: TopicRoute,
  strategy: string,
): Promise<TopicShare | null> {
  const { clientId } = cluster
  const messageModel = 'CLUSTERING' as const
  const request = { clientId, consumerGroup: group, topic, strategyName: strategy, messageModel }
  const body = AssignmentBody.encode(request)
  const answer = await firstAnswer([...brokers.keys()], (brokerName) =>
    cluster.call({ topic, brokerName }, QueryAssignment, {}, { body }),
  )
  const { messageQueueAssignments: given } = AssignmentReply.decode(answer.body)
  if (given === undefined) return null
  const of = (mode: 'PULL' | 'POP') =>
    given.filter((each) => each.mode === mode).map(({ messageQueue }) => messageQueue)
  return { pulled: of('PULL'), popped: of('POP') }
}

async function membersOf(cluster: Cluster, group: string, route: TopicRoute): Promise<string[]> {
  const { topic, brokers } = route
  const { body } = await firstAnswer([...brokers.keys()], (brokerName) =>
    cluster.call({ topic, brokerName }, GetConsumerListByGroup, { consumerGroup: group }),
  )
  return ConsumerList.decode(body).consumerIdList
}

/** Every broker of a topic should say the same; the first that answers is believed. Throws the last failure. */
async function firstAnswer<T>(
  brokerNames: readonly string[],
  ask: (brokerName: string) => Promise<T>,
): Promise<T> {
  let failure: unknown
  for (const brokerName of shuffled(brokerNames)) {
    try {
      return await ask(brokerName)
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
