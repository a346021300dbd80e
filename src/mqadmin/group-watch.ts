import type { PullConsumer } from '../client/index.ts'
import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { TimeoutError } from '../net/remoting-error.ts'
import type { Admin } from './admin.ts'
import {
  brokersOfGroup,
  clientsOf,
  connectionOf,
  consumeStats,
  isOffline,
  type QueueStats,
  runningInfo,
} from './consumer-groups.ts'
import { rebalanceFaults } from './rebalance-check.ts'
import { stuckQueues } from './stuck-queues.ts'

/** What a group has not consumed of a topic, by Apache's names (UndoneMsgs). */
export interface Undone {
  consumerGroup: string
  topic: string
  undoneMsgsTotal: number
  /** Of the queue that is furthest behind. */
  undoneMsgsSingleMQ: number
  /** From the store time of the last message that was consumed to that of the newest, where that is longest. */
  undoneMsgsDelayTimeMills: number
}

/** What failed at the consumers of a group in the last hour, by Apache's names (FailedMsgs). */
export interface Failed {
  consumerGroup: string
  topic: string
  failedMsgsTotalRecently: number
}

/** What consumers of a group say of themselves. */
export interface ConsumerFindings {
  failed: Failed[]
  isSameSubscription: boolean
  stuck: { clientId: string; why: string }[]
}

/** How far a group is behind in each of its topics. `consumer` reads the newest messages of queues that it is behind in. */
export async function undoneMessages(
  admin: Admin,
  consumerGroup: string,
  consumer: PullConsumer,
): Promise<Undone[]> {
  const addresses = await brokersOfGroup(admin, consumerGroup)
  const { queues } = await consumeStats(admin, consumerGroup, { topic: null, addresses })
  const undone: Undone[] = []
  for (const [topic, ofTopic] of Map.groupBy(queues, ([queue]) => queue.topic)) {
    undone.push(await undoneOf({ consumerGroup, topic }, ofTopic, consumer))
  }
  return undone
}

/** Asks every consumer of a group; one that does not answer takes its time. */
export async function consumerFindings(
  admin: Admin,
  consumerGroup: string,
): Promise<ConsumerFindings> {
  const infos = await infosOf(admin, consumerGroup, await brokersOfGroup(admin, consumerGroup))
  const now = Date.now()
  return {
    failed: failedOf(consumerGroup, infos),
    isSameSubscription: rebalanceFaults(infos).isSameSubscription,
    stuck: infos.flatMap(([clientId, info]) =>
      stuckQueues(clientId, info, now).map((why) => ({ clientId, why })),
    ),
  }
}

async function undoneOf(
  of: Pick<Undone, 'consumerGroup' | 'topic'>,
  queues: readonly QueueStats[],
  consumer: PullConsumer,
): Promise<Undone> {
  const result = {
    ...of,
    undoneMsgsTotal: 0,
    undoneMsgsSingleMQ: 0,
    undoneMsgsDelayTimeMills: 0,
  }
  const behind = queues.filter(([, at]) => at.brokerOffset > at.consumerOffset)
  if (behind.length > 0) await consumer.queues(of.topic) // says where they are
  for (const queue of behind) {
    const count = queue[1].brokerOffset - queue[1].consumerOffset
    result.undoneMsgsTotal += count
    result.undoneMsgsSingleMQ = Math.max(result.undoneMsgsSingleMQ, count)
    const delay = await delayOf(queue, consumer)
    result.undoneMsgsDelayTimeMills = Math.max(result.undoneMsgsDelayTimeMills, delay)
  }
  return result
}

/** 0 when nothing of it was ever consumed: there is no time to count from. */
async function delayOf(
  [queue, { brokerOffset, lastTimestamp }]: QueueStats,
  consumer: PullConsumer,
): Promise<number> {
  if (lastTimestamp <= 0) return 0
  const { messages } = await consumer.pull(queue, { offset: brokerOffset - 1, countMax: 1 })
  const [newest] = messages
  return newest === undefined ? 0 : Math.max(0, newest.storeTimestamp - lastTimestamp)
}

/** Of those that answer: none when the group is offline. */
async function infosOf(
  admin: Admin,
  consumerGroup: string,
  addresses: readonly string[],
): Promise<[string, ConsumerRunningInfo][]> {
  const infos: [string, ConsumerRunningInfo][] = []
  for (const clientId of await clientIdsOf(admin, consumerGroup, addresses)) {
    const asked = { consumerGroup, clientId, jstackEnable: false }
    try {
      infos.push([clientId, await runningInfo(admin, asked, addresses)])
    } catch (error) {
      // Clients that cannot tell are no finding: consumerStatus names them.
      if (!(error instanceof ResponseError || error instanceof TimeoutError)) throw error
    }
  }
  return infos
}

async function clientIdsOf(
  admin: Admin,
  consumerGroup: string,
  addresses: readonly string[],
): Promise<string[]> {
  try {
    const connection = await connectionOf(admin, consumerGroup, addresses)
    return clientsOf(connection).map(({ clientId }) => clientId)
  } catch (error) {
    if (isOffline(error)) return []
    throw error
  }
}

function failedOf(
  consumerGroup: string,
  infos: readonly (readonly [string, ConsumerRunningInfo])[],
): Failed[] {
  const counts = new Map<string, number>()
  for (const [, { statusTable }] of infos) {
    for (const [topic, { consumeFailedMsgs }] of statusTable) {
      counts.set(topic, (counts.get(topic) ?? 0) + consumeFailedMsgs)
    }
  }
  return [...counts]
    .filter(([, count]) => count > 0)
    .map(([topic, count]) => ({ consumerGroup, topic, failedMsgsTotalRecently: count }))
}
