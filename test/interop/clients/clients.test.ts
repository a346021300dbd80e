/** Clients that are not Java's, each against our broker and against Apache's with the same expectations. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ClientProgram, Received } from '../client-program.ts'
import type { ServerKind } from '../broker-process.ts'
import { Cluster } from '../cluster.ts'
import { expectQueueOrder } from '../checks.ts'
import { createTopic } from '../../support/messages.ts'
import { RawClient } from '../../support/raw-client.ts'
import { launchClient } from './client-cluster.ts'
import { LANGUAGES } from './client-runtimes.ts'
import type { Language } from './client-runtimes.ts'

const KINDS: ServerKind[] = ['ringmq', 'apache']
const CASES = KINDS.flatMap((kind) => LANGUAGES.map((language) => ({ kind, language })))

/** Nobody is asked too often to answer: these clients say only every 30 s that they are there. */
const SETTINGS = {
  transactionCheckInterval: 1000,
  transactionTimeOut: 6000, // Apache's broker notes a rollback only after 3 s
  transactionCheckMax: 1000,
}

const TOPICS = ['Plain', 'Colours', 'Ordered', 'Later', 'Again', 'Everybody', 'Accounts']

const isMissing = (kind: ServerKind, language: Language): boolean =>
  inject('clients')[language] === null || (kind === 'apache' && inject('java') === null)

for (const { kind, language } of CASES) {
  const title = `the client for ${language} with ${kind}`
  describe.skipIf(isMissing(kind, language))(title, { concurrent: true }, () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await Cluster.start({ kind, settings: SETTINGS })
      // Not by the first send, as other clients have it: ali-ons gives up at a topic without a route.
      const client = await RawClient.connect(cluster.brokerPort)
      for (const topic of TOPICS) await createTopic(client, topic, { queues: 4 })
      client.close()
    })
    afterAll(() => cluster?.dispose())

    const launch = (
      program: 'produce' | 'consume' | 'transact',
      options: Record<string, string | number | boolean>,
    ): ClientProgram => launchClient(cluster, language, program, options)

    const send = async (options: Record<string, string | number>): Promise<ClientProgram> => {
      const producer = launch('produce', { tags: 'red,green', ...options })
      await producer.finish()
      return producer
    }

    test('consumes what it sent, each message once', async () => {
      const topic = 'Plain'
      const producer = await send({ topic, count: 300 })
      const consumer = launch('consume', { topic, group: 'plain' })
      await consumer.untilCount('message', 300)
      await consumer.stop()
      expect(contents(consumer.of('message'))).toEqual(contents(producer.of('sent')))
    })

    test('gets the messages of the tag it subscribed to', async () => {
      const topic = 'Colours'
      const producer = await send({ topic, count: 60 })
      const consumer = launch('consume', { topic, group: 'by-tag', expression: 'red' })
      await consumer.untilCount('message', 30)
      await consumer.stop()
      const red = producer.of('sent').filter(({ tag }) => tag === 'red')
      expect(contents(consumer.of('message'))).toEqual(contents(red))
    })

    test('keeps the order of messages that belong together', async () => {
      const topic = 'Ordered'
      await send({ topic, count: 120, shards: 3 })
      const consumer = launch('consume', { topic, group: 'ordered', orderly: true })
      await consumer.untilCount('message', 120)
      await consumer.stop()
      const received = consumer.of('message')
      expect(received.length).toBe(120)
      expectQueueOrder(received)
      for (const shard of [0, 1, 2])
        expectShard(received.filter(({ number }) => number % 3 === shard))
    })

    test('gets a message with a delay level when its time is over', async () => {
      const topic = 'Later'
      const consumer = launch('consume', { topic, group: 'later' })
      await consumer.until('started')
      const producer = await send({ topic, count: 10, delayLevel: 2 })
      await consumer.untilCount('message', 10)
      await consumer.stop()
      const sentAt = new Map(producer.of('sent').map(({ number, at }) => [number, at]))
      const waits = consumer.of('message').map(({ number, at }) => at - sentAt.get(number)!)
      expect(waits.length).toBe(10)
      expect(Math.min(...waits)).toBeGreaterThanOrEqual(4900)
    })

    test('gets a message again that it refused, with the count of its tries', async () => {
      const topic = 'Again'
      await send({ topic, count: 4 }) // one a queue: librocketmq refuses all that it has of a queue
      const consumer = launch('consume', { topic, group: 'again', failures: 1 })
      await consumer.untilCount('message', 8)
      await consumer.stop()
      for (const attempt of [0, 1]) {
        const messages = consumer.of('message').filter((message) => message.attempt === attempt)
        expect(numbers(messages)).toEqual([0, 1, 2, 3])
      }
    })

    test('as a broadcast, every member gets every message', async () => {
      const topic = 'Everybody'
      const options = { topic, group: 'everybody', broadcast: true }
      const members = [1, 2].map(() => launch('consume', options))
      await Promise.all(members.map((member) => member.until('started')))
      // A member begins where the queues end, and does not say when it has looked: so first some for the start.
      while (members.some((member) => member.of('message').length === 0)) {
        await send({ topic, count: 4, tags: 'start' })
      }
      await send({ topic, count: 20 })
      for (const member of members) {
        const received = (): Received[] => member.of('message').filter(({ tag }) => tag !== 'start')
        await member.until('message', () => received().length === 20)
        await member.stop()
        expect(numbers(received())).toEqual(Array.from({ length: 20 }, (_, number) => number))
      }
    })

    if (language !== 'go') return // the others have no transactions

    test('ends transactions at once, or when it is asked', async () => {
      const topic = 'Accounts'
      const transact = launch('transact', { topic, count: 9, outcomes: 'commit,rollback,unknown' })
      await transact.until('allSent')
      const consumer = launch('consume', { topic, group: 'accounts' })
      await consumer.untilCount('message', 6)
      await transact.stop()
      await consumer.stop()
      expect(numbers(consumer.of('message'))).toEqual([0, 2, 3, 5, 6, 8])
      expect(transact.of('asked').length).toBeGreaterThanOrEqual(3)
    })
  })
}

interface Content {
  number: number
  offset: number
  tag: string | null
  keys: string | null
  crc: number
}

/** What must be the same on both sides. Not the queue: not every client says where a message went. */
function contents(messages: readonly Content[]): string[] {
  return messages
    .map(({ number, offset, tag, keys, crc }) => `${number} at ${offset}: ${tag} ${keys} ${crc}`)
    .toSorted()
}

function numbers(messages: readonly Received[]): number[] {
  return messages.map(({ number }) => number).toSorted((a, b) => a - b)
}

/** All in one queue, in the order they were sent in. */
function expectShard(messages: readonly Received[]): void {
  expect(new Set(messages.map(({ queueId }) => queueId)).size).toBe(1)
  const order = messages.map(({ number }) => number)
  expect(order).toEqual(numbers(messages))
}
