import { inflateSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  ClientError,
  ConnectionError,
  Producer,
  ResponseError,
  type ProducerOptions,
} from '../../src/client/index.ts'
import { encodeRecallHandle } from '../../src/protocol/recall-handle.ts'
import { FakeCluster } from './fake-cluster.ts'

let cluster: FakeCluster
const producers: Producer[] = []

beforeEach(async () => {
  cluster = await FakeCluster.start()
  cluster.topics.set('Orders', 4)
})

afterEach(async () => {
  for (const producer of producers.splice(0)) await producer.close()
  await cluster.close()
})

function started(options: Partial<ProducerOptions> = {}): Producer {
  const report = () => {}
  const producer = new Producer({ group: 'shop', nameServers: cluster.address, report, ...options })
  producer.start()
  producers.push(producer)
  return producer
}

test('a timed message is called back at the broker that has it', async () => {
  const producer = started()
  const handle = (brokerName: string) =>
    encodeRecallHandle({ topic: 'Orders', brokerName, deliverMs: 1, messageId: 'id' })
  expect(await producer.recall('Orders', handle('broker-a'))).toBe('id')
  await expect(producer.recall('Orders', handle('broker-z'))).rejects.toThrow(/no broker broker-z/)
  await expect(producer.recall('Orders', 'nothing')).rejects.toThrow(/no recall handle/)
})

test.each(['JSON', 'ROCKETMQ'] as const)(
  'a message is stored, with %s headers',
  async (serializeType) => {
    const producer = started({ serializeType })
    const message = { topic: 'Orders', body: 'grüße', tags: 'TagA', keys: ['k1', 'k2'] }
    const result = await producer.send({ ...message, properties: { city: 'Köln' } })
    expect(result).toMatchObject({ status: 'SEND_OK', queueOffset: 0 })
    expect(result.queue).toMatchObject({ topic: 'Orders', brokerName: 'broker-a' })
    const [stored] = cluster.messages
    expect(stored!.body.toString()).toBe('grüße')
    expect(Object.fromEntries(stored!.properties)).toEqual({
      city: 'Köln',
      KEYS: 'k1 k2',
      TAGS: 'TagA',
      WAIT: 'true',
      UNIQ_KEY: result.msgId,
    })
  },
)

test('messages are dealt out over the queues in turn', async () => {
  const producer = started()
  for (let i = 0; i < 8; i++) await producer.send({ topic: 'Orders', body: 'x' })
  const queueIds = cluster.messages.map((message) => message.queueId)
  expect(new Set(queueIds.slice(0, 4)).size).toBe(4)
  expect(queueIds.slice(4)).toEqual(queueIds.slice(0, 4))
})

test('a thousand sends at the same time ask for the route once', async () => {
  const producer = started()
  const sends = Array.from({ length: 1000 }, () => producer.send({ topic: 'Orders', body: 'x' }))
  const results = await Promise.all(sends)
  expect(new Set(results.map((result) => result.msgId)).size).toBe(1000)
  const questions = cluster.requests.filter((name) => name === 'GET_ROUTEINFO_BY_TOPIC')
  expect(questions).toHaveLength(1)
})

test('equal keys go to one queue, the one Java would choose', async () => {
  const producer = started()
  for (const key of ['user-7', 'user-8', 'user-7']) {
    await producer.send({ topic: 'Orders', body: 'x' }, { orderKey: key })
  }
  // In Java "user-7".hashCode() is -836031819: its remainder by 4 is -3, of which it takes the
  // absolute value.
  expect(cluster.messages.map((message) => message.queueId)).toEqual([3, 2, 3])
})

test('a topic that does not exist gets the queues of the template, and is made by the send', async () => {
  cluster.topics.set('TBW102', 8)
  const producer = started({ defaultTopicQueueNums: 3 })
  await producer.send({ topic: 'Fresh', body: 'x' })
  expect(cluster.topics.get('Fresh')).toBe(3)
})

test('without a template, a topic that does not exist is an error that names it', async () => {
  const sending = started().send({ topic: 'Fresh', body: 'x' })
  await expect(sending).rejects.toThrow(ClientError)
  await expect(sending).rejects.toThrow(/Fresh does not exist.*mqadmin updateTopic/)
})

test('a batch is stored in one queue', async () => {
  const bodies = ['one', 'two', 'three']
  const messages = bodies.map((body) => ({ topic: 'Orders', body }))
  const result = await started().sendBatch(messages)
  expect(cluster.messages.map((message) => message.body.toString())).toEqual(bodies)
  expect(new Set(cluster.messages.map((message) => message.queueId)).size).toBe(1)
  expect(result.msgId.split(',')).toHaveLength(3)
})

test('a one-way message arrives', async () => {
  await started().sendOneway({ topic: 'Orders', body: 'x' })
  await cluster.until(() => cluster.messages.length === 1)
})

test('a body of 4096 bytes is compressed, a shorter one is not', async () => {
  const producer = started()
  await producer.send({ topic: 'Orders', body: 'x'.repeat(4095) })
  await producer.send({ topic: 'Orders', body: 'x'.repeat(4096) })
  const [short, long] = cluster.messages
  expect(short).toMatchObject({ sysFlag: 0 })
  expect(short!.body).toHaveLength(4095)
  expect(long!.sysFlag).toBe(0x301) // compressed, with zlib
  expect(inflateSync(long!.body).toString()).toBe('x'.repeat(4096))
})

