import { body, list, numberMap, optional, orElse, record, text, textMap } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { BrokerData } from './broker-data.ts'

/** Broker name to broker, cluster name to broker names. */
export const ClusterInfo = body(
  'ClusterInfo',
  record({
    brokerAddrTable: orElse(textMap(BrokerData), new Map()),
    clusterAddrTable: orElse(textMap(list(text)), new Map()),
  }),
)
export type ClusterInfo = BodyOf<typeof ClusterInfo>

/** The brokers of one name as another of them sees them. */
export const BrokerMemberGroup = body(
  'BrokerMemberGroup',
  record({
    brokerAddrs: orElse(numberMap(text), new Map()),
    brokerName: text,
    cluster: text,
  }),
)
export type BrokerMemberGroup = BodyOf<typeof BrokerMemberGroup>

export const BrokerMemberGroupReply = body(
  'GetBrokerMemberGroupResponseBody',
  record({ brokerMemberGroup: optional(BrokerMemberGroup) }),
)
