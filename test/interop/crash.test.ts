import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectDense, expectNoRepeats, expectNothingLost } from './checks.ts'
import { Cluster, describeInterop } from './cluster.ts'
import type { SerializeType } from './client-program.ts'

const MODES: [SerializeType, string][] = [
  ['JSON', 'ASYNC_FLUSH'],
  ['ROCKETMQ', 'SYNC_FLUSH'],
]

describeInterop.each(MODES)(
  'kill -9 of the broker, %s headers, %s',
  (serializeType, flushDiskType) => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await Cluster.start({ serializeType, settings: { flushDiskType } })
    })
    afterAll(() => cluster?.dispose())

    test('under load loses nothing it has answered for, and offsets stay dense', async () => {
      const topic = 'Survivors'
      const load = { topic, threads: 16, keepGoing: true, timeoutMs: 3000, tags: 'a,b', keys: true }
      const producer = cluster.run('Produce', { ...load, bodyLengths: '20,300,5000' })
      for (const wanted of [3000, 6000]) {
        await producer.untilCount('sent', wanted)
        await cluster.killBroker()
        await producer.untilCount('refused', producer.of('refused').length + 1)
        await cluster.startBroker()
        await producer.untilCount('sent', producer.of('sent').length + 1000)
      }
      await producer.stop()

      const pull = await cluster.complete('Pull', { topic })
      expect(producer.of('refused').length).toBeGreaterThan(0)
      expectNothingLost(pull.of('message'), producer.of('sent'))
      expectDense(pull)
      expectNoRepeats(pull.of('message'))
    })
  },
)
