import { MASTER_ID } from '../client/topic-route.ts'
import type { BrokerData } from '../protocol/bodies/broker-data.ts'
import type { Admin } from './admin.ts'
import { AdminError } from './command.ts'

/**
 * The masters of a topic, or those of them in a cluster. Rejects with ResponseError TOPIC_NOT_EXIST, or AdminError when
 * the cluster does not have it.
 */
export async function mastersOf(
  admin: Admin,
  topic: string,
  cluster: string | null = null,
): Promise<string[]> {
  const brokers = await brokersOf(admin, topic, cluster)
  return brokers.flatMap(({ brokerAddrs }) => brokerAddrs.get(MASTER_ID) ?? [])
}

/**
 * One broker of each name that holds a topic: the master where there is one. Of a group's retry topic
 * these are the brokers that it consumes from. Rejects with ResponseError TOPIC_NOT_EXIST.
 */
export async function holdersOf(
  admin: Admin,
  topic: string,
  cluster: string | null = null,
): Promise<string[]> {
  const brokers = await brokersOf(admin, topic, cluster)
  return brokers.flatMap((broker) => masterOrSlave(broker) ?? [])
}

export function masterOrSlave({ brokerAddrs }: BrokerData): string | undefined {
  return brokerAddrs.get(MASTER_ID) ?? [...brokerAddrs.values()][0]
}

async function brokersOf(
  admin: Admin,
  topic: string,
  cluster: string | null,
): Promise<BrokerData[]> {
  const { brokerDatas } = await admin.route(topic)
  if (cluster === null) return brokerDatas
  const found = brokerDatas.filter((broker) => broker.cluster === cluster)
  if (found.length > 0 || brokerDatas.length === 0) return found
  const clusters = [...new Set(brokerDatas.map((broker) => broker.cluster))].join(', ')
  throw new AdminError(`topic ${topic} is not in cluster ${cluster}, only in ${clusters}`)
}
