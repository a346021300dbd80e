/** Consumers that leave it to our broker which queues they read, and how. */
import { afterEach, expect, test, vi } from 'vitest'
import {
  allocateInCircle,
  Producer,
  PullConsumer,
  PushConsumer,
  type MessageListener,
  type PushConsumerOptions,
  type ReceivedMessage,
} from '../../src/client/index.ts'
import { useCluster } from '../mqadmin/open-cluster.ts'
import { createTopic } from '../support/messages.ts'

const cluster = useCluster()
const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

/** Long beyond need: a busy machine is no failure. */
const PATIENT = { interval: 1, timeout: 50_000 }
const textOf = ({ body }: ReceivedMessage) => Buffer.from(body).toString()

async function topicWith(topic: string, texts: readonly string[]): Promise<void> {
  await createTopic(await cluster.current.client(), topic, { queues: 4 })
  await cluster.current.known(topic)
  const producer = new Producer({ group: 'shop', nameServers: cluster.current.namesrv.address })
  open.push(producer)
  producer.start()
  for (const body of texts) await producer.send({ topic, body, keys: body })
}

function consumer(topic: string, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  const made = new PushConsumer({
    group: `of-${topic}`,
    nameServers: cluster.current.namesrv.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    clientRebalance: false,
    report: () => {},
    ...options,
  })
  open.push(made)
  made.subscribe(topic)
  return made
}

const idsOf = (consumer: PushConsumer, of: string) =>
  consumer.assigned.filter(({ topic }) => topic === of).map(({ queueId }) => queueId)

const upTo = (count: number) => Array.from({ length: count }, (_, nth) => `${nth}`)

test('without a word the queues are pulled, as the broker shares them out', async () => {
  await topicWith('Pulled', upTo(20))
  const texts = new Set<string>()
  const listener: MessageListener = (messages) => {
    for (const message of messages) texts.add(textOf(message))
  }
  const members = [1, 2].map(() => consumer('Pulled', { allocate: allocateInCircle }))
  for (const member of members) member.start(listener)
  const counts = () => members.map((member) => idsOf(member, 'Pulled').length)
  await vi.waitUntil(() => counts().every((count) => count === 2) && texts.size === 20, PATIENT)
})

test('popped messages are acknowledged each by itself; what fails comes again, and ends as a dead letter', async () => {
  const topic = 'Popped'
  await topicWith(topic, upTo(20))
  const tries = new Map<string, number[]>()
  const buried = Promise.withResolvers<void>()
  const one = consumer(topic, { maxReconsumeTimes: 1, popInvisibleMs: 5000 })
  await one.setRequestMode(topic, 'POP')
  one.start(([message]) => {
    const text = textOf(message!)
    tries.set(text, [...(tries.get(text) ?? []), message!.reconsumeTimes])
    if (text !== '7') return
    if (message!.reconsumeTimes === 1) buried.resolve()
    return 'RECONSUME_LATER'
  })
  await vi.waitUntil(() => idsOf(one, topic).includes(-1), PATIENT)
  await buried.promise // 10 s later; by then all that is not acknowledged would have come again
  expect(await deadLetters(topic, (letters) => letters.length > 0)).toEqual(['7'])
  const expected = upTo(20).map((text) => [text, text === '7' ? [0, 1] : [0]] as const)
  expect(Object.fromEntries(tries)).toEqual(Object.fromEntries(expected))
})

/** Texts of the dead letters of a topic's group, once they are enough. */
async function deadLetters(
  topic: string,
  isEnough: (texts: readonly string[]) => boolean,
): Promise<string[]> {
  const reader = new PullConsumer({
    group: 'readers',
    nameServers: cluster.current.namesrv.address,
  })
  open.push(reader)
  reader.start()
  const letters = `%DLQ%of-${topic}`
  await cluster.current.known(letters)
  const [queue] = await reader.queues(letters)
  const texts: string[] = []
  while (!isEnough(texts)) {
    const pulled = await reader.pull(queue!, { offset: texts.length, holdMs: 10_000 })
    texts.push(...pulled.messages.map(textOf))
  }
  return texts
}

test('a listener can make a dead letter at once', async () => {
  const topic = 'Hopeless'
  await topicWith(topic, ['x'])
  const one = consumer(topic)
  await one.setRequestMode(topic, 'POP')
  const told: string[] = []
  one.start(([message], { queue }) => {
    told.push(`${textOf(message!)} of ${queue.queueId}`)
    return { delayLevel: -1 }
  })
  expect(await deadLetters(topic, (letters) => letters.length > 0)).toEqual(['x'])
  expect(told).toEqual(['x of -1'])
})

test('members of a group can share their queues with some others only', async () => {
  const topic = 'Neighbours'
  await topicWith(topic, [])
  const members = [consumer(topic), consumer(topic), consumer(topic), consumer(topic)]
  await members[0]!.setRequestMode(topic, 'POP', 1)
  const texts: string[] = []
  for (const member of members) {
    member.start((messages) => void texts.push(...messages.map(textOf)))
  }
  const isShared = () =>
    members.every((member) => {
      const ids = idsOf(member, topic)
      return ids.length === 2 && !ids.includes(-1)
    })
  await vi.waitUntil(isShared, PATIENT)
  const owners = members.flatMap((member) => idsOf(member, topic))
  expect(owners.toSorted((one, other) => one - other)).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
  await topicWith(topic, upTo(30))
  await vi.waitUntil(() => texts.length === 30, PATIENT)
  expect(new Set(texts)).toEqual(new Set(upTo(30)))
})

test('what administrators see of it', async () => {
  const topic = 'Seen'
  await topicWith(topic, ['x'])
  const one = consumer(topic)
  await one.setRequestMode(topic, 'POP')
  const seen = Promise.withResolvers<void>()
  one.start(() => seen.resolve())
  await seen.promise
  const line = `consumerStatus -g of-${topic} -i ${one.clientId}`
  const { stdout } = await cluster.current.mqadmin(line)
  expect(stdout).toContain(topic)
  expect(stdout).toMatch(/Pop/)
})

test('what cannot be is refused', () => {
  const options = { group: 'g', nameServers: '127.0.0.1:1', clientRebalance: false }
  const make = (more: Partial<PushConsumerOptions>) => () =>
    new PushConsumer({ ...options, ...more })
  expect(make({ messageModel: 'BROADCASTING' })).toThrow(/not for BROADCASTING/)
  expect(make({ allocate: () => [] })).toThrow(/allocateInBlocks and allocateInCircle/)
  expect(make({ popInvisibleMs: 100 })).toThrow(/popInvisibleMs 100: it must be 5000 to 300000/)
  const inOrder = make({})()
  expect(() => inOrder.startOrderly(() => {})).toThrow(/not for consuming in order/)
})
