import { expect, test } from 'vitest'

import { BROKER_TIMEOUT_MS } from '../../src/namesrv/route-table.ts'
import { bodyOf, openTable } from './open-table.ts'

const A = { brokerAddr: 'a:1' }
const A1 = { brokerAddr: 'a:2', brokerId: 1, peerId: 2 }
const B = { brokerName: 'b', brokerAddr: 'b:1', peerId: 3 }
const two = bodyOf({ T: {}, U: {} })
const three = (counter: number) => bodyOf({ T: {}, U: {}, V: {} }, { counter })

const addressesOf = (opened: ReturnType<typeof openTable>, topic = 'T') =>
  opened.table.route(topic)?.brokerDatas.flatMap(({ brokerAddrs }) => [...brokerAddrs])
const permsOf = (opened: ReturnType<typeof openTable>, topic = 'T') =>
  opened.table.route(topic)?.queueDatas.map(({ perm }) => perm)

test('a registration that came before is not read again', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.register(A, two)
  expect(opened.reads()).toBe(1)
  opened.register(A, three(2))
  expect(opened.reads()).toBe(2)
})

test('it is read again after a topic was deleted, which brings the topic back', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.table.deleteTopic('T')
  expect(opened.table.route('T')).toBeUndefined()
  opened.register(A, two)
  expect(addressesOf(opened)).toEqual([[0, 'a:1']])
})

test('it is read again after the group has changed, and gives the liveness either way', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.register(A1, two)
  opened.register(A, two)
  opened.register(A, two)
  expect(opened.reads()).toBe(3)
  opened.clock.time += BROKER_TIMEOUT_MS - 1
  opened.register(A, two)
  opened.clock.time += 1
  expect(opened.table.expire().map(({ brokerAddr }) => brokerAddr)).toEqual(['a:2'])
})

test('a broker expires two minutes after its last sign of life, not before', () => {
  const opened = openTable()
  opened.register(A, two)
  const registeredAt = opened.clock.time
  expect(opened.table.nextExpiry()).toBe(registeredAt + BROKER_TIMEOUT_MS)
  opened.clock.time += 50_000
  opened.table.touch({ clusterName: 'c1', brokerAddr: 'a:1' })
  expect(opened.table.nextExpiry()).toBe(registeredAt + 50_000 + BROKER_TIMEOUT_MS)
  opened.clock.time = opened.table.nextExpiry() - 1
  expect(opened.table.expire()).toEqual([])
  opened.clock.time++
  expect(opened.table.expire()).toHaveLength(1)
  expect(opened.table.route('T')).toBeUndefined()
  expect(opened.table.nextExpiry()).toBe(Infinity)
})

test('a broker may say itself how long it may be silent', () => {
  const opened = openTable()
  opened.register({ ...A, heartbeatTimeoutMillis: 3000 }, two)
  opened.clock.time += 3000
  expect(opened.table.expire()).toHaveLength(1)
})

test('the end of a connection takes only the brokers that registered over it', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.register(A1, two)
  opened.register({ ...A, peerId: 9 }, two) // it has connected anew
  expect(opened.table.disconnect(1)).toEqual([])
  expect(opened.table.disconnect(2).map(({ brokerAddr }) => brokerAddr)).toEqual(['a:2'])
  expect(addressesOf(opened)).toEqual([[0, 'a:1']])
})

test('topics that only a broker that left had are gone, others are not', () => {
  const opened = openTable()
  opened.register(A, three(1))
  opened.register(B, two)
  opened.table.disconnect(1)
  expect([...opened.table.topics.names()]).toEqual(['T', 'U'])
  expect(addressesOf(opened)).toEqual([[0, 'b:1']])
})

test('a slave registers no topics and learns of its master', () => {
  const opened = openTable()
  opened.register(A, two)
  expect(opened.register(A1, three(7))).toEqual({ masterAddr: 'a:1', haServerAddr: 'ha:1' })
  expect(opened.table.route('V')).toBeUndefined()
  expect(addressesOf(opened)).toEqual([
    [0, 'a:1'],
    [1, 'a:2'],
  ])
})

test('where slaves may act as master, queues of a group without one cannot be written', () => {
  const opened = openTable()
  opened.register({ ...A, enableActingMaster: true }, two)
  opened.register({ ...A1, enableActingMaster: true }, two)
  opened.table.disconnect(1)
  expect(permsOf(opened)).toEqual([4])
  expect(addressesOf(opened)).toEqual([[1, 'a:2']])
  opened.rules.supportActingMaster = true
  expect(addressesOf(opened)).toEqual([[0, 'a:2']])
})

