import type { TopicRouteData } from '../protocol/bodies/topic-route.ts'
import { compareText, type MessageQueue } from './message-queue.ts'

/** Brokers of one name are told apart by id: 0 is the master, the others are its slaves. */
export const MASTER_ID = 0

const READABLE = 4
const WRITABLE = 2

/** Where the queues of one topic are. */
export interface TopicRoute {
  readonly topic: string
  /** By broker name, then by broker id: `host:port`. */
  readonly brokers: ReadonlyMap<string, ReadonlyMap<number, string>>
  /** In the order in which Java's producers list them, so that a key hashes to the same queue. */
  readonly writeQueues: readonly MessageQueue[]
  readonly readQueues: readonly MessageQueue[]
}

export function topicRoute(topic: string, data: TopicRouteData): TopicRoute {
  const brokers = new Map(data.brokerDatas.map((broker) => [broker.brokerName, broker.brokerAddrs]))
  const hasMaster = (brokerName: string) => brokers.get(brokerName)?.has(MASTER_ID) ?? false
  const perBroker = data.queueDatas.toSorted((one, other) =>
    compareText(one.brokerName, other.brokerName),
  )
  const writeCounts = perBroker
    .filter(({ perm, brokerName }) => (perm & WRITABLE) !== 0 && hasMaster(brokerName))
    .map(({ brokerName, writeQueueNums }) => [brokerName, writeQueueNums] as const)
  const readCounts = perBroker
    .filter(({ perm }) => (perm & READABLE) !== 0)
    .map(({ brokerName, readQueueNums }) => [brokerName, readQueueNums] as const)
  return {
    topic,
    brokers,
    writeQueues: numbered(topic, orderedCounts(data.orderTopicConf) ?? writeCounts),
    readQueues: numbered(topic, readCounts),
  }
}

/**
 * A topic that does not exist yet gets the queues of the template topic, but no more than the
 * producer asks for.
 */
export function routeFromTemplate(
  topic: string,
  template: TopicRouteData,
  queueCountMax: number,
): TopicRoute {
  const queueDatas = template.queueDatas.map((queues) => {
    const count = Math.min(queueCountMax, queues.readQueueNums)
    return { ...queues, readQueueNums: count, writeQueueNums: count }
  })
  return topicRoute(topic, { ...template, queueDatas })
}

type QueueCount = readonly [brokerName: string, count: number]

/**
 * `broker-a:4;broker-b:4`: the queues of such a topic stay listed while a broker is down, or keys
 * would move.
 */
function orderedCounts(conf: string | undefined): QueueCount[] | null {
  if (!conf) return null
  return conf.split(';').map((item) => {
    const [brokerName = '', count] = item.split(':')
    return [brokerName, Number(count) || 0]
  })
}

function numbered(topic: string, counts: readonly QueueCount[]): MessageQueue[] {
  return counts.flatMap(([brokerName, count]) =>
    Array.from({ length: count }, (_, queueId) => ({ topic, brokerName, queueId })),
  )
}
