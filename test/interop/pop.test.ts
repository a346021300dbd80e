/** POP through Apache's Java client: the broker shares queues out, and messages are acknowledged one by one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster, describeInterop } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'

/** The shortest that Apache's client takes. */
const INVISIBLE_MS = 5000
/** Apache's broker takes a while to stop and to start, twice. */
const TAKE_OVER_MS = 300_000

// Its code for POP does not fit into binary headers: with those it gets no answer from an Apache broker.
describeInterop("Apache's client that consumes by POP", () => {
  let cluster: Cluster
  let admin: JavaProgram
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType: 'JSON' })
    admin = await cluster.admin()
  })
  afterAll(() => cluster?.dispose())

  /** A topic that the group is to consume by POP. */
  async function setUp(topic: string, share = 0): Promise<{ topic: string; group: string }> {
    const broker = `127.0.0.1:${cluster.brokerPort}`
    const group = `by-pop-${topic}`
    await admin.ask(`createTopic ${topic} 4`)
    await admin.ask(`createGroup ${group} ${broker}`)
    await admin.ask(`mode ${topic} ${group} POP ${share} ${broker}`)
    return { topic, group }
  }

  async function consume(settings: { topic: string; group: string }, options = {}) {
    const consumer = cluster.run('ConsumeByPop', { ...settings, ...options })
    await consumer.until('started')
    return consumer
  }

  test('gets each message once, from all queues at once', async () => {
    const settings = await setUp('Once')
    const consumer = await consume(settings)
    await consumer.untilNow('queues', ({ queueIds }) => queueIds.includes(-1))
    await cluster.complete('Produce', { topic: settings.topic, count: 500 })
    await consumer.untilCount('message', 500)
    await consumer.stop()
    expect(numbersOf(consumer)).toEqual(upTo(500))
    expect(consumer.of('message').every(({ attempt }) => attempt === 0)).toBe(true)
    const { queues } = await admin.ask(`consumed ${settings.group}`)
    expect(behind(queues as Record<string, [number, number]>, settings.topic)).toBe(0)
  })

  test('shares them with the other clients of its group', async () => {
    const settings = await setUp('Shared', 1)
    // What a client has when its queues change goes back, and comes again.
    const options = { invisible: INVISIBLE_MS }
    const consumers = await Promise.all([0, 1, 2].map(() => consume(settings, options)))
    // Each has its own queues and those of its neighbour.
    for (const each of consumers) {
      await each.untilNow('queues', ({ queueIds }) => queueIds.length >= 2 && queueIds.length < 4)
    }
    await cluster.complete('Produce', { topic: settings.topic, count: 300 })
    const numbers = () => new Set(consumers.flatMap(numbersOf))
    while (numbers().size < 300) {
      const next = consumers.map((each) =>
        each.untilCount('message', each.of('message').length + 1),
      )
      await Promise.race(next)
    }
    for (const each of consumers) await each.stop()
    const owners = consumers.filter((each) => each.of('message').length > 0)
    expect(owners.length).toBeGreaterThan(1)
  })

  test('gets again what it refused, with the count of its tries', async () => {
    const settings = await setUp('Refused')
    const consumer = await consume(settings, { failures: 1 })
    await cluster.complete('Produce', { topic: settings.topic, count: 5 })
    await consumer.untilCount('message', 10)
    await consumer.stop()
    for (const attempt of [0, 1]) {
      const messages = consumer.of('message').filter((message) => message.attempt === attempt)
      const numbers = messages.map(({ number }) => Number(number))
      expect(numbers.toSorted((one, other) => one - other)).toEqual(upTo(5))
    }
  })

  test('loses nothing when a client or the broker is killed, and gets nothing that it acknowledged', async () => {
    const settings = await setUp('Killed')
    await cluster.complete('Produce', { topic: settings.topic, count: 200 })
    const first = await consume(settings, { invisible: INVISIBLE_MS })
    await first.untilCount('message', 200)
    await first.stop() // it waits until its acks have left
    await cluster.complete('Produce', { topic: settings.topic, first: 200, count: 50 })
    const hanging = await consume(settings, { invisible: INVISIBLE_MS, hang: true })
    await hanging.untilCount('message', 4) // as many as it has threads
    await hanging.kill()
    await cluster.killBroker()
    await cluster.startBroker()
    const last = await consume(settings, { invisible: INVISIBLE_MS })
    await last.untilCount('message', 50)
    await last.stop()
    expect(new Set(numbersOf(last))).toEqual(new Set(upTo(250).slice(200)))
  })

  test(
    'gets from an Apache broker that takes the store over what it did not acknowledge, and only that',
    { timeout: TAKE_OVER_MS },
    async () => {
      const settings = await setUp('TakenOver')
      const options = { invisible: INVISIBLE_MS }
      const first = await consume(settings, options)
      await cluster.complete('Produce', { topic: settings.topic, count: 40 })
      await first.untilCount('message', 40)
      await first.stop()
      const hanging = await consume(settings, { ...options, hang: true })
      await cluster.complete('Produce', { topic: settings.topic, first: 40, count: 20 })
      await hanging.untilCount('message', 4)
      await hanging.kill()
      await cluster.stopBroker()
      await cluster.startBroker('apache')
      const last = await consume(settings, options)
      await last.untilCount('message', 20)
      await last.stop()
      expect(new Set(numbersOf(last))).toEqual(new Set(upTo(60).slice(40)))
      await cluster.stopBroker()
      await cluster.startBroker()
    },
  )
})

function numbersOf(consumer: JavaProgram): number[] {
  return consumer
    .of('message')
    .map(({ number }) => Number(number))
    .toSorted((one, other) => one - other)
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number)
}

function behind(queues: Record<string, [number, number]>, topic: string): number {
  return Object.entries(queues)
    .filter(([queue]) => queue.startsWith(`${topic}:`))
    .reduce((sum, [, [committed, max]]) => sum + max - committed, 0)
}
