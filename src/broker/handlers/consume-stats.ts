import { setImmediate } from 'node:timers/promises'
import type { Handlers } from '../../net/handlers.ts'
import { ConsumeStats, ConsumeStatsList } from '../../protocol/bodies/consume-stats.ts'
import { GetBrokerConsumeStats, GetConsumeStats } from '../../protocol/requests/query.ts'
import type { BrokerContext } from '../broker-context.ts'

export function registerConsumeStatsHandlers(handlers: Handlers, context: BrokerContext): void {
  handlers.on(GetConsumeStats, async ({ consumerGroup, topic }) => {
    const isOne = topic !== undefined && topic.trim() !== ''
    const topics = isOne ? [topic] : context.offsets.topicsOf(consumerGroup)
    const consumed = topics.filter((each) => isConsumed(context, consumerGroup, each))
    const tables = await Promise.all(
      consumed.map((each) => topicStats(context, consumerGroup, each)),
    )
    return { body: ConsumeStats.encode({ consumeTps: 0, offsetTable: tables.flat() }) }
  })
  handlers.on(GetBrokerConsumeStats, async ({ isOrder }) => ({
    body: ConsumeStatsList.encode(await brokerStats(context, isOrder)),
  }))
}

/** One group a turn: a broker may have many thousands, and their times are read from files. */
async function brokerStats(context: BrokerContext, isOrder: boolean): Promise<ConsumeStatsList> {
  const { groups, offsets, topics, address } = context
  const consumeStatsList: ConsumeStatsList['consumeStatsList'] = []
  for (const group of groups.all.keys()) {
    const consumed = offsets.topicsOf(group).filter((topic) => {
      return isConsumed(context, group, topic) && (!isOrder || topics.get(topic)?.order === true)
    })
    const stats: ConsumeStats[] = []
    for (const topic of consumed) {
      stats.push({ consumeTps: 0, offsetTable: await topicStats(context, group, topic) })
    }
    consumeStatsList.push(new Map([[group, stats]]))
    await setImmediate()
  }
  const queues = consumeStatsList.flatMap((groupStats) =>
    [...groupStats.values()].flat().flatMap(({ offsetTable }) => offsetTable),
  )
  const totalDiff = queues.reduce(
    (sum, [, { brokerOffset, consumerOffset }]) => sum + brokerOffset - consumerOffset,
    0,
  )
  return { brokerAddr: address, consumeStatsList, totalDiff, totalInflightDiff: 0 }
}

/** Of a group that is online only what it subscribes to now counts (Apache 5.3.3, getConsumeStats). */
function isConsumed({ topics, clients }: BrokerContext, group: string, topic: string): boolean {
  if (topics.get(topic) === undefined) return false
  const subscriptions = clients.consumers(group)?.subscriptions
  return subscriptions === undefined || subscriptions.size === 0 || subscriptions.has(topic)
}

function topicStats(
  context: BrokerContext,
  group: string,
  topic: string,
): Promise<ConsumeStats['offsetTable']> {
  const count = context.topics.get(topic)?.readQueueNums ?? 0
  const ids = Array.from({ length: count }, (_, queueId) => queueId)
  return Promise.all(ids.map((queueId) => queueStats(context, group, { topic, queueId })))
}

async function queueStats(
  { config, store, offsets }: BrokerContext,
  group: string,
  { topic, queueId }: { topic: string; queueId: number },
): Promise<ConsumeStats['offsetTable'][number]> {
  const consumerOffset = offsets.get(group, topic, queueId) ?? 0
  const time = consumerOffset > 0 ? await store.storeTimeAt(topic, queueId, consumerOffset - 1) : 0
  const stats = {
    brokerOffset: store.maxOffset(topic, queueId) ?? 0,
    consumerOffset,
    lastTimestamp: Math.max(0, time),
    pullOffset: consumerOffset, // pulls are not remembered, as they mean nothing to anybody but their client
  }
  return [{ brokerName: config.brokerName, queueId, topic }, stats]
}
