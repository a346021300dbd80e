/** Request and reply of our client, through a broker of ours. */
import { afterEach, expect, test } from 'vitest'
import {
  ClientError,
  ConnectionError,
  Producer,
  PushConsumer,
  ResponseError,
  TimeoutError,
  type ReceivedMessage,
} from '../../src/client/index.ts'
import { useCluster } from '../mqadmin/open-cluster.ts'

const cluster = useCluster()
const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

function producer(group: string): Producer {
  const started = new Producer({ group, nameServers: cluster.current.namesrv.address })
  open.push(started)
  started.start()
  return started
}

/** Answers what comes with what `answer` makes of it. */
async function answering(topic: string, answer: (message: ReceivedMessage) => string | null) {
  await cluster.current.topicWith(topic, 0)
  const replier = producer('repliers')
  const outcomes: Promise<unknown>[] = []
  const consumer = new PushConsumer({
    group: `of-${topic}`,
    nameServers: cluster.current.namesrv.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
  })
  open.push(consumer)
  consumer.subscribe(topic)
  const requests: ReceivedMessage[] = []
  consumer.start((messages) => {
    for (const message of messages) {
      requests.push(message)
      const text = answer(message)
      const outcome = text === null ? null : replier.reply(message, text)
      if (outcome !== null) outcomes.push(outcome.catch((error: unknown) => error))
    }
  })
  return { replier, outcomes, requests }
}

const textOf = ({ body }: ReceivedMessage) => Buffer.from(body).toString()

test('many requests at once get each its own answer', async () => {
  const { outcomes } = await answering('Sums', (message) => `${textOf(message)} is odd`)
  const asker = producer('askers')
  const asked = Array.from({ length: 200 }, (_, i) =>
    asker.request({ topic: 'Sums', body: `${i}`, keys: `k${i}` }, 20_000),
  )
  const answers = await Promise.all(asked)
  expect(answers.map(textOf)).toEqual(asked.map((_, i) => `${i} is odd`))
  expect(answers[0]!.topic).toBe('DefaultCluster_REPLY_TOPIC')
  expect(answers[0]!.storeHost).toBe(cluster.current.brokerAddress)
  for (const told of await Promise.all(outcomes)) expect(told).toMatchObject({ status: 'SEND_OK' })
})

test('a long answer travels compressed', async () => {
  const long = 'so it goes '.repeat(10_000)
  await answering('Long', () => long)
  const answer = await producer('askers').request({ topic: 'Long', body: 'x' }, 20_000)
  expect(answer.stored.body.length).toBeLessThan(long.length / 10)
  expect(textOf(answer)).toBe(long)
})

test('a request that nobody answers in time is a timeout, and its late answer hurts nobody', async () => {
  const { replier, requests } = await answering('Silent', () => null)
  const asker = producer('askers')
  const asked = asker.request({ topic: 'Silent', body: 'x' }, 300)
  await expect(asked).rejects.toThrow(TimeoutError)
  await expect(asked).rejects.toThrow('topic Silent: no answer to the message in 300 ms')
  await expect.poll(() => requests.length).toBe(1)
  const [request] = requests
  expect(request!.properties.get('TTL')).toBe('300')
  expect(await replier.reply(request!, 'late')).toMatchObject({ status: 'SEND_OK' })
  await asker.close()
  await expect
    .poll(() => replier.reply(request!, 'later', { timeoutMs: 5000 }).catch((error) => error))
    .toMatchObject({ codeName: 'SYSTEM_ERROR' })
  const gone = replier.reply(request!, 'later')
  await expect(gone).rejects.toThrow(ResponseError)
  await expect(gone).rejects.toThrow('push reply message fail, channel of <')
})

test('a request that cannot be sent fails as a send does, at once', async () => {
  const asker = producer('askers')
  const queue = { topic: 'Nowhere', brokerName: 'broker-z', queueId: 0 }
  await cluster.current.topicWith('Nowhere', 0)
  const asked = asker.request({ topic: 'Nowhere', body: 'x' }, 60_000, { queue })
  await expect(asked).rejects.toThrow('broker broker-z has no master')
})

test('requests that are open when their producer closes are told so', async () => {
  await cluster.current.topicWith('Closed', 0)
  const asker = producer('askers')
  const asked = asker.request({ topic: 'Closed', body: 'x' }, 60_000)
  const failed = expect(asked).rejects.toThrow(ConnectionError)
  await asker.close()
  await failed
})

test('a message that asks for no answer gets none', async () => {
  const { replier, requests } = await answering('Plain', () => null)
  await replier.send({ topic: 'Plain', body: 'x' })
  await expect.poll(() => requests.length).toBe(1)
  const reply = replier.reply(requests[0]!, 'x')
  await expect(reply).rejects.toThrow(ClientError)
  await expect(reply).rejects.toThrow('waits for no answer: it has no property CORRELATION_ID')
})
