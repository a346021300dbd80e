import type { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import { type Registration, type RouteRules, RouteTable } from '../../src/namesrv/route-table.ts'

/** A topic as a registration names it; what is left out is as Apache's broker makes it. */
export interface TopicLike {
  perm?: number
  queues?: number
  flag?: number
}

export function bodyOf(
  topics: Record<string, TopicLike>,
  version: Partial<{ counter: number; stateVersion: number; timestamp: number }> = {},
): RegisterBrokerBody {
  const configs = Object.entries(topics).map(([topicName, topic]) => {
    const { perm = 6, queues = 4, flag = 0 } = topic
    const config = {
      attributes: new Map<string, string>(),
      order: false,
      perm,
      readQueueNums: queues,
      topicFilterType: 'SINGLE_TAG' as const,
      topicName,
      topicSysFlag: flag,
      writeQueueNums: queues,
    }
    return [topicName, config] as const
  })
  const dataVersion = { counter: 1, stateVersion: 0, timestamp: 1_700_000_000_000, ...version }
  const topicConfigSerializeWrapper = { dataVersion, topicConfigTable: new Map(configs) }
  return { filterServerList: [], topicConfigSerializeWrapper }
}

export type BrokerLike = Partial<Registration> & { brokerAddr: string }

/** A route table with a clock to turn and rules to change. */
export function openTable() {
  const clock = { time: 1_000_000, now: () => clock.time }
  const rules: RouteRules = {
    orderMessageEnable: false,
    supportActingMaster: false,
    deleteTopicWithBrokerRegistration: false,
  }
  const orders = new Map<string, string>()
  const table = new RouteTable({
    clock,
    rules: () => rules,
    orderConfOf: (topic) => orders.get(topic),
  })
  let reads = 0
  const register = (broker: BrokerLike, body: RegisterBrokerBody) => {
    const { dataVersion, topicConfigTable } = body.topicConfigSerializeWrapper
    const fingerprint = JSON.stringify([dataVersion, [...topicConfigTable.values()]])
    const registration = { ...defaults, fingerprint, ...broker }
    return table.register(registration, () => {
      reads++
      return body
    })
  }
  return { table, clock, rules, orders, register, reads: () => reads }
}

const defaults = {
  clusterName: 'c1',
  brokerName: 'a',
  brokerId: 0,
  haServerAddr: 'ha:1',
  enableActingMaster: false,
  peerId: 1,
}
