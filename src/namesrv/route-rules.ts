/** What is done to a route for special clients and settings. Source: Apache 5.3.3, its name server. */
import type { BrokerData } from '../protocol/bodies/broker-data.ts'
import type { TopicRouteData } from '../protocol/bodies/topic-route.ts'
import { Permission } from './topic-queues.ts'

const MASTER_ID = 0

/** Topics of brokers among themselves: they want to see who is a slave. */
const MEMBER_TOPIC_PREFIX = 'rmq_sys_SYNC_BROKER_MEMBER_'

/** In a group without a master its lowest slave takes id 0, if its queues are read-only already. */
export function actForMasters(topic: string, route: TopicRouteData): TopicRouteData {
  if (topic.startsWith(MEMBER_TOPIC_PREFIX)) return route
  const isReadOnly = (brokerName: string) =>
    route.queueDatas.some(
      (queues) => queues.brokerName === brokerName && (queues.perm & Permission.WRITE) === 0,
    )
  const brokerDatas = route.brokerDatas.map((broker) =>
    broker.enableActingMaster && isReadOnly(broker.brokerName) ? withActingMaster(broker) : broker,
  )
  return { ...route, brokerDatas }
}

function withActingMaster(broker: BrokerData): BrokerData {
  const [lowest] = [...broker.brokerAddrs].toSorted(([one], [other]) => one - other)
  if (lowest === undefined || lowest[0] === MASTER_ID) return broker
  const brokerAddrs = new Map([[MASTER_ID, lowest[1]], ...broker.brokerAddrs])
  brokerAddrs.delete(lowest[0])
  return { ...broker, brokerAddrs }
}

/** Only brokers of the client's zone, and those without a master, which are read wherever they are. */
export function inZone(route: TopicRouteData, zone: string): TopicRouteData {
  const isNear = ({ brokerAddrs, zoneName }: BrokerData) =>
    !brokerAddrs.has(MASTER_ID) || zoneName?.toLowerCase() === zone.toLowerCase()
  const brokerDatas = route.brokerDatas.filter(isNear)
  const names = new Set(brokerDatas.map(({ brokerName }) => brokerName))
  const addresses = new Set(brokerDatas.flatMap(({ brokerAddrs }) => [...brokerAddrs.values()]))
  return {
    ...route,
    brokerDatas,
    queueDatas: route.queueDatas.filter(({ brokerName }) => names.has(brokerName)),
    filterServerTable: new Map(
      [...route.filterServerTable].filter(([address]) => addresses.has(address)),
    ),
  }
}
