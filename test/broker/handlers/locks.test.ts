import { expect, test } from 'vitest'
import { topicConfig } from '../../../src/broker/system-topics.ts'
import { LockBatchBody, LockBatchReply } from '../../../src/protocol/bodies/message-queue.ts'
import { LockBatchMq, UnlockBatchMq } from '../../../src/protocol/requests/client.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { ask, openBroker, type TestBroker } from '../open-broker.ts'

function body(clientId: string, queueIds: number[], topic = 'T') {
  const mqSet = queueIds.map((queueId) => ({ brokerName: 'broker-a', queueId, topic }))
  return {
    body: LockBatchBody.encode({ clientId, consumerGroup: 'g', mqSet, onlyThisBroker: false }),
  }
}

async function lockedIds(
  broker: TestBroker,
  ...question: Parameters<typeof body>
): Promise<number[]> {
  const response = await ask(broker, LockBatchMq, {}, body(...question))
  return LockBatchReply.decode(response.body).lockOKMQSet.map(({ queueId }) => queueId)
}

async function brokerWithTopic() {
  const broker = await openBroker()
  await broker.topics.put(topicConfig('T', 4, 6))
  return broker
}

test('LOCK_BATCH_MQ answers with the queues the client has now', async () => {
  const broker = await brokerWithTopic()
  expect(await lockedIds(broker, 'a', [0, 1])).toEqual([0, 1])
  expect(await lockedIds(broker, 'b', [0, 2])).toEqual([2])
})

test('UNLOCK_BATCH_MQ frees them for others', async () => {
  const broker = await brokerWithTopic()
  await lockedIds(broker, 'a', [0, 1])
  const { code } = await ask(broker, UnlockBatchMq, {}, body('a', [0]))
  expect(code).toBe(ResponseCode.SUCCESS)
  expect(await lockedIds(broker, 'b', [0, 1])).toEqual([0])
})

test('queues that are not on this broker are never locked', async () => {
  const broker = await brokerWithTopic()
  expect(await lockedIds(broker, 'a', [-1, 3, 4])).toEqual([3])
  expect(await lockedIds(broker, 'a', [0], 'Nope')).toEqual([])
})

test('more queues than any topic has are refused', async () => {
  const broker = await brokerWithTopic()
  const ids = Array.from({ length: 65_537 }, (_, id) => id)
  const { code, remark } = await ask(broker, LockBatchMq, {}, body('a', ids))
  expect(code).toBe(ResponseCode.INVALID_PARAMETER)
  expect(remark).toMatch(/at most 65536/)
})
