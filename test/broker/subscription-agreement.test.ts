/** Consumers of one group that subscribe to different things. */
import { expect, test } from 'vitest'
import { KvTable } from '../../src/protocol/bodies/kv-table.ts'
import { GetBrokerRuntimeInfo } from '../../src/protocol/requests/broker.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { beat, consumer, consumerIds, subscription } from './handlers/heartbeats.ts'
import { MemoryPeer } from './memory-peer.ts'
import { ask, openBroker, type TestBroker } from './open-broker.ts'

const RETRIES = subscription('%RETRY%g')

function tags(...tagsSet: string[]) {
  return subscription('T', { subString: tagsSet.join(' || '), tagsSet })
}

/** A heartbeat of a client of group g. */
function come(
  broker: TestBroker,
  clientID: string,
  subscriptions = [tags('A'), RETRIES],
  peer = new MemoryPeer(),
) {
  return beat(broker, {
    peer,
    clientID,
    consumers: [consumer('g', { subscriptionDataSet: subscriptions })],
  })
}

const told = ({ log }: TestBroker) =>
  log.lines.filter((line) => line.includes('of a group subscribe'))

async function runtimeInfo(broker: TestBroker): Promise<string | undefined> {
  const { body } = await ask(broker, GetBrokerRuntimeInfo, {})
  return KvTable.decode(body).table.get('differentSubscriptions')
}

test('consumers that differ are told of once, and once more when it is over', async () => {
  const broker = await openBroker()
  const [first, second] = [new MemoryPeer(), new MemoryPeer()]
  await come(broker, 'a', [tags('A'), RETRIES], first)
  expect(await runtimeInfo(broker)).toBeUndefined()
  for (let i = 0; i < 3; i++) {
    await come(broker, 'b', [tags('B'), subscription('U'), RETRIES], second)
    await come(broker, 'a', [tags('A'), RETRIES], first)
  }
  const [line, ...others] = told(broker)
  expect(others).toEqual([])
  expect(line).toMatch(/^warn the consumers of a group subscribe to different things/)
  expect(JSON.parse(line!.slice(line!.indexOf('{')))).toEqual({
    group: 'g',
    one: { clientId: 'a', wants: 'T A' },
    other: { clientId: 'b', wants: 'T B, U *' },
  })
  expect(await runtimeInfo(broker)).toBe('g')
  broker.clients.connectionClosed(second.id)
  expect(told(broker).slice(1)).toEqual([
    'info the consumers of a group subscribe to the same {"group":"g"}',
  ])
  expect(await runtimeInfo(broker)).toBeUndefined()
})

test('the same in another order is the same, and retries do not count', async () => {
  const broker = await openBroker()
  await come(broker, 'a', [tags('A', 'B'), subscription('U'), RETRIES])
  await come(broker, 'b', [subscription('U', { subString: '' }), tags('B', 'A')])
  expect(told(broker)).toEqual([])
})

test('a condition is not a tag of the same text', async () => {
  const broker = await openBroker()
  await come(broker, 'a', [subscription('T', { subString: 'A' })])
  await come(broker, 'b', [subscription('T', { subString: 'A', expressionType: 'SQL92' })])
  expect(told(broker)).toHaveLength(1)
})

test('a client that subscribes anew, or comes back, does not differ from itself', async () => {
  const broker = await openBroker()
  const peer = new MemoryPeer()
  await come(broker, 'a', [tags('A')], peer)
  await come(broker, 'a', [tags('B')], peer)
  await come(broker, 'a', [tags('C')], new MemoryPeer())
  broker.clients.connectionClosed(peer.id)
  expect(told(broker)).toEqual([])
})

test('one that is replaced by a newer one is told of only while both are there', async () => {
  const broker = await openBroker()
  const [old, newer] = [new MemoryPeer(), new MemoryPeer()]
  await come(broker, 'old', [subscription('T', { subVersion: 1 })], old)
  broker.clients.connectionClosed(old.id)
  await come(broker, 'newer', [subscription('U', { subVersion: 2 })], newer)
  expect(told(broker)).toEqual([])
})

test('with strictSubscription the newcomer is refused, and its other groups are served', async () => {
  const broker = await openBroker({ strictSubscription: 'true' })
  const first = new MemoryPeer()
  await come(broker, 'a', [tags('A')], first)
  const newcomer = new MemoryPeer()
  const both = {
    peer: newcomer,
    clientID: 'b',
    consumers: [consumer('g', { subscriptionDataSet: [tags('B')] }), consumer('other')],
  }
  const refused = await beat(broker, both)
  expect(refused).toMatchObject({
    code: ResponseCode.INVALID_PARAMETER,
    remark:
      'strictSubscription: all consumers of group g must subscribe to the same; this one wants T B, a wants T A',
  })
  expect(await consumerIds(broker)).toEqual(['a'])
  expect(await consumerIds(broker, 'other')).toEqual(['b'])
  expect(broker.metadata.subscriptions.get('g')).toMatchObject([{ subString: 'A' }])
  expect(told(broker)).toEqual([])
  expect((await come(broker, 'a', [tags('A')], first)).code).toBe(0)
  expect((await come(broker, 'c', [tags('A')])).code).toBe(0)
  broker.clients.connectionClosed(first.id)
  expect((await beat(broker, both)).code).toBe(ResponseCode.INVALID_PARAMETER) // c is still there
})

test('with strictSubscription a group may want something else once all others are gone', async () => {
  const broker = await openBroker({ strictSubscription: 'true' })
  const first = new MemoryPeer()
  await come(broker, 'a', [tags('A')], first)
  expect((await come(broker, 'b', [tags('B')])).code).toBe(ResponseCode.INVALID_PARAMETER)
  broker.clients.connectionClosed(first.id)
  expect((await come(broker, 'b', [tags('B')])).code).toBe(0)
  expect(broker.metadata.subscriptions.get('g')).toMatchObject([{ subString: 'B' }])
})
