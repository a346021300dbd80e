import { describe, expect, test } from 'vitest'
import { groupConfig } from '../../../src/broker/groups.ts'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { ConsumerOffsetWrapper } from '../../../src/protocol/bodies/consumer-offset.ts'
import { CommandFlag, requestCommand } from '../../../src/protocol/remoting-command.ts'
import {
  GetAllConsumerOffset,
  GetEarliestMsgStoretime,
  GetMaxOffset,
  GetMinOffset,
  QueryConsumerOffset,
  SearchOffsetByTimestamp,
  UpdateConsumerOffset,
} from '../../../src/protocol/requests/offset.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { MemoryPeer } from '../memory-peer.ts'
import { ask, openBroker } from '../open-broker.ts'

const queue = { topic: 'T', queueId: 0 }

async function brokerWithTopic() {
  const broker = await openBroker()
  await broker.topics.put(topicConfig('T', 2, 6))
  await broker.groups.put(groupConfig('g'))
  return broker
}

describe('UPDATE_CONSUMER_OFFSET', () => {
  const header = { consumerGroup: 'g', ...queue, commitOffset: 5 }

  test('commits', async () => {
    const broker = await brokerWithTopic()
    const { code } = await ask(broker, UpdateConsumerOffset, header)
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(broker.offsets.get('g', 'T', 0)).toBe(5)
  })

  test('commits one-way, without an answer', async () => {
    const broker = await brokerWithTopic()
    const request = requestCommand(
      UpdateConsumerOffset.code,
      UpdateConsumerOffset.encodeHeader(header),
    )
    request.flag = CommandFlag.ONEWAY
    expect(await broker.handlers.answer(request, new MemoryPeer())).toBeNull()
    expect(broker.offsets.get('g', 'T', 0)).toBe(5)
  })

  test.each([
    [
      'an unknown group',
      { consumerGroup: 'h' },
      'SUBSCRIPTION_GROUP_NOT_EXIST',
      /Group h not exist/,
    ],
    ['an unknown topic', { topic: 'U' }, 'TOPIC_NOT_EXIST', /Topic U not exist/],
    ['a queue beyond the last', { queueId: 2 }, 'INVALID_PARAMETER', /must be from 0 to 1/],
    ['a negative queue', { queueId: -1 }, 'INVALID_PARAMETER', /queueId is -1/],
    ['a negative offset', { commitOffset: -1 }, 'INVALID_PARAMETER', /must be 0 or more/],
  ] as const)('refuses %s', async (_, changes, codeName, remark) => {
    const broker = await brokerWithTopic()
    const response = await ask(broker, UpdateConsumerOffset, { ...header, ...changes })
    expect(response.code).toBe(ResponseCode[codeName])
    expect(response.remark).toMatch(remark)
    expect(broker.offsets.topicsOf('g')).toEqual([])
  })
})

describe('QUERY_CONSUMER_OFFSET', () => {
  const header = { consumerGroup: 'g', ...queue }

  test('answers with the committed offset', async () => {
    const broker = await brokerWithTopic()
    broker.offsets.commit('g', 'T', 0, 5)
    const { reply } = await ask(broker, QueryConsumerOffset, header)
    expect(reply.offset).toBe(5)
  })

  test('of a new group answers 0 on a queue whose first message is still in memory', async () => {
    const broker = await brokerWithTopic()
    broker.store.fill('T', 0, [1000])
    const { code, reply } = await ask(broker, QueryConsumerOffset, header)
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(reply.offset).toBe(0)
  })

  test('does not answer 0 when the client says so', async () => {
    const broker = await brokerWithTopic()
    broker.store.fill('T', 0, [1000])
    const response = await ask(broker, QueryConsumerOffset, { ...header, setZeroIfNotFound: false })
    expect(response.code).toBe(ResponseCode.QUERY_NOT_FOUND)
  })

  test.each([
    ['an empty queue', [], 0],
    ['a queue that has lost its first messages', [1000], 7],
  ])('of a new group is not found on %s', async (_, storeTimes, minOffset) => {
    const broker = await brokerWithTopic()
    broker.store.fill('T', 0, storeTimes, minOffset)
    const { code } = await ask(broker, QueryConsumerOffset, header)
    expect(code).toBe(ResponseCode.QUERY_NOT_FOUND)
  })

  test('of a new group is not found when the first message is only on disk', async () => {
    const broker = await brokerWithTopic()
    broker.store.fill('T', 0, [1000])
    broker.store.cold.add('T/0/0')
    const { code } = await ask(broker, QueryConsumerOffset, header)
    expect(code).toBe(ResponseCode.QUERY_NOT_FOUND)
  })

  test.each([{ topic: 'Nope' }, { queueId: 99 }, { queueId: -1 }])(
    'is not found for %j',
    async (changes) => {
      const { code } = await ask(await brokerWithTopic(), QueryConsumerOffset, {
        ...header,
        ...changes,
      })
      expect(code).toBe(ResponseCode.QUERY_NOT_FOUND)
    },
  )
})

describe('questions about queues', () => {
  test('are answered from the store', async () => {
    const broker = await brokerWithTopic()
    broker.store.fill('T', 0, [1000, 2000, 3000], 7)
    const max = await ask(broker, GetMaxOffset, { ...queue, committed: true })
    expect(max.reply.offset).toBe(10)
    expect((await ask(broker, GetMinOffset, queue)).reply.offset).toBe(7)
    expect((await ask(broker, GetEarliestMsgStoretime, queue)).reply.timestamp).toBe(1000)
  })

  test.each([
    ['LOWER', 8],
    ['UPPER', 7],
  ] as const)('by time keep to the %s boundary', async (boundaryType, offset) => {
    const broker = await brokerWithTopic()
    broker.store.fill('T', 0, [1000, 2000, 3000], 7)
    const header = { ...queue, timestamp: 1500, boundaryType }
    expect((await ask(broker, SearchOffsetByTimestamp, header)).reply.offset).toBe(offset)
  })

  test('that are not there are answered as empty ones', async () => {
    const broker = await brokerWithTopic()
    const none = { topic: 'Nope', queueId: 3 }
    expect((await ask(broker, GetMaxOffset, { ...none, committed: true })).reply.offset).toBe(0)
    expect((await ask(broker, GetMinOffset, none)).reply.offset).toBe(0)
    expect((await ask(broker, GetEarliestMsgStoretime, none)).reply.timestamp).toBe(-1)
    const search = { ...none, timestamp: 1500, boundaryType: 'LOWER' as const }
    expect((await ask(broker, SearchOffsetByTimestamp, search)).reply.offset).toBe(0)
  })
})

test('GET_ALL_CONSUMER_OFFSET answers with the whole table', async () => {
  const broker = await brokerWithTopic()
  broker.offsets.commit('g', 'T', 1, 5)
  const { body } = await ask(broker, GetAllConsumerOffset, {})
  expect(ConsumerOffsetWrapper.decode(body)).toEqual({
    dataVersion: broker.offsets.dataVersion,
    offsetTable: new Map([['T@g', new Map([[1, 5]])]]),
  })
})
