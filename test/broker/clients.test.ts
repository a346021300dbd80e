import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SubscriptionData } from '../../src/protocol/bodies/heartbeat.ts'
import { GetConsumerListByGroup, UnregisterClient } from '../../src/protocol/requests/client.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import {
  beat,
  consumer,
  consumerIds,
  notices,
  subscription,
  topicsOf,
} from './handlers/heartbeats.ts'
import { MemoryPeer } from './memory-peer.ts'
import { ask, openBroker } from './open-broker.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

describe('the members of a group', () => {
  test('are each told at once when one comes', async () => {
    const broker = await openBroker()
    const [first, second] = [new MemoryPeer(), new MemoryPeer()]
    await beat(broker, { peer: first, clientID: 'a' })
    await vi.advanceTimersByTimeAsync(1000)
    expect(notices(first)).toEqual(['g'])
    await beat(broker, { peer: second, clientID: 'b' })
    await vi.advanceTimersByTimeAsync(0)
    expect(notices(first)).toEqual(['g', 'g'])
    expect(notices(second)).toEqual(['g'])
  })

  test('are told once of many that come at once, and once more of the stragglers', async () => {
    const broker = await openBroker()
    const first = new MemoryPeer()
    await beat(broker, { peer: first })
    for (let i = 0; i < 50; i++) await beat(broker, { clientID: `c${i}` })
    await vi.advanceTimersByTimeAsync(0)
    expect(notices(first)).toHaveLength(1)
    for (let i = 0; i < 50; i++) await beat(broker, { clientID: `d${i}` })
    await vi.advanceTimersByTimeAsync(1000)
    expect(notices(first)).toHaveLength(2)
  })

  test('are told when one unregisters, and when one is cut off', async () => {
    const broker = await openBroker()
    const peers = [new MemoryPeer(), new MemoryPeer(), new MemoryPeer()]
    for (const [i, peer] of peers.entries()) await beat(broker, { peer, clientID: `c${i}` })
    await vi.advanceTimersByTimeAsync(1000)
    peers[0]!.sent.length = 0
    const leave = { clientID: 'c1', consumerGroup: 'g' }
    await ask(broker, UnregisterClient, leave, { peer: peers[1] })
    await vi.advanceTimersByTimeAsync(1000)
    expect(notices(peers[0]!)).toHaveLength(1)
    broker.clients.connectionClosed(peers[2]!.id)
    await vi.advanceTimersByTimeAsync(1000)
    expect(notices(peers[0]!)).toHaveLength(2)
    expect(await consumerIds(broker)).toEqual(['c0'])
  })

  test('are told when the topics of the group change, not when only an expression does', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    const with_ = async (...list: SubscriptionData[]) => {
      await beat(broker, { peer, consumers: [consumer('g', { subscriptionDataSet: list })] })
      await vi.advanceTimersByTimeAsync(1000)
      return notices(peer).length
    }
    expect(await with_(subscription('T'))).toBe(1)
    expect(await with_(subscription('T', { subVersion: 2, subString: 'a' }))).toBe(1)
    expect(await with_(subscription('T', { subVersion: 2 }), subscription('U'))).toBe(2)
  })

  test.each([
    ['they broadcast', {}, { messageModel: 'BROADCASTING' as const }, true],
    ['the group does not want it', {}, {}, false],
    ['the broker does not want it', { notifyConsumerIdsChangedEnable: 'false' }, {}, true],
  ])('are not told when %s', async (_, settings, changes, notifyConsumerIdsChangedEnable) => {
    const broker = await openBroker(settings)
    const group = (await broker.groups.findOrCreate('g'))!
    await broker.groups.put({ ...group, notifyConsumerIdsChangedEnable })
    const peer = new MemoryPeer()
    await beat(broker, { peer, consumers: [consumer('g', changes)] })
    await beat(broker, { consumers: [consumer('g', changes)] })
    await vi.advanceTimersByTimeAsync(1000)
    expect(peer.sent).toEqual([])
  })

  test('are listed once, even when a client has two connections for a moment', async () => {
    const broker = await openBroker()
    await beat(broker, { clientID: 'a' })
    await beat(broker, { clientID: 'b' })
    await beat(broker, { clientID: 'a' })
    expect((await consumerIds(broker)).toSorted()).toEqual(['a', 'b'])
  })

  test('of a group without any are answered with SYSTEM_ERROR', async () => {
    const header = { consumerGroup: 'nope' }
    const response = await ask(await openBroker(), GetConsumerListByGroup, header)
    expect(response.code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(response.remark).toBe('no consumer for this group, nope')
  })
})

describe('a client', () => {
  test('that unregisters is gone from the groups it names only', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer, consumers: [consumer('g'), consumer('h')], producers: ['p', 'q'] })
    const leave = { clientID: 'c', consumerGroup: 'g', producerGroup: 'p' }
    const { code } = await ask(broker, UnregisterClient, leave, { peer })
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(await consumerIds(broker, 'g')).toEqual([])
    expect(await consumerIds(broker, 'h')).toEqual(['c'])
    expect(broker.clients.producers('p')).toEqual([])
    expect(broker.clients.producers('q')).toHaveLength(1)
    expect(topicsOf(broker, 'g')).toEqual([])
  })

  test('that unregisters and beats again is there again', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer })
    await ask(broker, UnregisterClient, { clientID: 'c', consumerGroup: 'g' }, { peer })
    await beat(broker, { peer })
    expect(await consumerIds(broker)).toEqual(['c'])
    expect(topicsOf(broker)).toEqual(['T', '%RETRY%g'])
  })

  test('that is silent too long is dropped and its connection closed; one that beats stays', async () => {
    const broker = await openBroker()
    const [silent, alive] = [new MemoryPeer(), new MemoryPeer()]
    await beat(broker, { peer: silent, clientID: 'silent', producers: ['p'] })
    await beat(broker, { peer: alive, clientID: 'alive' })
    for (let seconds = 0; seconds < 135; seconds += 30) {
      broker.clock.time += 30_000
      await vi.advanceTimersByTimeAsync(30_000)
      await beat(broker, { peer: alive, clientID: 'alive' })
    }
    expect(await consumerIds(broker)).toEqual(['alive'])
    expect(broker.clients.producers('p')).toEqual([])
    expect(silent.closedFor).toMatch(/no heartbeat/)
    expect(alive.closedFor).toBeNull()
  })

  test('that drops a group from its heartbeats leaves it after a while and keeps its connection', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer, consumers: [consumer('g'), consumer('h')] })
    for (let seconds = 0; seconds < 135; seconds += 30) {
      broker.clock.time += 30_000
      await vi.advanceTimersByTimeAsync(30_000)
      await beat(broker, { peer, consumers: [consumer('g')] })
    }
    expect(await consumerIds(broker, 'h')).toEqual([])
    expect(await consumerIds(broker, 'g')).toEqual(['c'])
    expect(peer.closedFor).toBeNull()
  })

  test('that left needs no timer any more', async () => {
    const broker = await openBroker()
    await broker.close()
    vi.clearAllTimers()
    const peer = new MemoryPeer()
    await beat(broker, { peer, consumers: [], producers: ['p'] })
    expect(vi.getTimerCount()).toBe(1)
    broker.clients.connectionClosed(peer.id)
    broker.clock.time += 120_000
    await vi.advanceTimersByTimeAsync(120_000)
    expect(vi.getTimerCount()).toBe(0)
  })
})
