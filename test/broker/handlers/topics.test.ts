import { describe, expect, test } from 'vitest'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { TopicStatsTable } from '../../../src/protocol/bodies/message-queue.ts'
import { TopicConfig, TopicConfigWrapper } from '../../../src/protocol/bodies/topic-config.ts'
import { TopicList } from '../../../src/protocol/bodies/topic-list.ts'
import type { HeaderOf } from '../../../src/protocol/request.ts'
import {
  DeleteTopicInBroker,
  GetAllTopicConfig,
  GetSystemTopicListFromBroker,
  GetTopicConfig,
  GetTopicStatsInfo,
  UpdateAndCreateTopic,
} from '../../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { ask, openBroker } from '../open-broker.ts'

type CreateHeader = HeaderOf<typeof UpdateAndCreateTopic>

function create(topic: string, changes: Partial<CreateHeader> = {}): CreateHeader {
  return {
    topic,
    defaultTopic: 'TBW102',
    readQueueNums: 4,
    writeQueueNums: 4,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    force: false,
    ...changes,
  }
}

describe('UPDATE_AND_CREATE_TOPIC', () => {
  test('creates a topic that workers and store know when it is answered', async () => {
    const broker = await openBroker()
    const header = create('T', { readQueueNums: 8, order: true, attributes: '+message.type=FIFO' })
    const { code } = await ask(broker, UpdateAndCreateTopic, header)
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(broker.metadata.topics.get('T')).toEqual({
      ...topicConfig('T', 4, 6),
      readQueueNums: 8,
      order: true,
      attributes: new Map([['message.type', 'FIFO']]),
    })
    expect(broker.store.topics.get('T')).toHaveLength(8)
  })

  test('changes a topic and keeps the attributes it does not speak of', async () => {
    const broker = await openBroker()
    await ask(broker, UpdateAndCreateTopic, create('T', { attributes: '+message.type=FIFO' }))
    await ask(broker, UpdateAndCreateTopic, create('T', { perm: 4 }))
    expect(broker.topics.get('T')).toMatchObject({
      perm: 4,
      attributes: new Map([['message.type', 'FIFO']]),
    })
  })

  test.each([
    ['an illegal name', create('a b'), /illegal characters/],
    ['a blank name', create(' '), /blank/],
    ['a long name', create('x'.repeat(128)), /longer than topic max length 127/],
    ['a system topic', create('TBW102'), /topic\[TBW102\] is conflict with system topic/],
    ['the cluster topic', create('DefaultCluster'), /conflict with system topic/],
    ['a name with the system prefix', create('rmq_sys_foo'), /conflict with system topic/],
    ['too many queues', create('T', { readQueueNums: 16_385 }), /must be from 0 to 16384/],
    ['less than no queues', create('T', { writeQueueNums: -1 }), /writeQueueNums is -1/],
    ['a permission that is none', create('T', { perm: 8 }), /perm is 8, it must be from 0 to 7/],
    ['an unknown attribute', create('T', { attributes: '+foo=bar' }), /"foo" is unknown/],
  ])('refuses %s', async (_, header, remark) => {
    const broker = await openBroker()
    const response = await ask(broker, UpdateAndCreateTopic, header)
    expect(response.code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(response.remark).toMatch(remark)
    expect(broker.topics.dataVersion.counter).toBe(0)
  })

  test('takes no queues at all: a topic can be emptied before it is deleted', async () => {
    const broker = await openBroker()
    const { code } = await ask(broker, UpdateAndCreateTopic, create('T', { writeQueueNums: 0 }))
    expect(code).toBe(ResponseCode.SUCCESS)
  })
})

describe('DELETE_TOPIC_IN_BROKER', () => {
  test('deletes the topic with its offsets and what POP kept of it', async () => {
    const broker = await openBroker()
    for (const topic of ['T', 'U', '%RETRY%g_T', '%RETRY%g+T', '%RETRY%g_U']) {
      await broker.topics.put(topicConfig(topic, 1, 6))
    }
    broker.offsets.commit('g', 'T', 0, 5)
    broker.offsets.commit('g', 'U', 0, 5)
    const { code } = await ask(broker, DeleteTopicInBroker, { topic: 'T' })
    expect(code).toBe(ResponseCode.SUCCESS)
    expect(
      ['T', 'U', '%RETRY%g_T', '%RETRY%g+T', '%RETRY%g_U'].filter((name) =>
        broker.topics.get(name),
      ),
    ).toEqual(['U', '%RETRY%g_U'])
    expect(broker.metadata.topics.has('T')).toBe(false)
    expect(broker.store.topics.has('T')).toBe(false)
    expect(broker.offsets.topicsOf('g')).toEqual(['U'])
  })

  test('of a topic that is not there is done already', async () => {
    const { code } = await ask(await openBroker(), DeleteTopicInBroker, { topic: 'Nope' })
    expect(code).toBe(ResponseCode.SUCCESS)
  })

  test.each([' ', 'TBW102', 'rmq_sys_wheel_timer'])('of %j is refused', async (topic) => {
    const broker = await openBroker()
    const { code } = await ask(broker, DeleteTopicInBroker, { topic })
    expect(code).toBe(ResponseCode.INVALID_PARAMETER)
  })
})

describe('questions about topics', () => {
  test('GET_ALL_TOPIC_CONFIG answers with all of them and their version', async () => {
    const broker = await openBroker()
    await broker.topics.put(topicConfig('T', 4, 6))
    const { body } = await ask(broker, GetAllTopicConfig, {})
    const wrapper = TopicConfigWrapper.decode(body)
    expect(wrapper.dataVersion).toEqual(broker.topics.dataVersion)
    expect(wrapper.topicConfigTable).toEqual(broker.topics.all)
  })

  test('GET_TOPIC_CONFIG answers with one, or TOPIC_NOT_EXIST', async () => {
    const broker = await openBroker()
    const { body } = await ask(broker, GetTopicConfig, { topic: 'TBW102' })
    expect(TopicConfig.decode(body)).toEqual(broker.topics.get('TBW102'))
    const missing = await ask(broker, GetTopicConfig, { topic: 'Nope' })
    expect(missing.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
    expect(missing.remark).toBe('No topic in this broker. topic: Nope')
  })

  test('GET_SYSTEM_TOPIC_LIST_FROM_BROKER names the topics that are not for applications', async () => {
    const { body } = await ask(await openBroker(), GetSystemTopicListFromBroker, {})
    expect(TopicList.decode(body).topicList.toSorted()).toEqual([
      'BenchmarkTest',
      'CHECKPOINT_TOPIC',
      'DefaultCluster',
      'DefaultCluster_REPLY_TOPIC',
      'OFFSET_MOVED_EVENT',
      'RMQ_SYS_TRACE_TOPIC',
      'RMQ_SYS_TRANS_HALF_TOPIC',
      'RMQ_SYS_TRANS_OP_HALF_TOPIC',
      'SCHEDULE_TOPIC_XXXX',
      'SELF_TEST_TOPIC',
      'TBW102',
      'TRANS_CHECK_MAX_TIME_TOPIC',
      'broker-a',
      'rmq_sys_REVIVE_LOG_DefaultCluster',
      'rmq_sys_SYNC_BROKER_MEMBER_broker-a',
      'rmq_sys_wheel_timer',
    ])
  })

  test('GET_TOPIC_STATS_INFO answers with the offsets of each queue', async () => {
    const broker = await openBroker()
    await broker.topics.put(topicConfig('T', 2, 6))
    broker.store.fill('T', 1, [1000, 2000], 7)
    const { body } = await ask(broker, GetTopicStatsInfo, { topic: 'T' })
    const queue = { brokerName: 'broker-a', topic: 'T' }
    expect(TopicStatsTable.decode(body).offsetTable).toEqual([
      [
        { ...queue, queueId: 0 },
        { lastUpdateTimestamp: 0, maxOffset: 0, minOffset: 0 },
      ],
      [
        { ...queue, queueId: 1 },
        { lastUpdateTimestamp: 2000, maxOffset: 9, minOffset: 7 },
      ],
    ])
    const { code } = await ask(broker, GetTopicStatsInfo, { topic: 'Nope' })
    expect(code).toBe(ResponseCode.TOPIC_NOT_EXIST)
  })
})
