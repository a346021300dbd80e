import type { Handlers, Reply } from '../../net/handlers.ts'
import type { QueueData } from '../../protocol/bodies/topic-route.ts'
import { TopicList } from '../../protocol/bodies/topic-list.ts'
import {
  DeleteTopicInNamesrv,
  GetAllTopicListFromNameserver,
  GetHasUnitSubTopicList,
  GetHasUnitSubUnunitTopicList,
  GetSystemTopicListFromNs,
  GetTopicsByCluster,
  GetUnitTopicList,
} from '../../protocol/requests/route.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { Parts } from '../parts.ts'
import type { RouteTable } from '../route-table.ts'

/** Bits of `topicSysFlag`. Source: Apache 5.3.3, TopicSysFlag. */
const UNIT = 1
const UNIT_SUBSCRIPTION = 2

/** Which topics there are. */
export function serveTopicLists(handlers: Handlers, { table, config, log }: Parts): void {
  const listWhen = (isEnabled: boolean, list: () => Iterable<string>): Reply<object> => {
    if (!isEnabled) throw new ResponseError('SYSTEM_ERROR', 'disable')
    return { body: TopicList.encode({ topicList: [...list()] }) }
  }
  const listByFlag = (isWanted: (flag: number) => boolean) => () =>
    listWhen(config.current.enableTopicList, () =>
      topicsWhere(table, ({ topicSysFlag }) => isWanted(topicSysFlag)),
    )
  handlers
    .on(GetAllTopicListFromNameserver, () =>
      listWhen(config.current.enableAllTopicList, () => table.topics.names()),
    )
    .on(GetTopicsByCluster, ({ cluster }) =>
      listWhen(config.current.enableTopicList, () => topicsIn(table, cluster)),
    )
    .on(GetSystemTopicListFromNs, () => ({ body: systemTopics(table) }))
    .on(
      GetUnitTopicList,
      listByFlag((flag) => (flag & UNIT) !== 0),
    )
    .on(
      GetHasUnitSubTopicList,
      listByFlag((flag) => (flag & UNIT_SUBSCRIPTION) !== 0),
    )
    .on(
      GetHasUnitSubUnunitTopicList,
      listByFlag((flag) => (flag & (UNIT | UNIT_SUBSCRIPTION)) === UNIT_SUBSCRIPTION),
    )
    .on(DeleteTopicInNamesrv, ({ topic, clusterName }) => {
      table.deleteTopic(topic, clusterName)
      log.info({ topic, clusterName }, 'a topic was deleted by request')
    })
}

function topicsIn(table: RouteTable, cluster: string): string[] {
  const names = table.brokers.namesIn(cluster)
  return topicsWhere(table, ({ brokerName }) => names.has(brokerName))
}

/** Topics of which some broker's queues are such. */
function topicsWhere(table: RouteTable, isWanted: (queues: QueueData) => boolean): string[] {
  const entries = [...table.topics.entries()]
  return entries.filter(([, queues]) => queues.some(isWanted)).map(([topic]) => topic)
}

function systemTopics({ brokers }: RouteTable): Buffer {
  const { clusterAddrTable, brokerAddrTable } = brokers.clusterInfo()
  const [first] = brokerAddrTable.values()
  const [brokerAddr] = first?.brokerAddrs.values() ?? []
  const topicList = [...clusterAddrTable.keys(), ...brokerAddrTable.keys()]
  return TopicList.encode({ brokerAddr, topicList })
}
