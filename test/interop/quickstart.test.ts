import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectExactlyOnce, expectQueueOrder } from './checks.ts'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'

describeInterop.each(SERIALIZE_TYPES)('quickstart with %s headers', (serializeType) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
  })
  afterAll(() => cluster?.dispose())

  test('a thousand messages reach a push consumer once each, in queue order', async () => {
    const topic = 'TopicTest'
    const producer = await cluster.complete('Produce', {
      topic,
      count: 1000,
      tags: 'TagA',
      keys: true,
    })
    const consumer = cluster.run('Consume', { topic, group: 'quickstart', threads: 1 })
    expect((await consumer.until('started')).serializeType).toBe(serializeType)
    await consumer.untilCount('message', 1000)
    await consumer.stop()
    expectExactlyOnce(consumer.of('message'), producer.of('sent'))
    expectQueueOrder(consumer.of('message'))
  })

  test('a hundred thousand from 64 threads, consumed meanwhile, arrive once each, in queue order', async () => {
    const topic = 'Crowd'
    const admin = await cluster.admin()
    await admin.ask(`createTopic ${topic} 8`)
    const consumer = cluster.run('Consume', { topic, group: 'crowd', orderly: true })
    const producer = await cluster.complete('Produce', { topic, count: 100_000, threads: 64 })
    await consumer.untilCount('message', 100_000)
    await consumer.stop()
    expectExactlyOnce(consumer.of('message'), producer.of('sent'))
    expectQueueOrder(consumer.of('message'))
  })
})
