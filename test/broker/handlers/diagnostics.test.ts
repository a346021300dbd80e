import { expect, test } from 'vitest'
import { QueryConsumeQueueReply } from '../../../src/protocol/bodies/consume-queue.ts'
import { HaStatus } from '../../../src/protocol/bodies/ha-status.ts'
import {
  GetBrokerEpochCache,
  GetBrokerHaStatus,
  QueryConsumeQueue,
} from '../../../src/protocol/requests/diagnostics.ts'
import { ask, openBroker } from '../open-broker.ts'

async function entries(header: { index: number; count: number; consumerGroup?: string }) {
  const broker = await openBroker()
  broker.store.ensureQueues('Orders', 2)
  broker.store.fill('Orders', 1, [10, 20, 30, 40], 5)
  const { body } = await ask(broker, QueryConsumeQueue, { topic: 'Orders', queueId: 1, ...header })
  return QueryConsumeQueueReply.decode(body)
}

test('QUERY_CONSUME_QUEUE answers with entries from the index on, and where the queue begins and ends', async () => {
  const reply = await entries({ index: 6, count: 2 })
  expect(reply).toMatchObject({ minQueueIndex: 5, maxQueueIndex: 9 })
  expect(reply.queueData.map(({ physicOffset }) => physicOffset)).toEqual([600, 700])
})

test('QUERY_CONSUME_QUEUE begins at the first entry there is, and ends at the last', async () => {
  const reply = await entries({ index: 0, count: 100_000 })
  expect(reply.queueData.map(({ tagsCode }) => tagsCode)).toEqual([5, 6, 7, 8])
  expect((await entries({ index: 9, count: 3 })).queueData).toEqual([])
})

test('QUERY_CONSUME_QUEUE says that a group is not online', async () => {
  const reply = await entries({ index: 5, count: 1, consumerGroup: 'GX' })
  expect(reply.filterData).toBe('GX@Orders is not online!')
})

test('QUERY_CONSUME_QUEUE of a queue that does not exist is an error', async () => {
  const header = { topic: 'Nothing', queueId: 3, index: 0, count: 1 }
  const { code, remark } = await ask(await openBroker(), QueryConsumeQueue, header)
  expect([code, remark]).toEqual([1, '3@Nothing is not exist!'])
})

test('GET_BROKER_HA_STATUS answers as a master without slaves', async () => {
  const { body } = await ask(await openBroker(), GetBrokerHaStatus, {})
  expect(HaStatus.decode(body)).toMatchObject({
    master: true,
    haConnectionInfo: [],
    masterCommitLogMaxOffset: 4711,
  })
})

test('GET_BROKER_EPOCH_CACHE is refused without a controller', async () => {
  const { code, remark } = await ask(await openBroker(), GetBrokerEpochCache, {})
  expect([code, remark]).toEqual([1, 'this request only for controllerMode '])
})
