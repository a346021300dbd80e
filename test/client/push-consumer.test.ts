import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  PushConsumer,
  type MessageListener,
  type PushConsumerOptions,
} from '../../src/client/index.ts'
import { ResetOffsetBody } from '../../src/protocol/bodies/consumer-offset.ts'
import { requestCommand } from '../../src/protocol/remoting-command.ts'
import { ResetConsumerClientOffset } from '../../src/protocol/requests/offset.ts'
import { FakeCluster } from './fake-cluster.ts'

let cluster: FakeCluster
let problems: string[]
const consumers: PushConsumer[] = []

beforeEach(async () => {
  cluster = await FakeCluster.start()
  cluster.topics.set('Orders', 4)
  problems = []
})

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close()
  await cluster.close()
  vi.useRealTimers()
})

function started(
  listener: MessageListener,
  options: Partial<PushConsumerOptions> = {},
  filter = '*',
): PushConsumer {
  const consumer = new PushConsumer({
    group: 'group',
    nameServers: cluster.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    report: (problem, error) => problems.push(`${problem}: ${String(error)}`),
    ...options,
  })
  consumers.push(consumer)
  consumer.subscribe('Orders', filter)
  consumer.start(listener)
  return consumer
}

/** A listener that notes the bodies it is given, and a promise for when it has had so many. */
function noting() {
  const bodies: string[] = []
  let awaited = Infinity
  let resolve = () => {}
  const listener: MessageListener = (messages) => {
    bodies.push(...messages.map((message) => Buffer.from(message.body).toString()))
    if (bodies.length >= awaited) resolve()
  }
  const had = async (count: number) => {
    const reached = Promise.withResolvers<void>()
    awaited = count
    resolve = reached.resolve
    if (bodies.length < count) await reached.promise
  }
  return { bodies, listener, had }
}

function fill(count: number, queueId = 0, properties: Record<string, string> = {}): void {
  for (let i = 0; i < count; i++) cluster.append('Orders', queueId, `${queueId}-${i}`, properties)
}

test('messages that are there and messages that come are consumed, from every queue', async () => {
  const { bodies, listener, had } = noting()
  fill(40)
  started(listener)
  await had(40)
  for (const queueId of [1, 2, 3]) fill(2, queueId)
  await had(46)
  expect(new Set(bodies).size).toBe(46)
})

test('a listener is told what message it is, and from where', async () => {
  cluster.append('Orders', 2, 'x', {
    TAGS: 'TagA',
    KEYS: 'k1 k2',
    UNIQ_KEY: 'C0FFEE',
    city: 'Köln',
  })
  const { promise, resolve } = Promise.withResolvers<Parameters<MessageListener>>()
  started((...call) => resolve(call))
  const [[message], context] = await promise
  expect(message).toMatchObject({
    topic: 'Orders',
    queueOffset: 0,
    msgId: 'C0FFEE',
    tags: 'TagA',
    keys: ['k1', 'k2'],
    reconsumeTimes: 0,
    bornHost: cluster.address,
  })
  expect(message!.properties.get('city')).toBe('Köln')
  expect(context).toMatchObject({
    queue: { topic: 'Orders', brokerName: 'broker-a', queueId: 2 },
    slot: 1,
  })
})

test('the broker knows group and subscription before the first pull', async () => {
  const { listener, had } = noting()
  fill(1, 0, { TAGS: 'TagA' })
  started(listener, {}, 'TagA || TagB')
  await had(1)
  const [consumer] = cluster.heartbeats[0]!.consumerDataSet
  expect(consumer).toMatchObject({ groupName: 'group', consumeType: 'CONSUME_PASSIVELY' })
  const subscriptions = consumer!.subscriptionDataSet
  expect(subscriptions.map(({ topic }) => topic)).toEqual(['%RETRY%group', 'Orders'])
  expect(subscriptions[1]).toMatchObject({ tagsSet: ['TagA', 'TagB'], codeSet: [2598919, 2598920] })
  expect(cluster.requests.indexOf('HEART_BEAT')).toBeLessThan(
    cluster.requests.indexOf('PULL_MESSAGE'),
  )
})

test('a message with another tag is passed over, and its offset committed', async () => {
  const { bodies, listener, had } = noting()
  fill(3, 0, { TAGS: 'BB' }) // the hash of Aa: the broker lets it through
  fill(1, 1, { TAGS: 'Aa' })
  const consumer = started(listener, {}, 'Aa')
  await had(1)
  await cluster.until(() => cluster.requests.filter((name) => name === 'PULL_MESSAGE').length >= 6)
  await consumer.close()
  expect(bodies).toEqual(['1-0'])
  expect(cluster.committed.get('Orders/0')).toBe(3)
})

