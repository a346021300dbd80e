import type { Handlers, Reply } from '../../net/handlers.ts'
import { BrokerMemberGroupReply, ClusterInfo } from '../../protocol/bodies/cluster-info.ts'
import { routeDialect } from '../../protocol/bodies/topic-route.ts'
import type { RemotingCommand } from '../../protocol/remoting-command.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import { GetBrokerMemberGroup } from '../../protocol/requests/registration.ts'
import { GetBrokerClusterInfo, GetRouteInfoByTopic } from '../../protocol/requests/route.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { Parts } from '../parts.ts'

/** Where things are. */
export function serveRoutes(handlers: Handlers, parts: Parts): void {
  const { brokers } = parts.table
  handlers
    .on(GetRouteInfoByTopic, (header, { request }) => routeOf(parts, header, request))
    .on(GetBrokerClusterInfo, () => ({ body: ClusterInfo.encode(brokers.clusterInfo()) }))
    .on(GetBrokerMemberGroup, ({ brokerName, clusterName }) => {
      const brokerAddrs = brokers.group(brokerName)?.brokerAddrs ?? new Map<number, string>()
      const brokerMemberGroup = { brokerAddrs, brokerName, cluster: clusterName }
      return { body: BrokerMemberGroupReply.encode({ brokerMemberGroup }) }
    })
}

function routeOf(
  parts: Parts,
  { topic, acceptStandardJsonOnly }: HeaderOf<typeof GetRouteInfoByTopic>,
  { version, extFields }: RemotingCommand,
): Reply<object> {
  if (!isReady(parts)) throw new ResponseError('SYSTEM_ERROR', 'name server not ready')
  const dialect = routeDialect(version, acceptStandardJsonOnly)
  const zone = zoneOf(extFields)
  const body = zone
    ? parts.table.zoneRoute(topic, dialect, zone)
    : parts.table.encodedRoute(topic, dialect)
  if (body !== undefined) return { body }
  const remark = `No topic route info in name server for the topic: ${topic}`
  throw new ResponseError('TOPIC_NOT_EXIST', remark)
}

/** After a start, brokers need a while to report: a client that is told of few of them crowds those. */
function isReady({ config, clock, startedAt }: Parts): boolean {
  const { needWaitForService, waitSecondsForService } = config.current
  return !needWaitForService || clock.now() - startedAt >= waitSecondsForService * 1000
}

/** Clients that want their own zone say so beside the header. Source: Apache 5.3.3, ZoneRouteRPCHook. */
function zoneOf(extFields: Map<string, string> | null): string | undefined {
  if (extFields?.get('__ZONE_MODE')?.toLowerCase() !== 'true') return undefined
  return extFields.get('__ZONE_NAME')
}
