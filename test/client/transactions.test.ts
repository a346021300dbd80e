/** Transactions of our client, through a broker of ours that soon asks. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  ClientError,
  Producer,
  PullConsumer,
  PushConsumer,
  type ProducerOptions,
  type ReceivedMessage,
  type TransactionState,
} from '../../src/client/index.ts'
import { tracesOf } from '../../src/mqadmin/trace-records.ts'
import { useCluster } from '../mqadmin/open-cluster.ts'

const GROUP = 'accounts'
const cluster = useCluster({
  transactionCheckInterval: 100,
  transactionTimeOut: 0,
  traceTopicEnable: true,
})
const open: { close: () => Promise<void> }[] = []
let asked: ReceivedMessage[]
let problems: string[]

beforeEach(() => {
  asked = []
  problems = []
})

afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

const textOf = ({ body }: ReceivedMessage) => Buffer.from(body).toString()

/** Says of every transaction that it is asked about what `answer` makes of its text. */
function producer(answer: (text: string) => string, options: Partial<ProducerOptions> = {}) {
  const started = new Producer({
    group: GROUP,
    nameServers: cluster.current.namesrv.address,
    report: (problem, error) => problems.push(`${problem}: ${String(error)}`),
    checkTransaction: (message) => {
      asked.push(message)
      return answer(textOf(message)) as TransactionState
    },
    ...options,
  })
  open.push(started)
  started.start()
  return started
}

/** Resolves to the texts that a consumer of the topic gets, once they are enough. */
async function delivered(
  topic: string,
  isEnough: (texts: readonly string[]) => boolean = () => true,
): Promise<string[]> {
  const consumer = new PushConsumer({
    group: `of-${topic}`,
    nameServers: cluster.current.namesrv.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
  })
  open.push(consumer)
  consumer.subscribe(topic)
  const { promise, resolve } = Promise.withResolvers<void>()
  const texts: string[] = []
  consumer.start((messages) => {
    texts.push(...messages.map(textOf))
    if (isEnough(texts)) resolve()
  })
  await promise
  return texts
}

async function storedIn(topic: string): Promise<number> {
  const reader = new PullConsumer({
    group: 'readers',
    nameServers: cluster.current.namesrv.address,
  })
  open.push(reader)
  reader.start()
  const [queue] = await reader.queues(topic)
  return reader.offsets.max(queue!)
}

test('what is committed is delivered, what is rolled back is not', async () => {
  const topic = 'Ended'
  await cluster.current.topicWith(topic, 0)
  const accounts = producer((text) => (text === 'kept' ? 'COMMIT' : 'ROLLBACK'))
  const body = 'rolled back'
  const back = await accounts.sendInTransaction({ topic, body }, () => 'ROLLBACK')
  const order: string[] = []
  const kept = await accounts.sendInTransaction(
    { topic, body: 'kept', tags: 'a', keys: 'k' },
    async (half) => {
      expect(half).toMatchObject({ status: 'SEND_OK', queue: { topic } })
      order.push('executed')
      return 'COMMIT' as const
    },
  )
  order.push('returned')
  expect(order).toEqual(['executed', 'returned'])
  expect(back).toMatchObject({ state: 'ROLLBACK', status: 'SEND_OK' })
  expect(kept).toMatchObject({ state: 'COMMIT', status: 'SEND_OK' })
  expect(await delivered(topic)).toEqual(['kept'])
  expect(await storedIn(topic)).toBe(1)
})

test('a compressed body goes through a transaction', async () => {
  const topic = 'Long'
  await cluster.current.topicWith(topic, 0)
  const body = 'again and '.repeat(10_000)
  await producer(() => 'COMMIT').sendInTransaction({ topic, body }, () => 'COMMIT')
  expect(await delivered(topic)).toEqual([body])
})

test('what is unknown is asked about until it is known; a check that fails is reported', async () => {
  const topic = 'Unknown'
  await cluster.current.topicWith(topic, 0)
  const answers = ['UNKNOWN', 'nonsense', '', 'COMMIT']
  const accounts = producer(() => {
    const next = answers.shift() ?? 'COMMIT'
    if (next === '') throw new Error('the database is gone')
    return next
  })
  const options = { topic, body: 'late', keys: 'k' }
  const { state, msgId } = await accounts.sendInTransaction(options, () => 'UNKNOWN')
  expect(state).toBe('UNKNOWN')
  expect(await delivered(topic)).toEqual(['late'])
  expect(asked.length).toBeGreaterThanOrEqual(4)
  expect(asked[0]).toMatchObject({ topic, msgId, keys: ['k'] })
  expect(problems).toEqual([
    expect.stringMatching(/check of transaction .*nonsense.*COMMIT, ROLLBACK/),
    expect.stringMatching(/check of transaction .*database is gone/),
  ])
  expect(await storedIn(topic)).toBe(1)
})

