import { inflateSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Producer, PushConsumer, type ProducerOptions } from '../../src/client/index.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Traces } from '../../src/client/traces.ts'
import { FakeCluster } from './fake-cluster.ts'

const NOBODY = { producers: [], consumers: [] }

const TRACES = 'RMQ_SYS_TRACE_TOPIC'

let cluster: FakeCluster
let problems: string[]
const open: { close: () => Promise<void> }[] = []

beforeEach(async () => {
  cluster = await FakeCluster.start()
  cluster.topics.set('Orders', 1)
  cluster.topics.set(TRACES, 1)
  problems = []
})

afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
  await cluster.close()
})

const report = (problem: string, error: unknown) =>
  void problems.push(`${problem}: ${String(error)}`)

function producer(options: Partial<ProducerOptions> = {}): Producer {
  const all = { group: 'shop', nameServers: cluster.address, report, trace: true, ...options }
  const started = new Producer(all)
  open.push(started)
  started.start()
  return started
}

/** Records of all messages of traces, as fields, with the keys that each message is found by. */
function traces(topic = TRACES): { fields: string[]; keys: string[] }[] {
  const messages = cluster.messages.filter((each) => each.topic === topic)
  return messages.flatMap(({ body, sysFlag, properties }) => {
    const text = (sysFlag & 1 ? inflateSync(body) : body).toString()
    const records = text.split('\u0002').slice(0, -1)
    const keys = properties.get('KEYS')!.split(' ')
    return records.map((record) => ({ fields: record.split('\u0001'), keys }))
  })
}

test('a producer tells of what is stored, in Apache’s text', async () => {
  const shop = producer()
  const before = Date.now()
  const plain = await shop.send({ topic: 'Orders', body: 'four' })
  const keyed = await shop.send({
    topic: 'Orders',
    body: 'x',
    keys: ['k1', 'k2'],
    tags: 'red',
    delayLevel: 3,
  })
  await shop.close()
  const [one, two] = traces()
  const { address } = cluster
  const time = expect.stringMatching(/^\d{13}$/)
  const head = ['Pub', time, 'DefaultRegion', 'shop', 'Orders']
  const cost = expect.stringMatching(/^\d{1,4}$/)
  const end = (result: typeof plain) => [result.offsetMsgId, 'true']
  expect(one!.fields).toEqual([
    ...head,
    plain.msgId,
    'null',
    'null',
    address,
    '4',
    cost,
    '0',
    ...end(plain),
  ])
  expect(two!.fields).toEqual([
    ...head,
    keyed.msgId,
    'red',
    'k1 k2',
    address,
    '1',
    cost,
    '3',
    ...end(keyed),
  ])
  expect(Number(one!.fields[1])).toBeGreaterThanOrEqual(before)
  expect(two!.keys).toEqual([plain.msgId, keyed.msgId, 'k1', 'k2'])
  expect(problems).toEqual([])
})

test('a consumer tells before and after each call of its listener how that ended', async () => {
  const ids: string[] = []
  for (const name of ['good', 'later', 'bad'])
    cluster.append('Orders', 0, name, { UNIQ_KEY: name, KEYS: `k-${name}` })
  const consumer = new PushConsumer({
    group: 'group',
    nameServers: cluster.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    report,
    trace: true,
  })
  open.push(consumer)
  consumer.subscribe('Orders')
  consumer.start(([message]) => {
    ids.push(message!.msgId)
    if (message!.msgId === 'bad') throw new Error('broken')
    return message!.msgId === 'later' ? 'RECONSUME_LATER' : undefined
  })
  await cluster.until(() => ids.length === 3 && cluster.sentBack.length === 2)
  await consumer.close()
  const told = traces()
  const before = new Map(
    told.filter(({ fields }) => fields[0] === 'SubBefore').map(({ fields }) => [fields[5], fields]),
  )
  const after = new Map(
    told.filter(({ fields }) => fields[0] === 'SubAfter').map(({ fields }) => [fields[2], fields]),
  )
  for (const [id, isSuccess, code] of [
    ['good', 'true', '0'],
    ['later', 'false', '4'],
    ['bad', 'false', '2'],
  ] as const) {
    const [, time, , , request] = before.get(id)!
    expect(before.get(id)).toEqual([
      'SubBefore',
      time,
      'DefaultRegion',
      'group',
      request,
      id,
      '0',
      `k-${id}`,
    ])
    const [, , , cost, , , , ended] = after.get(id)!
    expect(after.get(id)).toEqual([
      'SubAfter',
      request,
      id,
      cost,
      isSuccess,
      `k-${id}`,
      code,
      ended,
      'group',
    ])
    expect(Number(ended)).toBeGreaterThanOrEqual(Number(time))
  }
  expect(before.size).toBe(3)
})

