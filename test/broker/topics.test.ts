import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { topicConfig } from '../../src/broker/system-topics.ts'
import type { TopicDemand } from '../../src/broker/topics.ts'
import { parseJson } from '../../src/protocol/json.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import { failSync } from './failing-sync.ts'
import { openBroker } from './open-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

function demand(changes: Partial<TopicDemand> = {}): TopicDemand {
  return { topic: 'New', template: 'TBW102', queueCount: 4, topicSysFlag: 0, ...changes }
}

describe('topics', () => {
  test("of a new broker are Apache's system topics, in version 0", async () => {
    const { topics } = await openBroker()
    const shape = Array.from(topics.all.values(), ({ topicName, perm, readQueueNums }) => {
      return `${topicName} ${perm} ${readQueueNums}`
    })
    expect(shape.toSorted()).toEqual([
      'BenchmarkTest 6 1024',
      'DefaultCluster 7 16',
      'DefaultCluster_REPLY_TOPIC 6 1',
      'OFFSET_MOVED_EVENT 6 1',
      'RMQ_SYS_TRANS_HALF_TOPIC 6 1',
      'RMQ_SYS_TRANS_OP_HALF_TOPIC 6 1',
      'SCHEDULE_TOPIC_XXXX 6 18',
      'SELF_TEST_TOPIC 6 1',
      'TBW102 7 8',
      'broker-a 7 1',
      'rmq_sys_REVIVE_LOG_DefaultCluster 6 8',
      'rmq_sys_SYNC_BROKER_MEMBER_broker-a 1 1',
      'rmq_sys_wheel_timer 6 1',
    ])
    expect(topics.dataVersion).toMatchObject({ counter: 0, stateVersion: 0 })
  })

  test('are joined by one for traces when the broker is told to keep it, by whatever name', async () => {
    const { topics } = await openBroker({ traceTopicEnable: 'true', msgTraceTopicName: 'Traces' })
    expect(topics.get('Traces')).toMatchObject({ perm: 6, readQueueNums: 1, writeQueueNums: 1 })
    expect(topics.isSystem('Traces')).toBe(true)
    const plain = await openBroker({ msgTraceTopicName: 'Traces' })
    expect(plain.topics.get('Traces')).toBeUndefined()
  })

  test('are published to store and workers at the start', async () => {
    const { topics, store, metadata } = await openBroker()
    expect([...metadata.topics.keys()]).toEqual([...topics.all.keys()])
    expect(store.topics.get('SCHEDULE_TOPIC_XXXX')).toHaveLength(18)
  })

  test('come back after a crash right behind their creation', async () => {
    const broker = await openBroker()
    await broker.topics.put(topicConfig('T', 4, 6))
    await broker.topics.delete('SELF_TEST_TOPIC')
    const again = await openBroker({}, broker.folder) // the first one is never closed
    expect(again.topics.get('T')).toEqual(topicConfig('T', 4, 6))
    expect(again.topics.dataVersion.counter).toBe(2)
    expect(again.store.topics.get('T')).toHaveLength(4)
  })

  test('stay deleted after a crash', async () => {
    const broker = await openBroker()
    await broker.topics.put(topicConfig('T', 4, 6))
    await broker.topics.delete('T')
    const again = await openBroker({}, broker.folder)
    expect(again.topics.get('T')).toBeUndefined()
  })

  test("are in topics.json in Apache's form after a stop", async () => {
    const broker = await openBroker()
    await broker.topics.put({
      ...topicConfig('T', 4, 6),
      attributes: new Map([['message.type', 'FIFO']]),
    })
    await broker.close()
    const text = readFileSync(join(broker.folder, 'config', 'topics.json'), 'utf8')
    const json = parseJson(text) as JsonObject
    expect([...json.keys()]).toEqual(['dataVersion', 'topicConfigTable'])
    expect((json.get('topicConfigTable') as JsonObject).get('T')).toEqual(
      new Map<string, unknown>([
        ['attributes', new Map([['message.type', 'FIFO']])],
        ['order', false],
        ['perm', 6],
        ['readQueueNums', 4],
        ['topicFilterType', 'SINGLE_TAG'],
        ['topicName', 'T'],
        ['topicSysFlag', 0],
        ['writeQueueNums', 4],
      ]),
    )
  })

  test("written by Apache's broker are read as they are, settings of system topics included", async () => {
    const folder = tempFolder()
    // From a store that Apache 5.3.3 wrote (with defaultTopicQueueNums=2) and closed.
    const golden = join(import.meta.dirname, '../golden/config')
    cpSync(golden, join(folder, 'config'), { recursive: true })
    const { topics, groups, offsets } = await openBroker({ brokerName: 'golden-a' }, folder)
    expect(topics.dataVersion).toEqual({ counter: 7, stateVersion: 0, timestamp: 1795454126116 })
    expect(topics.get('TBW102')!.readQueueNums).toBe(2)
    expect(topics.get('%RETRY%CG_basic')).toEqual(topicConfig('%RETRY%CG_basic', 1, 6))
    expect(groups.dataVersion.counter).toBe(2)
    expect(groups.get('CG_basic')!.retryMaxTimes).toBe(16)
    expect(offsets.get('CG_basic', 'TopicBatch', 1)).toBe(5)
  })

  test('that change are a new version; what is the same already is no change', async () => {
    const { topics, metadata } = await openBroker()
    await topics.put(topicConfig('T', 4, 6))
    const { published } = metadata
    await topics.put(topicConfig('T', 4, 6))
    expect(topics.dataVersion.counter).toBe(1)
    expect(metadata.published).toBe(published)
    await topics.put(topicConfig('T', 8, 6))
    expect(topics.dataVersion.counter).toBe(2)
    expect(metadata.topics.get('T')!.readQueueNums).toBe(8)
  })

  test('that are created and deleted at once end up as the last one said, everywhere', async () => {
    const { topics, metadata, store } = await openBroker()
    const changes = [
      topics.put(topicConfig('T', 2, 6)),
      topics.delete('T'),
      topics.put(topicConfig('T', 3, 6)),
      topics.delete('T'),
      topics.put(topicConfig('T', 4, 6)),
    ]
    await Promise.all(changes)
    expect(topics.get('T')!.readQueueNums).toBe(4)
    expect(metadata.topics.get('T')!.readQueueNums).toBe(4)
    expect(store.topics.get('T')).toHaveLength(4)
  })

  test('that could not be saved are answered as such, and saved once the disk is well', async () => {
    const broker = await openBroker()
    const heal = await failSync(broker.folder)
    await expect(broker.topics.put(topicConfig('T', 4, 6))).rejects.toThrow(/EIO/)
    expect(broker.metadata.topics.has('T')).toBe(true)
    heal()
    await broker.close() // writes the JSON, which has it
    expect((await openBroker({}, broker.folder)).topics.get('T')).toBeDefined()
  })

  test('are announced to the name servers before the change is answered', async () => {
    const { topics } = await openBroker()
    const announced: string[] = []
    topics.announce = async () => void announced.push(`${topics.get('T')?.readQueueNums}`)
    await topics.put(topicConfig('T', 4, 6))
    await topics.delete('T')
    expect(announced).toEqual(['4', 'undefined'])
  })
})

