/** Words for a conversation with a name server. */
import { crc32 } from 'node:zlib'

import { RequestCode } from '../../src/protocol/request-code.ts'

export interface Step {
  /** What the step shows. */
  name: string
  /** The connection it goes over; brokers have their own. `close` ends it instead. */
  via: string
  close?: true
  code: number
  fields?: Record<string, string>
  body?: string | Buffer
  version?: number
  oneway?: true
}

type Fields = Record<string, string>

const C = RequestCode

interface TopicLike {
  name: string
  perm?: number
  queues?: number
  flag?: number
}

export function wrapper(topics: TopicLike[], version: Partial<Record<string, number>> = {}) {
  const dataVersion = { counter: 1, stateVersion: 0, timestamp: 1_700_000_000_000, ...version }
  const configs = topics.map(({ name, perm = 6, queues = 4, flag = 0 }) => [
    name,
    {
      attributes: {},
      order: false,
      perm,
      readQueueNums: queues,
      topicFilterType: 'SINGLE_TAG',
      topicName: name,
      topicSysFlag: flag,
      writeQueueNums: queues,
    },
  ])
  return {
    filterServerList: [] as string[],
    topicConfigSerializeWrapper: {
      dataVersion,
      mappingDataVersion: { counter: 0, stateVersion: 0, timestamp: 1_700_000_000_000 },
      topicConfigTable: Object.fromEntries(configs) as object,
      topicQueueMappingDetailMap: {},
      topicQueueMappingInfoMap: {},
    },
  }
}

interface BrokerLike {
  name?: string
  id?: number
  address: string
  cluster?: string
  fields?: Fields
}

export function brokerFields({
  name = 'broker-a',
  id = 0,
  address,
  cluster = 'c1',
  fields,
}: BrokerLike) {
  return {
    brokerName: name,
    brokerId: String(id),
    brokerAddr: address,
    clusterName: cluster,
    ...fields,
  }
}

export function register(
  name: string,
  broker: BrokerLike,
  body: object | Buffer | string,
  more: Partial<Step> = {},
): Step {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const fields = {
    ...brokerFields(broker),
    haServerAddr: broker.address.replace(/1$/, '2'),
    bodyCrc32: String(crc32(bytes) & 0x7fffffff),
    compressed: 'false',
    enableActingMaster: 'false',
    ...broker.fields,
  }
  return { name, via: broker.address, code: C.REGISTER_BROKER, fields, body: bytes, ...more }
}

export const ask = (
  name: string,
  code: number,
  fields?: Fields,
  more: Partial<Step> = {},
): Step => ({
  name,
  via: 'client',
  code,
  ...(fields && { fields }),
  ...more,
})

export const route = (topic: string, more: Partial<Step> = {}) =>
  ask(`the route of ${topic}`, C.GET_ROUTEINFO_BY_TOPIC, { topic }, more)

export const lists = (when: string): Step[] => [
  ask(`${when}: clusters`, C.GET_BROKER_CLUSTER_INFO),
  ask(`${when}: all topics`, C.GET_ALL_TOPIC_LIST_FROM_NAMESERVER),
  ask(`${when}: topics of c1`, C.GET_TOPICS_BY_CLUSTER, { cluster: 'c1' }),
  ask(`${when}: topics of a cluster unknown`, C.GET_TOPICS_BY_CLUSTER, { cluster: 'none' }),
  ask(`${when}: system topics`, C.GET_SYSTEM_TOPIC_LIST_FROM_NS),
  ask(`${when}: unit topics`, C.GET_UNIT_TOPIC_LIST),
  ask(`${when}: unit subscription topics`, C.GET_HAS_UNIT_SUB_TOPIC_LIST),
  ask(`${when}: of them without unit`, C.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST),
]

export const members = (brokerName: string, clusterName = 'c1') =>
  ask(`members of ${brokerName}`, C.GET_BROKER_MEMBER_GROUP, { brokerName, clusterName })

export const dataVersion = (counter: number, timestamp = 1_700_000_000_000) =>
  JSON.stringify({ counter, stateVersion: 0, timestamp })

export const queryVersion = (name: string, broker: BrokerLike, body?: string): Step => ({
  name,
  via: broker.address,
  code: C.QUERY_DATA_VERSION,
  fields: brokerFields(broker),
  ...(body !== undefined && { body }),
})
