import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import {
  CheckClientBody,
  type ConsumerData,
  ConsumerList,
  HeartbeatData,
  type SubscriptionData,
} from '../../../src/protocol/bodies/heartbeat.ts'
import { CommandFlag } from '../../../src/protocol/remoting-command.ts'
import {
  CheckClientConfig,
  GetConsumerListByGroup,
  HeartBeat,
  NotifyConsumerIdsChanged,
  UnregisterClient,
} from '../../../src/protocol/requests/client.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, openBroker, type TestBroker } from '../open-broker.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

function subscription(topic: string, changes: Partial<SubscriptionData> = {}): SubscriptionData {
  return {
    topic,
    subString: '*',
    expressionType: 'TAG',
    subVersion: 1,
    tagsSet: [],
    codeSet: [],
    classFilterMode: false,
    ...changes,
  }
}

function consumer(groupName: string, changes: Partial<ConsumerData> = {}): ConsumerData {
  return {
    groupName,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    subscriptionDataSet: [subscription('T'), subscription(`%RETRY%${groupName}`)],
    unitMode: false,
    ...changes,
  }
}

interface Beat {
  peer?: MemoryPeer
  clientID?: string
  consumers?: ConsumerData[]
  producers?: string[]
  fingerprint?: number
  withoutSub?: boolean
}

function beat(broker: TestBroker, options: Beat = {}) {
  const { peer = new MemoryPeer(), clientID = 'c', consumers = [consumer('g')] } = options
  const body = HeartbeatData.encode({
    clientID,
    consumerDataSet: consumers,
    producerDataSet: (options.producers ?? []).map((groupName) => ({ groupName })),
    heartbeatFingerprint: options.fingerprint ?? 0,
    withoutSub: options.withoutSub ?? false,
  })
  return ask(broker, HeartBeat, {}, { body, peer })
}

async function consumerIds(broker: TestBroker, consumerGroup = 'g'): Promise<string[]> {
  const { body } = await ask(broker, GetConsumerListByGroup, { consumerGroup })
  return body === null ? [] : ConsumerList.decode(body).consumerIdList
}

function topicsOf(broker: TestBroker, group = 'g'): string[] {
  return (broker.metadata.subscriptions.get(group) ?? []).map(({ topic }) => topic)
}

/** Groups whose members a peer was told to have changed. */
function notices({ sent }: MemoryPeer): (string | undefined)[] {
  expect(sent.every(({ code }) => code === NotifyConsumerIdsChanged.code)).toBe(true)
  expect(sent.every(({ flag }) => flag === CommandFlag.ONEWAY)).toBe(true)
  return sent.map(({ extFields }) => extFields?.get('consumerGroup'))
}

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
    expect(remark).toBe(
      'The broker does not support consumer to filter message by SQL92: only by TAG.',
    )
  })
})
