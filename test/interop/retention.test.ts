import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster, describeInterop } from './cluster.ts'

const TOPIC = 'Kept'
const EVERY_HOUR = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';')
/** Everything but the file that is written goes; Apache's broker begins with that after a minute. */
const SETTINGS = {
  mappedFileSizeCommitLog: 1024 * 1024,
  fileReservedTime: 0,
  deleteWhen: EVERY_HOUR,
  cleanResourceInterval: 1000,
  maxMessageSize: 65_536,
}

describeInterop('where old messages were deleted', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: SETTINGS })
    const admin = await cluster.admin()
    await admin.ask(`createTopic ${TOPIC} 1`)
  })
  afterAll(() => cluster?.dispose())

  /** Offsets of the queue's first message and behind its last one, once nothing more goes. */
  async function untilDeleted(above: number): Promise<{ min: number; max: number }> {
    for (let last = -1; ;) {
      const pull = await cluster.complete('Pull', { topic: TOPIC })
      const { minOffset: min, maxOffset: max } = pull.of('queue')[0]!
      const offsets = pull.of('message').map(({ offset }) => offset)
      if (min > above && min === last && offsets.length === max - min) return { min, max }
      last = min
    }
  }

  test('a consumer whose offset is gone goes on at the first message there is', async () => {
    const group = 'late'
    const sizes = { topic: TOPIC, bodyLengths: '4000' }
    await cluster.complete('Produce', { ...sizes, count: 200 })
    const before = cluster.run('Consume', { topic: TOPIC, group })
    await before.untilCount('message', 200)
    await before.stop()
    await cluster.complete('Produce', { ...sizes, first: 200, count: 2000, threads: 4 })
    const { min, max } = await untilDeleted(200)
    const consumer = cluster.run('Consume', { topic: TOPIC, group })
    await consumer.untilCount('message', max - min)
    await consumer.stop()
    const offsets = new Set(consumer.of('message').map(({ offset }) => offset))
    expect([...offsets].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: max - min }, (_, nth) => min + nth),
    )
  })

  test("either broker finds the same in the other's store", async () => {
    const before = await untilDeleted(200)
    for (const kind of ['apache', 'ringmq'] as const) {
      await cluster.stopBroker()
      await cluster.startBroker(kind)
      const pull = await cluster.complete('Pull', { topic: TOPIC })
      const { minOffset, maxOffset } = pull.of('queue')[0]!
      expect({ kind, min: minOffset, max: maxOffset }).toEqual({ kind, ...before })
      expect(pull.of('message').length).toBe(before.max - before.min)
    }
  })
})
