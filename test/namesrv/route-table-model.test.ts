/**
 * Seeded operations against a model that keeps no cache, skips nothing, and is made of plain maps.
 * After each of them both must know the same brokers, topics and routes, to the byte.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { encodeTopicRoute } from '../../src/protocol/bodies/topic-route.ts'
import type { RouteTable } from '../../src/namesrv/route-table.ts'
import { bodyOf, openTable, type TopicLike } from './open-table.ts'

const TIMEOUT_MS = 120_000
const TOPICS = ['T0', 'T1', 'T2', 'T3']

interface ModelBroker {
  name: string
  address: string
  peerId: number
  lastReport: number
  version: number
}

/** Masters only: every address has a name of its own. */
class Model {
  time = 0
  brokers = new Map<string, ModelBroker>()
  queues = new Map<string, Map<string, Required<TopicLike>>>()

  register(name: string, peerId: number, version: number, topics: Record<string, TopicLike>): void {
    const before = this.brokers.get(name)
    if (before === undefined && Object.keys(topics).length === 1) return
    for (const [topic, like] of Object.entries(topics)) {
      const table = this.queues.get(topic) ?? new Map<string, Required<TopicLike>>()
      this.queues.set(topic, table)
      const isNew = before === undefined || before.version !== version || !table.has(name)
      if (isNew) table.set(name, { perm: 6, queues: 4, flag: 0, ...like })
    }
    this.brokers.set(name, { name, address: `${name}:1`, peerId, lastReport: this.time, version })
  }

  drop(isGone: (broker: ModelBroker) => boolean): void {
    for (const { name } of [...this.brokers.values()].filter(isGone)) {
      this.brokers.delete(name)
      for (const table of this.queues.values()) table.delete(name)
    }
  }

  touch(name: string): void {
    const broker = this.brokers.get(name)
    if (broker) broker.lastReport = this.time
  }

  setPerm(name: string, change: (perm: number) => number): void {
    for (const table of this.queues.values()) {
      const queues = table.get(name)
      if (queues) table.set(name, { ...queues, perm: change(queues.perm) })
    }
  }

  /** Text without an order that means nothing. */
  route(topic: string): string {
    const table = [...(this.queues.get(topic) ?? [])]
    const brokers = table.map(([name]) => `${name}:1`)
    const queues = table.map(([name, { perm, queues: count }]) => `${name} ${perm} ${count}`)
    return JSON.stringify([brokers.toSorted(), queues.toSorted()])
  }
}

type Operation =
  | { kind: 'register'; name: string; peerId: number; version: number; topics: Topics }
  | { kind: 'unregister' | 'wipe' | 'add' | 'touch'; name: string }
  | { kind: 'disconnect'; peerId: number }
  | { kind: 'delete'; topic: string }
  | { kind: 'wait'; ms: number }
type Topics = Record<string, { perm: number; queues: number }>

const name = fc.constantFrom('a', 'b', 'c')
/** Few, so that the same registration often comes again. */
const topics = fc.constantFrom<Topics>(
  { T0: { perm: 6, queues: 4 }, T1: { perm: 6, queues: 4 } },
  { T0: { perm: 4, queues: 8 }, T1: { perm: 6, queues: 4 }, T2: { perm: 6, queues: 8 } },
  { T3: { perm: 6, queues: 4 } },
)
const registration = fc.record({
  kind: fc.constant('register' as const),
  name,
  peerId: fc.nat(3),
  version: fc.nat(1),
  topics,
})
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: registration },
  fc.record({ kind: fc.constantFrom('unregister', 'wipe', 'add', 'touch'), name }),
  fc.record({ kind: fc.constant('disconnect'), peerId: fc.nat(3) }),
  fc.record({ kind: fc.constant('delete'), topic: fc.constantFrom(...TOPICS) }),
  fc.record({ kind: fc.constant('wait'), ms: fc.nat(90_000) }),
)

type Opened = ReturnType<typeof openTable>

function apply(step: Operation, { table, clock, register }: Opened, model: Model): void {
  switch (step.kind) {
    case 'register': {
      const { peerId, version } = step
      const broker = { brokerName: step.name, brokerAddr: `${step.name}:1`, peerId }
      register(broker, bodyOf(step.topics, { counter: version }))
      return model.register(step.name, peerId, version, step.topics)
    }
    case 'disconnect':
      table.disconnect(step.peerId)
      return model.drop((broker) => broker.peerId === step.peerId)
    case 'delete':
      table.deleteTopic(step.topic)
      return void model.queues.delete(step.topic)
    case 'wait':
      clock.time += step.ms
      model.time = clock.time
      table.expire()
      return model.drop((broker) => broker.lastReport + TIMEOUT_MS <= model.time)
    case 'unregister':
    case 'wipe':
    case 'add':
    case 'touch':
      return applyToBroker(step.kind, step.name, table, model)
  }
}

function applyToBroker(
  kind: 'unregister' | 'wipe' | 'add' | 'touch',
  brokerName: string,
  table: RouteTable,
  model: Model,
): void {
  const identity = { clusterName: 'c1', brokerName, brokerAddr: `${brokerName}:1`, brokerId: 0 }
  switch (kind) {
    case 'unregister':
      table.unregister(identity)
      return model.drop((broker) => broker.name === brokerName)
    case 'wipe':
      table.wipe(brokerName)
      return model.setPerm(brokerName, (perm) => perm & ~2)
    case 'add':
      table.addWrite(brokerName)
      return model.setPerm(brokerName, () => 6)
    case 'touch':
      table.touch(identity)
      return model.touch(brokerName)
  }
}

test('it knows what a model without cache and short cuts knows', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (steps) => {
      const opened = openTable()
      const model = new Model()
      model.time = opened.clock.time
      for (const step of steps) {
        apply(step, opened, model)
        const names = [...opened.table.brokers.groups()].map((group) => group.brokerName)
        expect(names.toSorted()).toEqual([...model.brokers.keys()].toSorted())
        for (const topic of TOPICS) checkRoute(topic, opened, model)
      }
    }),
    { numRuns: 500 },
  )
})

function checkRoute(topic: string, { table }: Opened, model: Model): void {
  const route = table.route(topic)
  const brokers = route?.brokerDatas.map(({ brokerAddrs }) => brokerAddrs.get(0)!) ?? []
  const queues = route?.queueDatas.map(
    (each) => `${each.brokerName} ${each.perm} ${each.readQueueNums}`,
  )
  const text = JSON.stringify([brokers.toSorted(), queues?.toSorted() ?? []])
  expect(text).toBe(model.route(topic))
  const encoded = table.encodedRoute(topic, 'standard')
  expect(encoded).toEqual(route && encodeTopicRoute(route, 'standard'))
}
