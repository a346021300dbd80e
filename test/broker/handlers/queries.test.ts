import { describe, expect, test } from 'vitest'
import { registerQueryHandlers } from '../../../src/broker/handlers/queries.ts'
import { groupConfig } from '../../../src/broker/groups.ts'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { ConsumeStats } from '../../../src/protocol/bodies/consume-stats.ts'
import {
  GetConsumeStats,
  QueryMessage,
  ViewMessageById,
} from '../../../src/protocol/requests/query.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import type { IndexAnswer, IndexQuery } from '../../../src/store/index-reader.ts'
import { ask, openBroker, type Setup } from '../open-broker.ts'

const header = { topic: 'T', key: 'red', maxNum: 10, beginTimestamp: 5, endTimestamp: 9 }

/** Finds what a test says, and takes note of what it was asked for. */
async function brokerThatFinds(answer: Partial<IndexAnswer>, settings: Setup = {}) {
  const broker = await openBroker(settings)
  const asked: IndexQuery[] = []
  registerQueryHandlers(broker.handlers, broker, {
    byKey: async (query) => {
      asked.push(query)
      return { records: [], lastTimestamp: 0, lastPosition: 0, ...answer }
    },
    at: async (position) => (position === 7 ? Buffer.from('seven') : null),
  })
  return { broker, asked }
}

describe('QUERY_MESSAGE', () => {
  test('answers all that is found, and how far the index has come', async () => {
    const records = [Buffer.from('one'), Buffer.from('two')]
    const found = { records, lastTimestamp: 8, lastPosition: 99 }
    const { broker, asked } = await brokerThatFinds(found)
    const { code, body, reply } = await ask(broker, QueryMessage, header)
    expect([code, String(body)]).toEqual([ResponseCode.SUCCESS, 'onetwo'])
    expect(reply).toEqual({ indexLastUpdateTimestamp: 8, indexLastUpdatePhyoffset: 99 })
    expect(asked).toEqual([{ topic: 'T', key: 'red', max: 10, begin: 5, end: 9 }])
  })

  test('answers QUERY_NOT_FOUND with the words of Apache, and how far the index has come', async () => {
    const { broker } = await brokerThatFinds({ lastPosition: 4 })
    const { code, remark, extFields } = await ask(broker, QueryMessage, header)
    expect(code).toBe(ResponseCode.QUERY_NOT_FOUND)
    expect(remark).toBe('can not find message, maybe time range not correct')
    expect(extFields?.get('indexLastUpdatePhyoffset')).toBe('4')
  })

  test.each([
    ['of a key, at most maxMsgsNumBatch', { maxNum: 1000 }, 64],
    ['of a unique key, defaultQueryMaxNum', { maxNum: 1, uniqueKeyQuery: true }, 32],
  ])('looks for so many messages: %s', async (_, changes, max) => {
    const { broker, asked } = await brokerThatFinds({})
    await ask(broker, QueryMessage, { ...header, ...changes })
    expect(asked[0]?.max).toBe(max)
  })

  test('is refused while too many are running', async () => {
    const broker = await openBroker()
    const { promise, resolve } = Promise.withResolvers<null>()
    const byKey = () => Promise.reject(new Error('not asked'))
    registerQueryHandlers(broker.handlers, broker, { byKey, at: () => promise })
    const running = Array.from({ length: 64 }, () => ask(broker, ViewMessageById, { offset: 1 }))
    const { code } = await ask(broker, ViewMessageById, { offset: 1 })
    expect(code).toBe(ResponseCode.SYSTEM_BUSY)
    resolve(null)
    await Promise.all(running)
    const after = await ask(broker, ViewMessageById, { offset: 1 })
    expect(after.code).toBe(ResponseCode.SYSTEM_ERROR)
  })
})

describe('VIEW_MESSAGE_BY_ID', () => {
  test('answers the message at a position', async () => {
    const { broker } = await brokerThatFinds({})
    expect(String((await ask(broker, ViewMessageById, { offset: 7 })).body)).toBe('seven')
  })

  test('answers SYSTEM_ERROR with the words of Apache when there is none', async () => {
    const { broker } = await brokerThatFinds({})
    const { code, remark } = await ask(broker, ViewMessageById, { offset: 8 })
    expect([code, remark]).toEqual([
      ResponseCode.SYSTEM_ERROR,
      'can not find message by the offset, 8',
    ])
  })
})

describe('GET_CONSUME_STATS', () => {
  async function consumed(topic?: string) {
    const broker = await openBroker()
    for (const name of ['T', 'U']) {
      await broker.topics.put(topicConfig(name, 2, 6))
      broker.store.fill(name, 0, [100, 200, 300])
    }
    await broker.groups.put(groupConfig('g'))
    broker.offsets.commit('g', 'T', 0, 2)
    const { body } = await ask(broker, GetConsumeStats, { consumerGroup: 'g', topic })
    return ConsumeStats.decode(body).offsetTable
  }
  const queueOf = (topic: string, queueId: number) => ({ brokerName: 'broker-a', queueId, topic })
  const none = { brokerOffset: 0, consumerOffset: 0, lastTimestamp: 0, pullOffset: 0 }

  test('tells of each queue how far the group has come, and when that message was stored', async () => {
    const some = { brokerOffset: 3, consumerOffset: 2, lastTimestamp: 200, pullOffset: 2 }
    expect(await consumed()).toEqual([
      [queueOf('T', 0), some],
      [queueOf('T', 1), none],
    ])
  })

  test('tells it of a topic the group never consumed, when it is asked for', async () => {
    expect(await consumed('U')).toEqual([
      [queueOf('U', 0), { ...none, brokerOffset: 3 }],
      [queueOf('U', 1), none],
    ])
  })

  test('has nothing to tell of a topic that does not exist', async () => {
    expect(await consumed('V')).toEqual([])
  })
})