test('a local transaction that throws is unknown, and says why', async () => {
  const topic = 'Failed'
  await cluster.current.topicWith(topic, 0)
  const accounts = producer(() => 'COMMIT')
  const failure = new Error('no money')
  const result = await accounts.sendInTransaction({ topic, body: 'x' }, () => {
    throw failure
  })
  expect(result).toMatchObject({ state: 'UNKNOWN', failure })
  expect(await delivered(topic)).toEqual(['x'])
  expect(asked.map(textOf)).toContain('x')
})

test('another producer of the group is asked when the first is gone', async () => {
  const topic = 'Inherited'
  await cluster.current.topicWith(topic, 0)
  const first = producer(() => 'UNKNOWN')
  await first.sendInTransaction({ topic, body: 'x' }, () => 'UNKNOWN')
  await first.close()
  asked = []
  const heir = producer(() => 'COMMIT')
  await heir.queues(topic) // from now on the broker knows it
  expect(await delivered(topic)).toEqual(['x'])
  expect(asked.map(textOf)).toContain('x')
})

test('nobody is asked about a transaction before its time', async () => {
  const topic = 'Immune'
  await cluster.current.topicWith(topic, 0)
  const accounts = producer(() => 'COMMIT')
  const body = 'immune'
  await accounts.sendInTransaction({ topic, body }, () => 'UNKNOWN', { immunitySeconds: 3600 })
  await accounts.sendInTransaction({ topic, body: 'other' }, () => 'UNKNOWN')
  expect(await delivered(topic)).toEqual(['other'])
  expect(asked.map(textOf)).not.toContain(body)
})

test('what cannot be is refused before anything is sent', async () => {
  const topic = 'Refused'
  await cluster.current.topicWith(topic, 0)
  const execute = vi.fn<() => TransactionState>(() => 'COMMIT')
  const plain = producer(() => 'COMMIT', { checkTransaction: undefined })
  const needed = plain.sendInTransaction({ topic, body: 'x' }, execute)
  await expect(needed).rejects.toThrow('a transaction needs checkTransaction')
  const accounts = producer(() => 'COMMIT')
  const delayed = accounts.sendInTransaction({ topic, body: 'x', delayLevel: 3 }, execute)
  await expect(delayed).rejects.toThrow(ClientError)
  await expect(delayed).rejects.toThrow(/DELAY with a transaction/)
  expect(execute).not.toHaveBeenCalled()
})

test('the end of a transaction is told of, whoever said it', async () => {
  const topic = 'Traced'
  await cluster.current.topicWith(topic, 0)
  const stateOf = (text: string) => (text === 'x' ? 'COMMIT' : 'ROLLBACK')
  const accounts = producer(stateOf, { trace: true })
  const said = await accounts.sendInTransaction({ topic, body: 'x', keys: 'k1' }, () => 'COMMIT')
  const checked = await accounts.sendInTransaction({ topic, body: 'y' }, () => 'UNKNOWN')
  await vi.waitUntil(() => asked.some(({ msgId }) => msgId === checked.msgId), { timeout: 50_000 })
  await accounts.close()
  const fieldsOf = (texts: readonly string[]) =>
    texts
      .join('')
      .split('\u0002')
      .map((text) => text.split('\u0001'))
  const traced = await delivered('RMQ_SYS_TRACE_TOPIC', (texts) => {
    const ends = fieldsOf(texts).map((fields) => fields.slice(11).join(' '))
    return ends.includes('COMMIT_MESSAGE false') && ends.includes('ROLLBACK_MESSAGE true')
  })
  const ends = fieldsOf(traced)
  const records = traced.flatMap((body) => tracesOf({ body: Buffer.from(body), bornHost: '' }))
  expect(records).toContainEqual(
    expect.objectContaining({ type: 'EndTransaction', msgId: said.msgId, group: GROUP }),
  )
  const time = expect.stringMatching(/^\d{13}$/)
  const broker = cluster.current.brokerAddress
  const id = said.msgId
  const head = ['EndTransaction', time, 'DefaultRegion', GROUP, topic]
  expect(ends).toContainEqual([
    ...head,
    id,
    'null',
    'k1',
    broker,
    '2',
    said.transactionId,
    'COMMIT_MESSAGE',
    'false',
  ])
  const { msgId } = checked
  expect(ends).toContainEqual([
    ...head,
    msgId,
    'null',
    'null',
    broker,
    '2',
    checked.transactionId,
    'ROLLBACK_MESSAGE',
    'true',
  ])
})
