import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { CheckClientBody, type SubscriptionData } from '../../../src/protocol/bodies/heartbeat.ts'
import { CheckClientConfig, HeartBeat } from '../../../src/protocol/requests/client.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, openBroker } from '../open-broker.ts'
import { type Beat, beat, consumer, consumerIds, subscription, topicsOf } from './heartbeats.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

describe('a heartbeat', () => {
  test('makes the group and its retry topic, and publishes its subscriptions, before it is answered', async () => {
    const broker = await openBroker()
    const { code, reply } = await beat(broker)
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(reply).toEqual({ supportsHeartbeatV2: true, subscriptionChanged: true })
    expect(broker.metadata.groups.has('g')).toBe(true)
    expect(broker.metadata.topics.get('%RETRY%g')).toEqual(topicConfig('%RETRY%g', 1, 6))
    expect(broker.metadata.subscriptions.get('g')).toEqual(consumer('g').subscriptionDataSet)
    expect(await consumerIds(broker)).toEqual(['c'])
  })

  test('registers producers', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer, consumers: [], producers: ['p'] })
    expect(broker.clients.producers('p')).toMatchObject([{ clientId: 'c', language: 'JAVA', peer }])
  })

  test('makes an ordered, unit-flagged retry topic for who wants it', async () => {
    const broker = await openBroker()
    await broker.topics.put({ ...topicConfig('T', 1, 6), order: true })
    await beat(broker, { consumers: [consumer('g', { unitMode: true })] })
    expect(broker.topics.get('%RETRY%g')).toMatchObject({ order: true, topicSysFlag: 2 })
  })

  test('passes over a group that may not be created, and registers the others', async () => {
    const broker = await openBroker()
    const { code } = await beat(broker, { consumers: [consumer('a b'), consumer('g')] })
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(await consumerIds(broker, 'a b')).toEqual([])
    expect(await consumerIds(broker)).toEqual(['c'])
  })

  test('replaces the subscriptions of the group; of one topic the larger version stays', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    const with_ = (...list: SubscriptionData[]) =>
      beat(broker, { peer, consumers: [consumer('g', { subscriptionDataSet: list })] })
    await with_(subscription('T', { subVersion: 5, subString: 'new' }), subscription('U'))
    await with_(subscription('T', { subVersion: 4, subString: 'old' }), subscription('V'))
    expect(topicsOf(broker)).toEqual(['T', 'V'])
    expect(broker.metadata.subscriptions.get('g')![0]!.subString).toBe('new')
    await with_(subscription('T', { subVersion: 6, subString: 'newer' }), subscription('V'))
    expect(broker.metadata.subscriptions.get('g')![0]!.subString).toBe('newer')
  })

  test('that repeats the last one word for word publishes nothing', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer })
    const { published } = broker.metadata
    const { reply } = await beat(broker, { peer })
    expect(reply).toEqual({ supportsHeartbeatV2: true, subscriptionChanged: true })
    expect(broker.metadata.published).toBe(published)
  })

  test('that repeats the last one brings its subscriptions back when others replaced them', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer })
    await beat(broker, { consumers: [consumer('g', { subscriptionDataSet: [subscription('U')] })] })
    expect(topicsOf(broker)).toEqual(['U'])
    await beat(broker, { peer })
    expect(topicsOf(broker)).toEqual(['T', '%RETRY%g'])
  })

  test('that repeats the last one brings a deleted group and retry topic back', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer })
    await broker.groups.delete('g')
    await broker.topics.delete('%RETRY%g')
    broker.clients.forgetBeats()
    await beat(broker, { peer })
    expect(broker.groups.get('g')).toBeDefined()
    expect(broker.topics.get('%RETRY%g')).toBeDefined()
  })

  test('of a client that left meanwhile leaves nothing behind', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    const answer = beat(broker, { peer })
    broker.clients.connectionClosed(peer.id)
    await answer
    expect(await consumerIds(broker)).toEqual([])
    expect(topicsOf(broker)).toEqual([])
  })

  test.each([
    ['without a body', null],
    ['with half a body', Buffer.from('{"clientID":')],
    ['without a client id', Buffer.from('{}')],
  ])('%s is answered with what is wrong', async (_, body) => {
    const response = await ask(await openBroker(), HeartBeat, {}, { body })
    expect(response.code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(response.remark).toMatch(/HeartbeatData|text ends/)
  })

  test.each([
    ['a long client id', { clientID: 'c'.repeat(1025) }, /at most 1024/],
    [
      'many groups',
      { consumers: Array.from({ length: 1025 }, (_, i) => consumer(`g${i}`)) },
      /at most 1024/,
    ],
    ['a long producer group', { producers: ['p'.repeat(256)] }, /at most 255/],
    [
      'many subscriptions',
      {
        consumers: [
          consumer('g', {
            subscriptionDataSet: Array.from({ length: 4097 }, () => subscription('T')),
          }),
        ],
      },
      /at most 4096/,
    ],
  ])('with %s is refused', async (_, options, remark) => {
    const response = await beat(await openBroker(), options)
    expect(response.code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(response.remark).toMatch(remark)
  })
})

describe('a V2 heartbeat', () => {
  test('is asked for its subscriptions only when the group heard another fingerprint', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    const said = async (options: Beat) =>
      (await beat(broker, { peer, ...options })).reply.subscriptionChanged
    expect(await said({ fingerprint: 7 })).toBe(false)
    expect(await said({ fingerprint: 7 })).toBe(false)
    expect(await said({ fingerprint: 7, withoutSub: true })).toBe(false)
    expect(await said({ fingerprint: 8 })).toBe(true)
    expect(await said({ fingerprint: 8 })).toBe(false)
  })

  test('without subscriptions keeps those the group has', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer, fingerprint: 7 })
    const bare = [consumer('g', { subscriptionDataSet: [] })]
    await beat(broker, { peer, fingerprint: 7, withoutSub: true, consumers: bare })
    expect(topicsOf(broker)).toEqual(['T', '%RETRY%g'])
  })

  test('without subscriptions is asked for them by a broker that was restarted', async () => {
    const broker = await openBroker()
    const bare = [consumer('g', { subscriptionDataSet: [] })]
    const { reply } = await beat(broker, { fingerprint: 7, withoutSub: true, consumers: bare })
    expect(reply.subscriptionChanged).toBe(true)
  })

  test('is asked for its subscriptions by a group that last heard a V1 member', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer, fingerprint: 7 })
    await beat(broker)
    expect((await beat(broker, { peer, fingerprint: 7 })).reply.subscriptionChanged).toBe(true)
  })

  test('that repeats the last one still notices that another member changed the fingerprint', async () => {
    const broker = await openBroker()
    const peer = new MemoryPeer()
    await beat(broker, { peer, fingerprint: 7 })
    await beat(broker, { fingerprint: 8 })
    expect((await beat(broker, { peer, fingerprint: 7 })).reply.subscriptionChanged).toBe(true)
  })
})

describe('CHECK_CLIENT_CONFIG', () => {
  const check = async (expressionType: string) => {
    const subscriptionData = subscription('T', { expressionType, subString: 'a > 1' })
    const body = CheckClientBody.encode({ clientId: 'c', group: 'g', subscriptionData })
    return ask(await openBroker(), CheckClientConfig, {}, { body })
  }

  test('says yes to tags', async () => {
    expect((await check('TAG')).code).toBe(ResponseCode.SUCCESS)
  })

  test('says honestly that SQL92 is not supported', async () => {
    const { code, remark } = await check('SQL92')
    expect(code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(remark).toBe('The broker does not support consumer to filter message by SQL92')
  })
})