test('two members share the queues, and one takes over from the other', async () => {
  const { bodies, listener, had } = noting()
  const one = started(listener)
  const other = started(listener)
  const owned = () => [...one.assigned, ...other.assigned].map((queue) => queue.queueId)
  await vi.waitUntil(() => one.assigned.length === 2 && other.assigned.length === 2, {
    interval: 1,
  })
  expect(new Set(owned()).size).toBe(4)
  for (const queueId of [0, 1, 2, 3]) fill(5, queueId)
  await had(20)
  await one.close()
  await vi.waitUntil(() => other.assigned.length === 4, { interval: 1 })
  for (const queueId of [0, 1, 2, 3]) fill(5, queueId)
  await had(40)
  expect(bodies.length).toBe(40) // nothing came twice
})

test('no more listeners run at a time than allowed', async () => {
  fill(30)
  let running = 0
  let most = 0
  let count = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  started(
    async () => {
      most = Math.max(most, ++running)
      await new Promise((wake) => setImmediate(wake))
      running--
      if (++count === 30) resolve()
    },
    { concurrency: 3 },
  )
  await promise
  expect(most).toBe(3)
})

test('a listener may take several messages at once', async () => {
  fill(10)
  const { promise, resolve } = Promise.withResolvers<void>()
  const sizes: number[] = []
  started(
    (messages) => {
      sizes.push(messages.length)
      if (sizes.length === 3) resolve()
    },
    { consumeBatchMax: 4 },
  )
  await promise
  expect(sizes).toEqual([4, 4, 2])
})

test('a reader stops pulling while its listeners are behind', async () => {
  fill(200)
  const { promise, resolve } = Promise.withResolvers<void>()
  const seen: number[] = []
  started(
    async (messages) => {
      seen.push(...messages.map((message) => message.queueOffset))
      await promise
    },
    { concurrency: 2, limits: { countMax: 40 } },
  )
  const pulls = () => cluster.requests.filter((name) => name === 'PULL_MESSAGE').length
  await cluster.until(() => pulls() === 5) // two of queue 0, and one held in each other queue
  expect(seen).toEqual([0, 1])
  resolve()
  await vi.waitUntil(() => seen.length === 200, { interval: 1 })
  expect(pulls()).toBeGreaterThan(9)
})

test('what fails goes back to the broker, and what it says is reported', async () => {
  fill(3)
  const outcomes = new Map<string, () => ReturnType<MessageListener>>([
    ['0-0', () => 'RECONSUME_LATER'],
    ['0-1', () => ({ delayLevel: -1 })],
    [
      '0-2',
      () => {
        throw new Error('the database is gone')
      },
    ],
  ])
  const consumer = started(([message]) => outcomes.get(String(message!.body))!())
  await cluster.until(() => cluster.sentBack.length === 3)
  const levels = new Map(cluster.sentBack.map(({ offset, delayLevel }) => [offset, delayLevel]))
  expect(Object.fromEntries(levels)).toEqual({ 0: 0, 1: -1, 2: 0 })
  expect(problems).toEqual([
    expect.stringMatching(/listener failed on topic Orders.*database is gone/),
  ])
  await consumer.close()
  expect(cluster.committed.get('Orders/0')).toBe(3)
})

test('what the broker does not take back is consumed here again, and holds its offset until then', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
  fill(2)
  cluster.refusals.set('CONSUMER_SEND_MSG_BACK', 'SYSTEM_ERROR')
  const tries: number[] = []
  const consumer = started(([message]) => {
    if (message!.queueOffset === 1) return
    tries.push(message!.reconsumeTimes)
    return tries.length === 1 ? 'RECONSUME_LATER' : 'CONSUME_SUCCESS'
  })
  await cluster.until(() => cluster.requests.includes('CONSUMER_SEND_MSG_BACK'))
  while (cluster.committed.size < 4) await vi.advanceTimersByTimeAsync(50) // offsets go out every 5 s
  expect(cluster.committed.get('Orders/0')).toBe(0)
  while (tries.length < 2) await vi.advanceTimersByTimeAsync(50)
  expect(tries).toEqual([0, 1])
  await consumer.close()
  expect(cluster.committed.get('Orders/0')).toBe(2)
})

test('a group goes on where it was', async () => {
  const { bodies, listener, had } = noting()
  fill(5)
  cluster.committed.set('Orders/0', 3)
  started(listener)
  await had(2)
  expect(bodies).toEqual(['0-3', '0-4'])
})

