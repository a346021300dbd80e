import { expect, test } from 'vitest'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { ResetOffsetBody } from '../../../src/protocol/bodies/consumer-offset.ts'
import {
  CloneGroupOffset,
  InvokeBrokerToResetOffset,
  UpdateConsumerOffset,
} from '../../../src/protocol/requests/offset.ts'
import { type PullHeader, PullMessage } from '../../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { ask, openBroker, type TestBroker } from '../open-broker.ts'
import { beat } from './heartbeats.ts'

const RESET = { topic: 'T', group: 'g', queueId: -1, timestamp: 25, isForce: true }

/** Two queues: messages stored at 10, 20, 30, 40, and none. */
async function brokerWithMessages(): Promise<TestBroker> {
  const broker = await openBroker()
  await broker.topics.put(topicConfig('T', 2, 6))
  broker.store.fill('T', 0, [10, 20, 30, 40])
  await broker.groups.findOrCreate('g')
  return broker
}

async function reset(broker: TestBroker, changes: object = {}) {
  const { code, remark, body } = await ask(broker, InvokeBrokerToResetOffset, {
    ...RESET,
    ...changes,
  })
  if (code !== ResponseCode.SUCCESS) return { code, remark }
  return ResetOffsetBody.decode(body).offsetTable.map(([{ queueId }, offset]) => [queueId, offset])
}

function pull(broker: TestBroker, changes: Partial<PullHeader> = {}) {
  const header = { consumerGroup: 'g', topic: 'T', queueId: 0, queueOffset: 4, maxMsgNums: 32 }
  const more = { sysFlag: 0, commitOffset: 0, suspendTimeoutMillis: 0, subVersion: 0 }
  return ask(broker, PullMessage, { ...header, ...more, ...changes })
}

function commit(broker: TestBroker, commitOffset: number) {
  return ask(broker, UpdateConsumerOffset, {
    consumerGroup: 'g',
    topic: 'T',
    queueId: 0,
    commitOffset,
  })
}

test('a group is moved to a time in all queues, and to the end below 0', async () => {
  const broker = await brokerWithMessages()
  expect(await reset(broker)).toEqual([
    [0, 2],
    [1, 0],
  ])
  expect(broker.offsets.get('g', 'T', 0)).toBe(2)
  expect(await reset(broker, { timestamp: -1 })).toEqual([
    [0, 4],
    [1, 0],
  ])
})

test('a group is moved to an offset in one queue, within what there is', async () => {
  const broker = await brokerWithMessages()
  expect(await reset(broker, { queueId: 0, offset: 3 })).toEqual([[0, 3]])
  expect(await reset(broker, { queueId: 0, offset: -1 })).toEqual([[0, 2]])
  expect(await reset(broker, { queueId: 0, offset: 5 })).toEqual({
    code: ResponseCode.SYSTEM_ERROR,
    remark: 'Target offset 5 not in consume queue range [0-4]',
  })
  expect(await reset(broker, { queueId: 2 })).toMatchObject({
    code: ResponseCode.INVALID_PARAMETER,
  })
  expect(broker.offsets.get('g', 'T', 0)).toBe(2)
})

test('what does not exist is not moved', async () => {
  const broker = await brokerWithMessages()
  expect(await reset(broker, { topic: 'U' })).toMatchObject({ code: ResponseCode.TOPIC_NOT_EXIST })
  expect(await reset(broker, { group: 'h' })).toMatchObject({
    code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
  })
})

test('consumers that are online hear of it with the next pull; until then they commit nothing', async () => {
  const broker = await brokerWithMessages()
  await beat(broker)
  await reset(broker)
  expect(broker.metadata.resets.get('g')).toEqual(['T@0', 'T@1'])
  expect(await commit(broker, 4)).toMatchObject({
    code: ResponseCode.SUCCESS,
    remark: 'Offset has been previously reset',
  })
  expect(broker.offsets.get('g', 'T', 0)).toBe(2)

  const told = await pull(broker)
  expect(told.code).toBe(ResponseCode.PULL_OFFSET_MOVED)
  expect(PullMessage.decodeReply(told.extFields)).toMatchObject({
    nextBeginOffset: 2,
    minOffset: 0,
    maxOffset: 4,
  })
  expect(broker.metadata.resets.get('g')).toEqual(['T@1'])
  await commit(broker, 3)
  expect(broker.offsets.get('g', 'T', 0)).toBe(3)
})

test('a consumer that is there already, or a pull that comes too late, just asks again', async () => {
  const broker = await brokerWithMessages()
  await beat(broker)
  await reset(broker)
  for (const pulled of [
    await pull(broker, { queueOffset: 2 }),
    await pull(broker, { queueOffset: 2 }),
  ]) {
    expect(pulled.code).toBe(ResponseCode.PULL_RETRY_IMMEDIATELY)
    expect(PullMessage.decodeReply(pulled.extFields)).toMatchObject({ nextBeginOffset: 2 })
  }
})

test('a group that is offline has nothing to hear, and a deleted topic takes its resets with it', async () => {
  const broker = await brokerWithMessages()
  await reset(broker)
  expect(broker.metadata.resets.get('g')).toBeUndefined()
  await beat(broker)
  await reset(broker)
  broker.resets.removeTopic('T')
  expect(broker.metadata.resets.get('g')).toBeUndefined()
  await reset(broker)
  broker.resets.removeGroup('g')
  expect(broker.metadata.resets.get('g')).toBeUndefined()
})

test('offsets are copied to a group that exists', async () => {
  const broker = await brokerWithMessages()
  broker.offsets.commit('g', 'T', 0, 3)
  const clone = { srcGroup: 'g', destGroup: 'h', topic: 'T', offline: false }
  expect((await ask(broker, CloneGroupOffset, clone)).code).toBe(
    ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
  )
  await broker.groups.findOrCreate('h')
  expect((await ask(broker, CloneGroupOffset, clone)).code).toBe(ResponseCode.SUCCESS)
  expect(broker.offsets.get('h', 'T', 0)).toBe(3)
})
