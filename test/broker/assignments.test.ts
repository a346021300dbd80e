import { describe, expect, test } from 'vitest'
import {
  sharedQueues,
  sortedQueues,
  STRATEGIES,
  type Strategy,
} from '../../src/broker/assignments.ts'
import { registerAssignmentHandlers } from '../../src/broker/handlers/assignments.ts'
import { groupConfig } from '../../src/broker/groups.ts'
import { topicConfig } from '../../src/broker/system-topics.ts'
import { AssignmentBody, AssignmentReply } from '../../src/protocol/bodies/assignment.ts'
import { HeartbeatData } from '../../src/protocol/bodies/heartbeat.ts'
import { RequestModeBody } from '../../src/protocol/bodies/request-mode.ts'
import { HeartBeat } from '../../src/protocol/requests/client.ts'
import { SetMessageRequestMode } from '../../src/protocol/requests/group.ts'
import { QueryAssignment } from '../../src/protocol/requests/pop.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { MemoryPeer } from './memory-peer.ts'
import { ask, openBroker, type TestBroker } from './open-broker.ts'

const QUEUES = ['a', 'b'].flatMap((brokerName) =>
  [0, 1, 2].map((queueId) => ({ brokerName, queueId, topic: 'T' })),
)

function names(queues: readonly { brokerName: string; queueId: number }[]): string[] {
  return queues.map(({ brokerName, queueId }) => `${brokerName}${queueId}`)
}

describe('queues are shared out', () => {
  const clientIds = ['c1', 'c2', 'c3', 'c4']
  const all = (strategy: Strategy) =>
    clientIds.map((clientId) => names(strategy({ clientId, clientIds }, QUEUES)).join(' '))

  test('in blocks, the first clients having one more', () => {
    expect(all(STRATEGIES.get('AVG')!)).toEqual(['a0 a1', 'a2 b0', 'b1', 'b2'])
  })

  test('by circle', () => {
    expect(all(STRATEGIES.get('AVG_BY_CIRCLE')!)).toEqual(['a0 b1', 'a1 b2', 'a2', 'b0'])
  })

  test('to nobody who is not listed', () => {
    const asker = { clientId: 'c9', clientIds }
    for (const strategy of STRATEGIES.values()) expect(strategy(asker, QUEUES)).toEqual([])
  })

  test('in the order that Java sorts them in', () => {
    expect(names(sortedQueues(QUEUES.toReversed()))).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2'])
  })
})

describe('for POP', () => {
  const inBlocks = STRATEGIES.get('AVG')!
  const share = (clientId: string, count: number, clientIds = ['c1', 'c2', 'c3']) =>
    names(sharedQueues(inBlocks, { clientId, clientIds }, QUEUES, count))

  test.each([0, -1, 2, 9])('with %i to share with, all clients have all queues', (count) => {
    expect(share('c2', count)).toEqual(['a-1', 'b-1'])
  })

  test('with fewer each has those of its neighbours, too', () => {
    expect(share('c1', 1)).toEqual(['a0', 'a1', 'a2', 'b0'])
    expect(share('c3', 1)).toEqual(['b1', 'b2', 'a0', 'a1'])
  })

  test('with more clients than queues each has one', () => {
    const many = Array.from({ length: 9 }, (_, nth) => `c${nth}`)
    expect(share('c7', 1, many)).toEqual(['a1'])
  })
})

describe('a broker', () => {
  async function withConsumers(settings = {}): Promise<TestBroker> {
    const broker = await openBroker(settings)
    registerAssignmentHandlers(broker.handlers, broker, (topic) =>
      Promise.resolve(topic === 'T' ? QUEUES : null),
    )
    await broker.topics.put(topicConfig('T', 3, 6))
    await broker.groups.put(groupConfig('g'))
    for (const clientId of ['c1', 'c2']) {
      const body = HeartbeatData.encode({
        clientID: clientId,
        producerDataSet: [],
        consumerDataSet: [
          {
            groupName: 'g',
            consumeType: 'CONSUME_PASSIVELY',
            messageModel: 'CLUSTERING',
            consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
            subscriptionDataSet: [],
            unitMode: false,
          },
        ],
        heartbeatFingerprint: 0,
        withoutSub: false,
      })
      await ask(broker, HeartBeat, {}, { body, peer: new MemoryPeer() })
    }
    return broker
  }

  async function assigned(broker: TestBroker, changes = {}) {
    const of = { clientId: 'c1', consumerGroup: 'g', topic: 'T' }
    const model = { messageModel: 'CLUSTERING' as const, strategyName: 'AVG' }
    const body = AssignmentBody.encode({ ...of, ...model, ...changes })
    const answer = await ask(broker, QueryAssignment, {}, { body })
    expect(answer.code).toBe(0)
    return AssignmentReply.decode(answer.body).messageQueueAssignments
  }

  const setMode = (broker: TestBroker, changes = {}) => {
    const of = { topic: 'T', consumerGroup: 'g', mode: 'POP' as const, popShareQueueNum: 0 }
    const body = RequestModeBody.encode({ ...of, ...changes })
    return ask(broker, SetMessageRequestMode, {}, { body })
  }

  test('shares queues out by PULL, until it is told otherwise, over a restart', async () => {
    const broker = await withConsumers()
    const pulls = await assigned(broker)
    expect(names(pulls!.map(({ messageQueue }) => messageQueue))).toEqual(['a0', 'a1', 'a2'])
    expect(pulls!.every(({ mode }) => mode === 'PULL')).toBe(true)
    expect((await setMode(broker)).code).toBe(0)
    const pops = await assigned(broker)
    expect(pops!.map(({ messageQueue, mode }) => [messageQueue.queueId, mode])).toEqual([
      [-1, 'POP'],
      [-1, 'POP'],
    ])
    await broker.close()
    const again = await openBroker({}, broker.folder)
    expect(again.modes.get('T', 'g')).toMatchObject({ mode: 'POP' })
  })

  test('has a mode for those that nobody set', async () => {
    const broker = await withConsumers({ defaultMessageRequestMode: 'POP' })
    expect((await assigned(broker))!.map(({ mode }) => mode)).toEqual(['POP', 'POP'])
  })

  test.each([
    ['of a topic that nobody knows', { topic: 'U' }],
    ['by an unknown strategy', { strategyName: 'X' }],
    ['of a group without members', { consumerGroup: 'h' }],
  ])('leaves a consumer what it has when it cannot tell: %s', async (_, changes) => {
    expect(await assigned(await withConsumers(), changes)).toBeUndefined()
  })

  test('gives all queues to each client that wants everything', async () => {
    const broker = await withConsumers()
    expect(await assigned(broker, { messageModel: 'BROADCASTING' })).toHaveLength(6)
    const without = await withConsumers({ serverLoadBalancerEnable: 'false' })
    expect(await assigned(without)).toHaveLength(6)
  })

  test.each([
    ['a retry topic', { topic: '%RETRY%g' }, 'NO_PERMISSION'],
    ['an unknown topic', { topic: 'U' }, 'TOPIC_NOT_EXIST'],
    ['an unknown group', { consumerGroup: 'h' }, 'SUBSCRIPTION_GROUP_NOT_EXIST'],
  ] as const)('takes no mode for %s', async (_, changes, code) => {
    expect((await setMode(await withConsumers(), changes)).code).toBe(ResponseCode[code])
  })
})