test('traces travel together, and are found by all of their ids', async () => {
  const shop = producer()
  const sent = await Promise.all(
    Array.from({ length: 60 }, (_, i) => shop.send({ topic: 'Orders', body: `${i}` })),
  )
  await shop.close()
  const messages = cluster.messages.filter(({ topic }) => topic === TRACES)
  expect(messages.length).toBeLessThanOrEqual(4)
  const told = traces()
  expect(new Set(told.map(({ fields }) => fields[5]))).toEqual(
    new Set(sent.map(({ msgId }) => msgId)),
  )
  for (const { fields, keys } of told) expect(keys).toContain(fields[5])
})

test('keys that are too many for one message are spread, or left out', async () => {
  const shop = producer()
  const keys = Array.from({ length: 40 }, (_, i) => `${i}-${'k'.repeat(700)}`)
  for (let i = 0; i < 3; i++)
    await shop.send({ topic: 'Orders', body: 'x', keys: keys.slice(0, 30) })
  const much = await shop.send({ topic: 'Orders', body: 'x', keys })
  await shop.close()
  expect(problems).toEqual([])
  const told = traces()
  expect(told).toHaveLength(4)
  for (const { keys: found } of told) expect(found.join(' ').length).toBeLessThanOrEqual(24_000)
  expect(told.at(-1)!.keys[0]).toBe(much.msgId)
  expect(told.at(-1)!.fields[7]).toBe(keys.join(' '))
})

test('sends go well when their traces cannot be sent, and that is said once', async () => {
  cluster.topics.delete(TRACES)
  const shop = producer()
  for (let i = 0; i < 100; i++) {
    expect(await shop.send({ topic: 'Orders', body: 'x' })).toMatchObject({ status: 'SEND_OK' })
  }
  await shop.close()
  expect(traces()).toEqual([])
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(/^traces cannot be sent: .*topic RMQ_SYS_TRACE_TOPIC does not exist/)
})

test('more traces than may wait are dropped, and counted', async () => {
  const client = new Cluster({ nameServers: cluster.address, report }, () => NOBODY)
  open.push(client)
  const queue = new Traces(client, { sender: 'g', topic: undefined })
  for (let i = 0; i < 3000; i++) {
    queue.add({
      topic: 'Orders',
      write: async () => ({ text: `Pub\u0001${i}\u0002`, keys: [`${i}`] }),
    })
  }
  await queue.close()
  expect(traces().map(({ fields }) => Number(fields[1]))).toEqual(
    Array.from({ length: 2048 }, (_, i) => i),
  )
  expect(problems).toEqual(['952 traces were dropped: Error: 2048 wait to be sent'])
})

test('of traces there are no traces, nor of what the broker does not want traced', async () => {
  cluster.topics.set('MyTraces', 1)
  const own = producer({ traceTopic: 'MyTraces' })
  await own.send({ topic: 'MyTraces', body: 'x', keys: 'k' })
  await own.close()
  cluster.append('Orders', 0, 'untold', { UNIQ_KEY: 'untold', TRACE_ON: 'false' })
  const consumer = new PushConsumer({
    group: 'group',
    nameServers: cluster.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    report,
    trace: true,
    traceTopic: 'MyTraces',
  })
  open.push(consumer)
  consumer.subscribe('Orders')
  const consumed = Promise.withResolvers<void>()
  consumer.start(() => consumed.resolve())
  await consumed.promise
  await consumer.close()
  const told = cluster.messages.filter(({ topic }) => topic === 'MyTraces')
  expect(told.map(({ body }) => body.toString())).toEqual(['x'])
})
