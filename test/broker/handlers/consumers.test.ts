import { expect, test } from 'vitest'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { ConsumeStatsList, ConsumeTimeSpans } from '../../../src/protocol/bodies/consume-stats.ts'
import { GroupList, GroupSubscription } from '../../../src/protocol/bodies/group-list.ts'
import { TopicList } from '../../../src/protocol/bodies/topic-list.ts'
import {
  GetBrokerConsumeStats,
  QueryConsumeTimeSpan,
  QuerySubscriptionByConsumer,
  QueryTopicsByConsumer,
} from '../../../src/protocol/requests/query.ts'
import { QueryTopicConsumeByWho } from '../../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { ask, openBroker } from '../open-broker.ts'
import { beat, consumer, subscription } from './heartbeats.ts'

test('the groups of a topic are those online and those that were, each once', async () => {
  const broker = await openBroker()
  await beat(broker)
  broker.offsets.commit('g', 'T', 0, 1)
  broker.offsets.commit('gone', 'T', 0, 1)
  const { body } = await ask(broker, QueryTopicConsumeByWho, { topic: 'T' })
  expect(GroupList.decode(body).groupList).toEqual(['g', 'gone'])
})

test('the topics of a group are those it has committed in', async () => {
  const broker = await openBroker()
  broker.offsets.commit('g', 'T', 0, 1)
  const { body } = await ask(broker, QueryTopicsByConsumer, { group: 'g' })
  expect(TopicList.decode(body).topicList).toEqual(['T'])
})

test('a subscription is shown as it was last heard, or none', async () => {
  const broker = await openBroker()
  const subscriptionDataSet = [subscription('T', { subString: 'A || B' })]
  await beat(broker, { consumers: [consumer('g', { subscriptionDataSet })] })
  const of = async (topic: string) => {
    const { body } = await ask(broker, QuerySubscriptionByConsumer, { group: 'g', topic })
    return GroupSubscription.decode(body).subscriptionData?.subString
  }
  expect(await of('T')).toBe('A || B')
  expect(await of('U')).toBeUndefined()
})

test('time spans tell first, last, consumed, and how long the next message has waited', async () => {
  const broker = await openBroker()
  const now = broker.clock.now()
  await broker.topics.put(topicConfig('T', 2, 6))
  broker.store.fill('T', 0, [now - 500, now - 300, now - 100])
  broker.offsets.commit('g', 'T', 0, 1)
  const { body } = await ask(broker, QueryConsumeTimeSpan, { topic: 'T', group: 'g' })
  const [first, second] = ConsumeTimeSpans.decode(body).consumeTimeSpanSet
  expect(first).toMatchObject({
    minTimeStamp: now - 500,
    maxTimeStamp: now - 100,
    consumeTimeStamp: now - 500,
    delayTime: 300,
  })
  expect(first!.maxTimeStampStr).toMatch(/^2023-11-1[45]#\d\d:\d\d:19:900$/)
  expect(second).toMatchObject({ minTimeStamp: -1, maxTimeStamp: -1, delayTime: 0 })
  const gone = await ask(broker, QueryConsumeTimeSpan, { topic: 'U', group: 'g' })
  expect(gone.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
})

test('the backlog of all groups is listed, of ordered topics only when asked for', async () => {
  const broker = await openBroker()
  await broker.topics.put(topicConfig('T', 1, 6))
  await broker.topics.put({ ...topicConfig('O', 1, 6), order: true })
  broker.store.fill('T', 0, [1, 2, 3])
  broker.store.fill('O', 0, [1, 2])
  await broker.groups.findOrCreate('g')
  broker.offsets.commit('g', 'T', 0, 1)
  broker.offsets.commit('g', 'O', 0, 1)
  const list = async (isOrder: boolean) => {
    const { body } = await ask(broker, GetBrokerConsumeStats, { isOrder })
    const { consumeStatsList, totalDiff } = ConsumeStatsList.decode(body)
    const stats = consumeStatsList.flatMap((each) => each.get('g') ?? [])
    return [stats.flatMap(({ offsetTable }) => offsetTable.map(([{ topic }]) => topic)), totalDiff]
  }
  expect(await list(false)).toEqual([['T', 'O'], 3])
  expect(await list(true)).toEqual([['O'], 1])
})