test('after a refusal that may pass, the next try goes to another broker', async () => {
  const other = await FakeCluster.start('broker-b')
  cluster.refusals.set('SEND_MESSAGE_V2', 'SYSTEM_BUSY')
  cluster.others.set('broker-b', other.address)
  const producer = started()
  for (let i = 0; i < 8; i++) {
    const result = await producer.send({ topic: 'Orders', body: 'x' })
    expect(result.queue.brokerName).toBe('broker-b')
  }
  expect(other.messages).toHaveLength(8)
  await other.close()
})

test('a broker that cannot be reached is passed over', async () => {
  const gone = await FakeCluster.start('broker-b')
  cluster.others.set('broker-b', gone.address)
  await gone.close()
  const producer = started()
  for (let i = 0; i < 8; i++) await producer.send({ topic: 'Orders', body: 'x' })
  expect(cluster.messages).toHaveLength(8)
})

test('a refusal that lasts is thrown with the answer, the topic and the address', async () => {
  cluster.refusals.set('SEND_MESSAGE_V2', 'SYSTEM_BUSY')
  const error: unknown = await started()
    .send({ topic: 'Orders', body: 'x' })
    .catch((thrown) => thrown)
  expect(error).toBeInstanceOf(ResponseError)
  expect(error).toMatchObject({ codeName: 'SYSTEM_BUSY' })
  expect(String(error)).toContain(`topic Orders on broker-a, SEND_MESSAGE_V2 to ${cluster.address}`)
  expect(cluster.requests.filter((name) => name === 'SEND_MESSAGE_V2')).toHaveLength(3)
})

test('what no broker would take is not tried again', async () => {
  cluster.refusals.set('SEND_MESSAGE_V2', 'MESSAGE_ILLEGAL')
  const sending = started().send({ topic: 'Orders', body: 'x' })
  await expect(sending).rejects.toMatchObject({ codeName: 'MESSAGE_ILLEGAL' })
  expect(cluster.requests.filter((name) => name === 'SEND_MESSAGE_V2')).toHaveLength(1)
})

test('a message with a key is not tried in another queue', async () => {
  cluster.refusals.set('SEND_MESSAGE_V2', 'SYSTEM_BUSY')
  const sending = started().send({ topic: 'Orders', body: 'x' }, { orderKey: 'k' })
  await expect(sending).rejects.toThrow('SYSTEM_BUSY')
  expect(cluster.requests.filter((name) => name === 'SEND_MESSAGE_V2')).toHaveLength(1)
})

test('a message that is stored less safely than asked is a result, not an error', async () => {
  cluster.afterSend = 'FLUSH_DISK_TIMEOUT'
  const result = await started().send({ topic: 'Orders', body: 'x' })
  expect(result.status).toBe('FLUSH_DISK_TIMEOUT')
})

test('a name server that cannot be reached is passed over', async () => {
  const gone = await FakeCluster.start()
  await gone.close()
  for (const nameServers of [
    `${gone.address};${cluster.address}`,
    `${cluster.address};${gone.address}`,
  ]) {
    await started({ nameServers }).send({ topic: 'Orders', body: 'x' })
  }
  expect(cluster.messages).toHaveLength(2)
})

test('when no name server answers, all of them are named', async () => {
  const nameServers = '127.0.0.1:1;127.0.0.1:2'
  const sending = started({ nameServers }).send({ topic: 'Orders', body: 'x' })
  await expect(sending).rejects.toThrow(ConnectionError)
  await expect(sending).rejects.toThrow(/127\.0\.0\.1:1;127\.0\.0\.1:2/)
})

test('a broker hears of the producer when it sends, and when it leaves', async () => {
  const producer = started()
  await producer.send({ topic: 'Orders', body: 'x' })
  await cluster.until(() => cluster.heartbeats.length > 0)
  expect(cluster.heartbeats[0]!.producerDataSet).toEqual([{ groupName: 'shop' }])
  await producer.close()
  expect(cluster.requests.at(-1)).toBe('UNREGISTER_CLIENT')
})

test('a closed producer sends nothing and leaves no connection', async () => {
  const producer = started()
  await producer.send({ topic: 'Orders', body: 'x' })
  await producer.close()
  await cluster.until(() => cluster.connectionCount === 0)
  await expect(producer.send({ topic: 'Orders', body: 'x' })).rejects.toThrow('closed')
})

test('groups and name servers that cannot be are refused at once', () => {
  const make = (options: Partial<ProducerOptions>) => () =>
    new Producer({ group: 'shop', nameServers: 'localhost:9876', ...options })
  expect(make({ group: '' })).toThrow(/group ''.*1 to 255/)
  expect(make({ group: 'DEFAULT_PRODUCER' })).toThrow(/reserved/)
  expect(make({ nameServers: '' })).toThrow(/NAMESRV_ADDR.*host:port;host:port/)
  expect(make({ nameServers: 'localhost' })).toThrow(/"localhost".*host:port/)
  expect(make({ nameServers: 'localhost:9876;b:99999' })).toThrow(/"b:99999"/)
})
