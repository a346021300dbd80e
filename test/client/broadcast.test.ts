/** Consumers that get everything, each for itself. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ClientError, PushConsumer, type PushConsumerOptions } from '../../src/client/index.ts'
import { LocalOffsetTable } from '../../src/protocol/bodies/consumer-offset.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { FakeCluster } from './fake-cluster.ts'

let cluster: FakeCluster
let offsetFolder: string
let problems: string[]
const consumers: PushConsumer[] = []

beforeEach(async () => {
  cluster = await FakeCluster.start()
  cluster.topics.set('Orders', 2)
  offsetFolder = tempFolder()
  problems = []
})

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close()
  await cluster.close()
})

function broadcast(instanceName: string, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  const consumer = new PushConsumer({
    group: 'group',
    messageModel: 'BROADCASTING',
    nameServers: cluster.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    instanceName,
    offsetFolder,
    report: (problem, error) => problems.push(`${problem}: ${String(error)}`),
    ...options,
  })
  consumers.push(consumer)
  consumer.subscribe('Orders')
  return consumer
}

/** Resolves to the first texts that the consumer gets, in no order. */
function texts(consumer: PushConsumer, count: number, fails = false): Promise<string[]> {
  const { promise, resolve } = Promise.withResolvers<string[]>()
  const seen: string[] = []
  consumer.start((messages) => {
    seen.push(...messages.map(({ body }) => Buffer.from(body).toString()))
    if (seen.length === count) resolve(seen.toSorted())
    return fails ? 'RECONSUME_LATER' : 'CONSUME_SUCCESS'
  })
  return promise
}

/** The file of a consumer, wherever this machine's address puts it. */
function fileOf(consumer: PushConsumer): string {
  return join(offsetFolder, consumer.clientId, 'group', 'offsets.json')
}

test('each member gets all messages, and the broker keeps no offset', async () => {
  cluster.append('Orders', 0, 'a')
  cluster.append('Orders', 1, 'b')
  const [one, other] = [broadcast('one'), broadcast('other')]
  expect(await Promise.all([texts(one, 2), texts(other, 2)])).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
  await one.close()
  await other.close()
  expect(cluster.committed.size).toBe(0)
  for (const asked of ['QUERY_CONSUMER_OFFSET', 'GET_CONSUMER_LIST_BY_GROUP', 'LOCK_BATCH_MQ']) {
    expect(cluster.requests).not.toContain(asked)
  }
  const [consumer] = cluster.heartbeats[0]!.consumerDataSet
  expect(consumer).toMatchObject({ messageModel: 'BROADCASTING' })
  expect(consumer!.subscriptionDataSet.map(({ topic }) => topic)).toEqual(['Orders'])
})

test('a member goes on where it was, from its file', async () => {
  cluster.append('Orders', 0, 'a')
  const first = broadcast('same')
  await texts(first, 1)
  await first.close()
  cluster.append('Orders', 0, 'b')
  expect(await texts(broadcast('same'), 1)).toEqual(['b'])
})

test('what fails is reported, and does not come again', async () => {
  cluster.append('Orders', 0, 'a')
  const first = broadcast('same')
  await texts(first, 1, true)
  await vi.waitUntil(() => problems.length > 0, { interval: 1, timeout: 50_000 })
  await first.close()
  expect(problems).toEqual([expect.stringMatching(/was not consumed.*broadcast/)])
  expect(cluster.sentBack).toEqual([])
  cluster.append('Orders', 0, 'b')
  expect(await texts(broadcast('same'), 1)).toEqual(['b'])
})

test('the file is written as Apache’s clients write it, and the one before is kept', async () => {
  cluster.append('Orders', 0, 'a')
  const consumer = broadcast('same')
  await texts(consumer, 1)
  await consumer.close()
  const file = fileOf(consumer)
  const { offsetTable } = LocalOffsetTable.decode(readFileSync(file))
  const queue = { brokerName: 'broker-a', topic: 'Orders' }
  expect([...offsetTable].toSorted(([one], [two]) => one.queueId - two.queueId)).toEqual([
    [{ ...queue, queueId: 0 }, 1],
    [{ ...queue, queueId: 1 }, 0],
  ])
  expect(readFileSync(file, 'utf8')).toContain(
    '{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"Orders"}:1',
  )
  expect(existsSync(`${file}.tmp`)).toBe(false)
})

test('a file that Apache’s client wrote is read; a damaged one gives way to the one before', async () => {
  for (const text of ['a', 'b', 'c']) cluster.append('Orders', 0, text)
  const consumer = broadcast('same')
  const file = fileOf(consumer)
  mkdirSync(join(file, '..'), { recursive: true })
  // Apache 5.3.3 wrote this, but for the names.
  const text =
    '{\n\t"offsetTable":{{\n\t\t\t"brokerName":"broker-a",\n\t\t\t"queueId":0,\n\t\t\t"topic":"Orders"\n\t\t}:2\n\t}\n}'
  writeFileSync(`${file}.bak`, text)
  writeFileSync(file, '{"offsetTa')
  expect(await texts(consumer, 1)).toEqual(['c'])
})

test('without a file that can be read it does not begin: it would consume again, or pass over', () => {
  const consumer = broadcast('same')
  const file = fileOf(consumer)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, 'x')
  expect(() => consumer.start(() => {})).toThrow(ClientError)
  expect(() => consumer.start(() => {})).toThrow(/offsets cannot be read.*offsets\.json/)
})

test('two of one process do not share a file', async () => {
  const [one, other] = [broadcast('same'), broadcast('same')]
  one.start(() => {})
  expect(() => other.start(() => {})).toThrow(/another consumer of this process.*instanceName/)
  await one.close()
  other.start(() => {})
})

test('a name that would lead out of the folder is refused', () => {
  const consumer = broadcast('../../elsewhere')
  expect(() => consumer.start(() => {})).toThrow(/becomes a folder/)
})

test('in order, too: a failure holds the queue up', async () => {
  for (const text of ['a', 'b']) cluster.append('Orders', 0, text)
  const consumer = broadcast('same', { suspendMs: 10 })
  const { promise, resolve } = Promise.withResolvers<void>()
  const seen: string[] = []
  consumer.startOrderly(([message]) => {
    seen.push(Buffer.from(message!.body).toString())
    if (seen.length === 3) resolve()
    return seen.length === 1 ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : 'SUCCESS'
  })
  await promise
  expect(seen).toEqual(['a', 'a', 'b'])
})