test.each([
  ['at the end', 'CONSUME_FROM_LAST_OFFSET', ['new']],
  ['at the beginning', 'CONSUME_FROM_FIRST_OFFSET', ['0-0', '0-1', '0-2', 'new']],
  ['at a time', { timestamp: 1 }, ['0-1', '0-2', 'new']],
] as const)('a new group begins %s when told so', async (_, consumeFrom, expected) => {
  const { bodies, listener, had } = noting()
  fill(3)
  const consumer = started(listener, { consumeFrom, concurrency: 1 })
  await vi.waitUntil(() => consumer.assigned.length === 4, { interval: 1 })
  cluster.append('Orders', 0, 'new')
  await had(expected.length)
  expect(bodies).toEqual(expected)
})

test('a queue whose old messages are deleted is read from its first message on', async () => {
  const { bodies, listener, had } = noting()
  fill(5)
  cluster.minOffset = 3
  started(listener)
  await had(2)
  expect(bodies).toEqual(['0-3', '0-4'])
})

test('a broker whose offsets are out of order is reported, and asked again', async () => {
  const { bodies, listener, had } = noting()
  fill(3)
  cluster.skew = -1
  started(listener)
  await vi.waitUntil(() => problems.length > 0, { interval: 1 })
  expect(problems[0]).toMatch(/cannot pull queue 0.*offset 2 where 3 or more must follow/)
  cluster.skew = 0
  await had(3)
  expect(bodies).toEqual(['0-0', '0-1', '0-2'])
})

test('a broker that has forgotten the group is told again', async () => {
  const { listener, had } = noting()
  const consumer = started(listener)
  await vi.waitUntil(() => consumer.assigned.length === 4, { interval: 1 })
  const before = cluster.heartbeats.length
  cluster.forgetMembers()
  fill(1) // ends a held pull: the next one is refused
  await had(1)
  await cluster.until(() => cluster.heartbeats.length > before)
})

test('a topic can be subscribed to and left while consuming', async () => {
  const { listener, had } = noting()
  cluster.topics.set('Payments', 1)
  const consumer = started(listener)
  await vi.waitUntil(() => consumer.assigned.length === 4, { interval: 1 })
  consumer.subscribe('Payments')
  cluster.append('Payments', 0, 'paid')
  await had(1)
  consumer.unsubscribe('Orders')
  await vi.waitUntil(() => consumer.assigned.length === 1, { interval: 1 })
})

test('closing lets listeners end, commits what they consumed and leaves nothing behind', async () => {
  fill(3)
  const begun = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const consumer = started(
    async () => {
      begun.resolve()
      await finish.promise
    },
    { concurrency: 1 },
  )
  await begun.promise
  const closed = consumer.close()
  finish.resolve()
  await closed
  expect(cluster.committed.get('Orders/0')).toBe(1)
  expect(cluster.requests.at(-1)).toBe('UNREGISTER_CLIENT')
  await cluster.until(() => cluster.connectionCount === 0)
  expect(problems).toEqual([])
})

test('closing does not wait for ever for a listener that hangs', async () => {
  fill(1)
  const begun = Promise.withResolvers<void>()
  const consumer = started(
    () => {
      begun.resolve()
      return new Promise(() => {})
    },
    { closeTimeoutMs: 20 },
  )
  await begun.promise
  await consumer.close()
  expect(cluster.committed.get('Orders/0')).toBe(0)
})

test('a consumer whose name server is away keeps trying, says so, and can be closed', async () => {
  const gone = await FakeCluster.start()
  await gone.close()
  const reported = Promise.withResolvers<string>()
  const report = (problem: string, error: unknown) =>
    reported.resolve(`${problem}: ${String(error)}`)
  const consumer = started(() => {}, { nameServers: gone.address, report })
  expect(await reported.promise).toMatch(/topic .*group.*no name server of 127\.0\.0\.1/)
  await consumer.close()
})

test('told to go on from another offset, it does, in the queues it reads', async () => {
  const { bodies, listener, had } = noting()
  fill(3)
  started(listener)
  await had(3)
  const queue = { topic: 'Orders', brokerName: 'broker-a', queueId: 0 }
  const body = ResetOffsetBody.encode({
    offsetTable: [
      [queue, 1],
      [{ ...queue, topic: 'Others' }, 1],
    ],
  })
  const tell = (group: string) => {
    const header = { topic: 'Orders', group, timestamp: 0, isForce: true }
    const fields = ResetConsumerClientOffset.encodeHeader(header)
    cluster.tell(requestCommand(ResetConsumerClientOffset.code, fields, body))
  }
  tell('others')
  tell('group')
  await had(5)
  expect(bodies).toEqual(['0-0', '0-1', '0-2', '0-1', '0-2'])
  expect(problems).toEqual([])
})