describe('a send to an unknown topic', () => {
  test.each([
    ['the client wants fewer queues than the template has', 4, 4],
    ['the client wants more', 100, 8],
    ['the client wants none', 0, 1],
    ['the client wants less than none', -5, 1],
  ])('creates it from the template: %s', async (_, queueCount, expected) => {
    const { topics } = await openBroker()
    const topic = await topics.createOnSend(demand({ queueCount, topicSysFlag: 1 }))
    expect(topic).toEqual({ ...topicConfig('New', expected, 6), topicSysFlag: 1 })
    expect(topics.get('New')).toBe(topic)
  })

  test('creates it once for all who send at once', async () => {
    const { topics } = await openBroker()
    const made = await Promise.all(
      [2, 3, 4].map((queueCount) => topics.createOnSend(demand({ queueCount }))),
    )
    expect(made.map(({ readQueueNums }) => readQueueNums)).toEqual([2, 2, 2])
    expect(topics.dataVersion.counter).toBe(1)
  })

  test('is refused when auto-creation is off, also when an old run left the template', async () => {
    const before = await openBroker()
    await before.close()
    const { topics } = await openBroker({ autoCreateTopicEnable: 'false' }, before.folder)
    const refusal = topics.createOnSend(demand())
    await expect(refusal).rejects.toMatchObject({ codeName: 'TOPIC_NOT_EXIST' })
    await expect(refusal).rejects.toThrow(/apply first.*autoCreateTopicEnable is false/)
  })

  test('is refused when the template is not to be inherited', async () => {
    const { topics } = await openBroker()
    const refusal = topics.createOnSend(demand({ template: 'SELF_TEST_TOPIC' }))
    await expect(refusal).rejects.toMatchObject({ codeName: 'TOPIC_NOT_EXIST' })
  })

  test('is refused when the name is not allowed', async () => {
    const { topics } = await openBroker()
    const refusal = topics.createOnSend(demand({ topic: 'a b' }))
    await expect(refusal).rejects.toMatchObject({ codeName: 'INVALID_PARAMETER' })
  })

  test('creates a retry topic even when auto-creation is off', async () => {
    const { topics } = await openBroker({ autoCreateTopicEnable: 'false' })
    const topic = await topics.createOnSend(demand({ topic: '%RETRY%g' }))
    expect(topic).toEqual(topicConfig('%RETRY%g', 1, 6))
  })
})

describe('a retry topic', () => {
  const demands = { group: 'g', queueCount: 2, order: true, topicSysFlag: 2 }

  test('is made as the group wants it, and stays as it is', async () => {
    const { topics } = await openBroker()
    const topic = await topics.ensureRetryTopic(demands)
    expect(topic).toEqual({ ...topicConfig('%RETRY%g', 2, 6), order: true, topicSysFlag: 2 })
    expect(await topics.ensureRetryTopic({ ...demands, queueCount: 5 })).toBe(topic)
  })

  test('is not made when its name would not fit into a record', async () => {
    const { topics } = await openBroker()
    expect(await topics.ensureRetryTopic({ ...demands, group: 'g'.repeat(249) })).toBeNull()
    expect(await topics.ensureRetryTopic({ ...demands, group: 'g'.repeat(248) })).not.toBeNull()
  })
})

test('topics that the name server calls ordered are ordered from then on', async () => {
  const { topics } = await openBroker()
  await topics.put(topicConfig('T', 4, 6))
  await topics.markOrdered(['T', 'Unknown'])
  expect(topics.get('T')!.order).toBe(true)
  expect(topics.get('Unknown')).toBeUndefined()
})
