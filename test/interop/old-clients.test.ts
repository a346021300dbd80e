import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectExactlyOnce, expectQueueOrder } from './checks.ts'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'
import type { JarSet } from './java-runtime.ts'

const CLIENTS: [JarSet, boolean][] = [
  ['client-4.4.0', true],
  ['client-4.9.8', false],
]

describeInterop.each(SERIALIZE_TYPES)('old clients with %s headers', (serializeType) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
  })
  afterAll(() => cluster?.dispose())

  // With the VIP channel a client sends everything but pulls to listenPort - 2.
  test.each(CLIENTS)(
    '%s sends and consumes a thousand messages (VIP channel: %s)',
    async (jars, vipChannel) => {
      const topic = jars.replaceAll('.', '_')
      const send = {
        topic,
        count: 1000,
        threads: 4,
        tags: 'TagA',
        keys: true,
        bodyLengths: '20,5000',
      }
      const producer = await cluster.complete('Produce', send, jars)
      expect(await producer.until('started')).toMatchObject({ vipChannel, serializeType })
      const consumer = cluster.run('Consume', { topic, group: `${topic}-group`, threads: 1 }, jars)
      await consumer.untilCount('message', 1000)
      await consumer.stop()
      expectExactlyOnce(consumer.of('message'), producer.of('sent'))
      expectQueueOrder(consumer.of('message'))
    },
  )
})
