/** Timed messages of Apache's client, and stores with some that wait, opened in turn by us and by Apache. */
import { afterEach, expect, test } from 'vitest'
import { KIND_UNDER_TEST } from './broker-process.ts'
import type { ServerKind } from './broker-process.ts'
import { Cluster, describeInterop } from './cluster.ts'

const SETTINGS = { recallMessageEnable: true }

let cluster: Cluster | null = null
afterEach(async () => {
  await cluster?.dispose()
  cluster = null
})

function numbersOf(messages: readonly { number: number }[]): number[] {
  return messages.map(({ number }) => number).toSorted((a, b) => a - b)
}

describeInterop("timed messages of Apache's client", () => {
  test.each(['delayMs', 'deliverInMs'])('of %s come when they are due, once', async (option) => {
    cluster = await Cluster.start({ settings: SETTINGS })
    const topic = 'Timed'
    const consumer = cluster.run('Consume', { topic, group: 'timed' })
    await consumer.until('started')
    const producer = await cluster.complete('Timed', { topic, count: 20, [option]: 3500 })
    await cluster.complete('Produce', { topic, first: 20, count: 1 })
    await consumer.untilCount('message', 21)
    await consumer.stop()
    const messages = consumer.of('message')
    expect(numbersOf(messages)).toEqual(Array.from({ length: 21 }, (_, number) => number))
    const sentAt = new Map(producer.of('sent').map(({ number, at }) => [number, Number(at)]))
    for (const { number, at } of messages.filter((message) => message.number < 20)) {
      // Whoever sent it knows when it was answered; the delay runs from a moment before.
      expect(Number(at) - sentAt.get(number)!).toBeGreaterThanOrEqual(3300)
    }
  })

  test('that are called back do not come, the others do', async () => {
    cluster = await Cluster.start({ settings: SETTINGS })
    const topic = 'Recalled'
    const consumer = cluster.run('Consume', { topic, group: 'recalled' })
    await consumer.until('started')
    const options = { topic, count: 12, deliverInMs: 6000, recallEvery: 3 }
    const producer = await cluster.complete('Timed', options)
    const recalled = producer.of('recalled')
    expect(recalled.map(({ number }) => number)).toEqual([0, 3, 6, 9])
    expect(recalled.every(({ isSame }) => isSame)).toBe(true)
    // One that is due later says that those before it are through.
    await cluster.complete('Timed', { topic, first: 20, count: 1, deliverInMs: 8000 })
    await consumer.untilCount('message', 9)
    await consumer.stop()
    expect(numbersOf(consumer.of('message'))).toEqual([1, 2, 4, 5, 7, 8, 10, 11, 20])
  })
})

async function deliverOne(from: Cluster, topic: string): Promise<void> {
  const consumer = from.run('Consume', { topic, group: 'handed' })
  await consumer.until('started')
  await from.complete('Timed', { topic, count: 1, deliverInMs: 1000 })
  await consumer.untilCount('message', 1)
  await consumer.stop()
}

describeInterop('timers in a store that the other broker takes over', () => {
  test.each<[string, ServerKind, ServerKind, 'stopBroker' | 'killBroker']>([
    ['ours, then Apache, after a stop', KIND_UNDER_TEST, 'apache', 'stopBroker'],
    ['ours, then Apache, after kill -9', KIND_UNDER_TEST, 'apache', 'killBroker'],
    ['Apache, then ours, after a stop', 'apache', KIND_UNDER_TEST, 'stopBroker'],
    ['Apache, then ours, after kill -9', 'apache', KIND_UNDER_TEST, 'killBroker'],
  ])(
    'come as they were to: %s',
    async (_, first, second, end) => {
      cluster = await Cluster.start({ kind: first, settings: SETTINGS })
      const topic = 'Handed'
      const deliverAtMs = String(Date.now() + 20_000)
      const options = { topic, first: 10, count: 9, deliverAtMs, recallEvery: 4 }
      await cluster.complete('Timed', options)
      if (end === 'stopBroker') await deliverOne(cluster, topic)
      await cluster[end]()
      await cluster.startBroker(second)
      // After kill -9 the topic may be in our journal alone, which Apache does not read: this makes it again.
      await cluster.complete('Produce', { topic, first: 40, count: 1 })
      const consumer = cluster.run('Consume', { topic, group: 'handed' })
      await consumer.until('message', ({ number }) => number === 18)
      await cluster.complete('Timed', { topic, first: 30, count: 1, deliverInMs: 1000 })
      await consumer.until('message', ({ number }) => number === 30)
      await consumer.until('message', ({ number }) => number === 40)
      await consumer.stop()
      const messages = consumer.of('message')
      // Apache takes up what came in the second of a stop, and after a kill what no check point knew of.
      const numbers = new Set(numbersOf(messages))
      numbers.delete(0)
      expect([...numbers]).toEqual([10, 11, 13, 14, 15, 17, 18, 30, 40])
      for (const { at } of messages.filter(({ number }) => number >= 10 && number < 20)) {
        expect(Number(at)).toBeGreaterThanOrEqual(Number(deliverAtMs))
      }
    },
    200_000,
  )
})
