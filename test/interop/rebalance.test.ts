import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNothingLost } from './checks.ts'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'

const TOPIC = 'Shared'
const GROUP = 'sharers'

describeInterop.each(SERIALIZE_TYPES)('consumers of one group with %s headers', (serializeType) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
    const admin = await cluster.admin()
    await admin.ask(`createTopic ${TOPIC} 8`)
  })
  afterAll(() => cluster?.dispose())

  test('share the queues anew when one joins, leaves or dies, and lose nothing', async () => {
    const producer = cluster.run('Produce', { topic: TOPIC, rate: 200 })
    const first = await joinGroup()
    await untilOwned(first, 8)

    const second = await joinGroup()
    await untilShared(first, second)
    await second.stop()
    await untilOwned(first, 8)

    const third = await joinGroup()
    await untilShared(first, third)
    await third.kill()
    await untilOwned(first, 8)

    await producer.stop()
    const consumers = [first, second, third]
    await untilAllConsumed(producer, consumers)
    await first.stop()
    for (const consumer of consumers) expect(consumer.of('message').length).toBeGreaterThan(0)
    expectNothingLost(
      consumers.flatMap((consumer) => consumer.of('message')),
      producer.of('sent'),
    )
  })

  async function joinGroup(): Promise<JavaProgram> {
    const consumer = cluster.run('Consume', { topic: TOPIC, group: GROUP })
    await consumer.until('started')
    return consumer
  }
})

/** The broker tells a group's members of a change at once: clients alone would look every 20 s. */
async function untilOwned(consumer: JavaProgram, count: number): Promise<void> {
  await consumer.untilNow('queues', ({ queueIds }) => queueIds.length === count, 10_000)
}

/** Four queues each, none twice, and both receive. */
async function untilShared(one: JavaProgram, other: JavaProgram): Promise<void> {
  await Promise.all([untilOwned(one, 4), untilOwned(other, 4)])
  const owned = [one, other].flatMap((consumer) => consumer.of('queues').at(-1)?.queueIds ?? [])
  expect(owned.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  await Promise.all([one, other].map(untilNextMessage))
}

async function untilNextMessage(consumer: JavaProgram): Promise<void> {
  await consumer.untilCount('message', consumer.of('message').length + 1)
}

async function untilAllConsumed(producer: JavaProgram, consumers: JavaProgram[]): Promise<void> {
  const [first, ...gone] = consumers
  const missing = new Set(producer.of('sent').map(({ number }) => number))
  for (const consumer of gone)
    for (const { number } of consumer.of('message')) missing.delete(number)
  const isLast = ({ number }: { number: number }): boolean =>
    missing.delete(number) && missing.size === 0
  await first?.until('message', isLast)
}