test('the topic that brokers of a group use among themselves shows a slave as a slave', () => {
  const opened = openTable()
  const topic = 'rmq_sys_SYNC_BROKER_MEMBER_a'
  opened.register({ ...A1, enableActingMaster: true }, bodyOf({ T: {}, [topic]: {} }))
  opened.rules.supportActingMaster = true
  expect(addressesOf(opened)).toEqual([[0, 'a:2']])
  expect(addressesOf(opened, topic)).toEqual([[1, 'a:2']])
})

test('the lowest slave registers topics without the permission to write', () => {
  const opened = openTable()
  opened.register({ ...A1, enableActingMaster: true }, two)
  expect(permsOf(opened)).toEqual([4])
  opened.register({ ...A, enableActingMaster: true }, two)
  expect(permsOf(opened)).toEqual([6])
})

test('a master that comes back with an older state than its successor is not taken', () => {
  const opened = openTable()
  opened.register({ ...A1, brokerId: 0 }, bodyOf({ T: {}, U: {} }, { stateVersion: 2 }))
  expect(opened.register(A, bodyOf({ T: {}, U: {} }, { stateVersion: 1 }))).toEqual({})
  expect(addressesOf(opened)).toEqual([[0, 'a:2']])
  opened.register(A, bodyOf({ T: {}, U: {} }, { stateVersion: 3 }))
  expect(addressesOf(opened)).toEqual([[0, 'a:1']])
  opened.table.disconnect(2) // the one that was replaced takes nothing with it
  expect(addressesOf(opened)).toEqual([[0, 'a:1']])
})

test('a broker unknown cannot begin with one topic, a known one may name one', () => {
  const opened = openTable()
  expect(opened.register(A, bodyOf({ T: {} }))).toBeNull()
  expect([...opened.table.brokers.groups()]).toEqual([])
  opened.register(A, two)
  opened.register(A, bodyOf({ V: {} }, { counter: 2 }))
  expect([...opened.table.topics.names()]).toEqual(['T', 'U', 'V'])
})

test('topics that are not named any more stay, unless that is asked for', () => {
  const opened = openTable()
  opened.register(A, three(1))
  opened.register(A, bodyOf({ T: {}, U: {} }, { counter: 2 }))
  expect(opened.table.route('V')).toBeDefined()
  opened.rules.deleteTopicWithBrokerRegistration = true
  opened.register(A, bodyOf({ T: {}, U: {} }, { counter: 3 }))
  expect(opened.table.route('V')).toBeUndefined()
})

test('a broker that changes its name leaves its old one', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.register({ ...A, brokerName: 'z' }, two)
  expect(opened.table.route('T')?.brokerDatas.map(({ brokerName }) => brokerName)).toEqual(['z'])
})

test('wiped queues stay wiped until the topics of their broker change', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.register(B, two)
  expect(opened.table.wipe('a')).toBe(2)
  opened.register(A, two)
  expect(permsOf(opened)).toEqual([6, 4])
  expect(opened.table.addWrite('a')).toBe(2)
  opened.table.wipe('a')
  opened.register(A, three(2))
  expect(permsOf(opened)?.toSorted()).toEqual([6, 6])
})

test('a route is encoded once until something in it changes', () => {
  const opened = openTable()
  opened.register(A, two)
  const encoded = opened.table.encodedRoute('T', 'standard')
  expect(opened.table.encodedRoute('T', 'standard')).toBe(encoded)
  expect(opened.table.encodedRoute('T', 'legacy')!.equals(encoded!)).toBe(false)
  opened.register(A, two)
  opened.register(A, three(2)) // V is new, T is as it was
  expect(opened.table.encodedRoute('T', 'standard')).toBe(encoded)
  opened.register(A1, two)
  expect(opened.table.encodedRoute('T', 'standard')!.toString()).toContain('a:2')
})

test('the declared order of a topic is in its route when that is enabled', () => {
  const opened = openTable()
  opened.register(A, two)
  opened.orders.set('T', 'a:4')
  expect(opened.table.route('T')?.orderTopicConf).toBeUndefined()
  opened.rules.orderMessageEnable = true
  expect(opened.table.route('T')?.orderTopicConf).toBe('a:4')
})
