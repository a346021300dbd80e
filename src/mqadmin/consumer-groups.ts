import { type Connection, ConsumerConnection } from '../protocol/bodies/connections.ts'
import { ConsumeStats } from '../protocol/bodies/consume-stats.ts'
import type { MessageQueue } from '../protocol/bodies/message-queue.ts'
import { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { GetConsumerConnectionList, GetConsumerRunningInfo } from '../protocol/requests/client.ts'
import { GetConsumeStats } from '../protocol/requests/query.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin } from './admin.ts'
import { AdminError } from './command.ts'
import { holdersOf } from './topic-brokers.ts'

/** Clients take longer than brokers: one may have to gather the stacks of all its threads. */
export const CLIENT_MS = 12_000
const RETRY_PREFIX = '%RETRY%'

/** A queue, and how far a group has come in it. */
export type QueueStats = ConsumeStats['offsetTable'][number]

/** Of all groups that ever consumed: each has a topic for its retries. */
export async function groupNames(admin: Admin): Promise<string[]> {
  const retries = (await admin.topics()).filter((topic) => topic.startsWith(RETRY_PREFIX))
  return retries.map((topic) => topic.slice(RETRY_PREFIX.length))
}

/** Of the brokers that a group consumes from. Throws AdminError when nobody has heard of it. */
export async function brokersOfGroup(
  admin: Admin,
  group: string,
  cluster: string | null = null,
): Promise<string[]> {
  try {
    return await holdersOf(admin, `${RETRY_PREFIX}${group}`, cluster)
  } catch (error) {
    const isUnknown = error instanceof ResponseError && error.code === ResponseCode.TOPIC_NOT_EXIST
    if (!isUnknown) throw error
    const why = `no consumer of group ${group} was ever there: consumerProgress lists the groups`
    throw new AdminError(why, { cause: error })
  }
}

/** What the first broker says that knows the group. Rejects with ResponseError CONSUMER_NOT_ONLINE. */
export async function connectionOf(
  admin: Admin,
  consumerGroup: string,
  addresses: readonly string[],
): Promise<ConsumerConnection> {
  let offline = new ResponseError('CONSUMER_NOT_ONLINE', `Not found the consumer group connection`)
  for (const address of addresses) {
    try {
      const { body } = await admin.call(address, GetConsumerConnectionList, { consumerGroup })
      return ConsumerConnection.decode(body)
    } catch (error) {
      if (!isOffline(error)) throw error
      offline = error
    }
  }
  throw offline
}

export function isOffline(error: unknown): error is ResponseError {
  return error instanceof ResponseError && error.code === ResponseCode.CONSUMER_NOT_ONLINE
}

/** In the order of topic, broker and queue. Without a topic of all topics of the group. */
export async function consumeStats(
  admin: Admin,
  consumerGroup: string,
  { topic, addresses }: { topic: string | null; addresses: readonly string[] },
): Promise<{ consumeTps: number; queues: QueueStats[] }> {
  const header = { consumerGroup, topic: topic ?? '' }
  const answers = await Promise.all(
    addresses.map((address) => admin.call(address, GetConsumeStats, header)),
  )
  const stats = answers.map(({ body }) => ConsumeStats.decode(body))
  return {
    consumeTps: stats.reduce((sum, each) => sum + each.consumeTps, 0),
    queues: stats.flatMap(({ offsetTable }) => offsetTable).toSorted(byQueue),
  }
}

type OfQueue = readonly [MessageQueue, unknown]

/** By topic, broker and queue. */
export function byQueue([a]: OfQueue, [b]: OfQueue): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1
  return a.queueId - b.queueId
}

/** What a consumer says of itself: the first of the brokers that reaches it passes it on. */
export async function runningInfo(
  admin: Admin,
  asked: { consumerGroup: string; clientId: string; jstackEnable: boolean },
  addresses: readonly string[],
): Promise<ConsumerRunningInfo> {
  let failure: unknown = new ResponseError('SYSTEM_ERROR', 'no broker is there to ask')
  for (const address of addresses) {
    try {
      const options = { timeoutMs: CLIENT_MS }
      const { body } = await admin.call(address, GetConsumerRunningInfo, asked, options)
      return ConsumerRunningInfo.decode(body)
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error
      failure = error
    }
  }
  throw failure
}

/** Each client once: while it reconnects it has two connections. */
export function clientsOf({ connectionSet }: ConsumerConnection): Connection[] {
  return [...new Map(connectionSet.map((each) => [each.clientId, each])).values()]
}
