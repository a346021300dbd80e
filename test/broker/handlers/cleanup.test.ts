import { expect, test } from 'vitest'
import {
  CleanExpiredConsumeQueue,
  CleanUnusedTopic,
  DeleteExpiredCommitLog,
} from '../../../src/protocol/requests/broker.ts'
import { RetentionAsk } from '../../../src/store/log-memory.ts'
import { ask, openBroker } from '../open-broker.ts'

test('DELETE_EXPIRED_COMMITLOG and CLEAN_EXPIRED_CONSUMEQUEUE are passed on to the flush thread', async () => {
  const broker = await openBroker()
  await ask(broker, DeleteExpiredCommitLog, {})
  await ask(broker, CleanExpiredConsumeQueue, {})
  expect(broker.store.asks).toEqual([RetentionAsk.DELETE_EXPIRED, RetentionAsk.CLEAN_QUEUES])
})

test('CLEAN_UNUSED_TOPIC removes what has no configuration, but no light queues', async () => {
  const broker = await openBroker()
  const before = broker.store.storedTopics()
  for (const topic of ['Gone', '%LMQ%123']) broker.store.ensureQueues(topic, 1)
  await ask(broker, CleanUnusedTopic, {})
  expect(broker.store.storedTopics()).toEqual([...before, '%LMQ%123'])
})
