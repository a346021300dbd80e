/** Messages that come later, come back, or are parts of transactions. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster, describeInterop } from './cluster.ts'

const SETTINGS = {
  transactionCheckInterval: 1000,
  transactionTimeOut: 1000,
  enablePropertyFilter: true,
}

// What is done with a message does not depend on how its header came: one encoding will do.
describeInterop.each(['ROCKETMQ'] as const)("Apache's client with %s headers", (serializeType) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType, settings: SETTINGS })
  })
  afterAll(() => cluster?.dispose())

  test('a message with a delay level comes when its time is over', async () => {
    const topic = 'Later'
    const consumer = cluster.run('Consume', { topic, group: 'later' })
    await consumer.until('started')
    const producer = await cluster.complete('Produce', { topic, count: 20, delayLevel: 2 })
    await consumer.untilCount('message', 20)
    await consumer.stop()
    const sentAt = new Map(producer.of('sent').map(({ number, at }) => [number, Number(at)]))
    for (const { number, at } of consumer.of('message')) {
      expect(Number(at) - sentAt.get(number)!).toBeGreaterThanOrEqual(4900)
    }
  })

  test('a consumer with a condition gets the messages that match it', async () => {
    const topic = 'Chosen'
    const sql = "number BETWEEN 10 AND 14 OR TAGS = 'red' AND number > 90"
    const consumer = cluster.run('Consume', { topic, group: 'chosen', sql })
    await consumer.until('started')
    await cluster.complete('Produce', { topic, count: 100, tags: 'red,green' })
    await consumer.untilCount('message', 9)
    await consumer.stop()
    const numbers = consumer.of('message').map(({ number }) => Number(number))
    expect(sorted(numbers)).toEqual([10, 11, 12, 13, 14, 92, 94, 96, 98])
  })

  test('a message that a consumer refuses comes again, with the count of its tries', async () => {
    const topic = 'Again'
    const settings = { topic, group: 'again', failures: 2, retryLevel: 1 }
    const consumer = cluster.run('Consume', settings)
    await consumer.until('started')
    await cluster.complete('Produce', { topic, count: 5, tags: 'red' })
    await consumer.untilCount('message', 15)
    await consumer.stop()
    for (const attempt of [0, 1, 2]) {
      const messages = consumer.of('message').filter((message) => message.attempt === attempt)
      expect(sorted(messages.map(({ number }) => number))).toEqual([0, 1, 2, 3, 4])
      expect(messages.map(({ tag }) => tag)).toEqual(Array(5).fill('red'))
    }
  })

  test('a message that was refused too often is a dead letter', async () => {
    const topic = 'Dead'
    const group = 'dead'
    const settings = { topic, group, failures: 99, retryLevel: 1, maxTries: 1 }
    const consumer = cluster.run('Consume', settings)
    await consumer.until('started')
    await cluster.complete('Produce', { topic, count: 3 })
    await consumer.untilCount('message', 6)
    const dead = cluster.run('Consume', { topic: `%DLQ%${group}`, group: 'undertaker' })
    await dead.untilCount('message', 3)
    for (const program of [dead, consumer]) await program.stop()
    const numbers = dead.of('message').map(({ number }) => number)
    expect(sorted(numbers)).toEqual([0, 1, 2])
  })

  test('a transaction is delivered when it is committed, at once or when the broker asks', async () => {
    const topic = 'Accounts'
    const consumer = cluster.run('Consume', { topic, group: 'accounts' })
    await consumer.until('started')
    const options = { topic, count: 30, outcomes: 'commit,rollback,unknown' }
    const transact = cluster.run('Transact', options)
    await transact.until('allSent')
    await consumer.untilCount('message', 20)
    await cluster.complete('Produce', { topic, first: 100, count: 1 })
    await consumer.untilCount('message', 21)
    for (const program of [transact, consumer]) await program.stop()
    const wanted = Array.from({ length: 30 }, (_, number) => number).filter((n) => n % 3 !== 1)
    const got = consumer.of('message').map(({ number }) => Number(number))
    expect(sorted(got)).toEqual([...wanted, 100])
    expect(transact.of('asked').length).toBeGreaterThanOrEqual(10)
  })
})

function sorted(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b)
}
