import { afterEach, beforeEach, expect, test } from 'vitest'
import { ClientError, ConnectionError, PullConsumer } from '../../src/client/index.ts'
import { FakeCluster } from './fake-cluster.ts'

let cluster: FakeCluster
let consumer: PullConsumer

beforeEach(async () => {
  cluster = await FakeCluster.start()
  cluster.topics.set('Orders', 2)
  consumer = new PullConsumer({ group: 'group', nameServers: cluster.address, report: () => {} })
  consumer.start()
})

afterEach(async () => {
  await consumer.close()
  await cluster.close()
})

const queue = { topic: 'Orders', brokerName: 'broker-a', queueId: 1 }

test('the queues of a topic can be listed', async () => {
  expect(await consumer.queues('Orders')).toEqual([{ ...queue, queueId: 0 }, queue])
  await expect(consumer.queues('Fresh')).rejects.toThrow(/Fresh does not exist/)
})

test('a queue is read from an offset to its end', async () => {
  for (let i = 0; i < 40; i++) cluster.append('Orders', 1, `${i}`)
  const first = await consumer.pull(queue, { offset: 3 })
  expect(first).toMatchObject({ status: 'FOUND', nextOffset: 35, minOffset: 0, maxOffset: 40 })
  expect(first.messages.map((message) => String(message.body))).toHaveLength(32)
  expect(first.messages[0]!.queueOffset).toBe(3)
  const rest = await consumer.pull(queue, { offset: first.nextOffset })
  expect(rest.messages).toHaveLength(5)
  expect(await consumer.pull(queue, { offset: 40 })).toMatchObject({
    status: 'NO_NEW_MESSAGE',
    nextOffset: 40,
    messages: [],
  })
})

test('a pull that may be held waits for a message', async () => {
  const held = consumer.pull(queue, { offset: 0, holdMs: 10_000 })
  await cluster.until(() => cluster.requests.includes('PULL_MESSAGE'))
  cluster.append('Orders', 1, 'late')
  expect((await held).messages).toHaveLength(1)
})

test('an offset that is gone comes back with the one to go on from', async () => {
  for (let i = 0; i < 5; i++) cluster.append('Orders', 1, `${i}`)
  cluster.minOffset = 4
  const moved = await consumer.pull(queue, { offset: 0 })
  expect(moved).toMatchObject({ status: 'OFFSET_MOVED', nextOffset: 4, messages: [] })
})

test('a filter keeps what it names', async () => {
  cluster.append('Orders', 1, 'a', { TAGS: 'TagA' })
  cluster.append('Orders', 1, 'b', { TAGS: 'TagB' })
  const { messages, nextOffset } = await consumer.pull(queue, { offset: 0, filter: 'TagB' })
  expect(messages.map((message) => message.tags)).toEqual(['TagB'])
  expect(nextOffset).toBe(2)
})

test('offsets are committed and found again', async () => {
  cluster.append('Orders', 1, 'a')
  const { offsets } = consumer
  expect(await offsets.committed(queue)).toBe(null)
  await offsets.commit(queue, 1)
  expect(await offsets.committed(queue)).toBe(1)
  expect(await offsets.min(queue)).toBe(0)
  expect(await offsets.max(queue)).toBe(1)
  expect(await offsets.search(queue, 5)).toBe(1)
})

test('a broker that no route names is an error that says so', async () => {
  const pulling = consumer.pull({ ...queue, brokerName: 'broker-z' }, { offset: 0 })
  await expect(pulling).rejects.toThrow(ClientError)
  await expect(pulling).rejects.toThrow(/broker-z has no master in the route of topic Orders/)
})

test('a refusal names topic, broker and address', async () => {
  cluster.refusals.set('PULL_MESSAGE', 'NO_PERMISSION')
  const pulling = consumer.pull(queue, { offset: 0 })
  await expect(pulling).rejects.toMatchObject({ codeName: 'NO_PERMISSION' })
  await expect(pulling).rejects.toThrow(
    `topic Orders on broker-a, PULL_MESSAGE to ${cluster.address}`,
  )
})

test('closing ends a held pull', async () => {
  const held = consumer.pull(queue, { offset: 0, holdMs: 10_000 }).catch((error: unknown) => error)
  await cluster.until(() => cluster.requests.includes('PULL_MESSAGE'))
  await consumer.close()
  expect(await held).toBeInstanceOf(ConnectionError)
  await cluster.until(() => cluster.connectionCount === 0)
})
