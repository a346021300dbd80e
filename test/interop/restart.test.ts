import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectExactlyOnce } from './checks.ts'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'
import type { Sent } from './client-program.ts'

const topic = 'Later'
const group = 'late-comers'

describeInterop.each(SERIALIZE_TYPES)('a consumer with %s headers', (serializeType) => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
  })
  afterAll(() => cluster?.dispose())

  test('gets what was sent while it was away', async () => {
    await consumeExactly(await send(0, 500))
    await consumeExactly(await send(500, 500))
  })

  test('goes on where it was after a clean restart of the broker', async () => {
    const sent = await send(1000, 500)
    expect(await cluster.stopBroker()).toBe(143) // Java's code for SIGTERM
    await cluster.startBroker()
    await consumeExactly(sent)
  })

  async function send(first: number, count: number): Promise<Sent[]> {
    const producer = await cluster.complete('Produce', { topic, first, count })
    return producer.of('sent')
  }

  /** Starts the consumer, takes these messages and no others, stops it: its offsets are committed then. */
  async function consumeExactly(sent: Sent[]): Promise<void> {
    const consumer = cluster.run('Consume', { topic, group })
    await consumer.untilCount('message', sent.length)
    await consumer.stop()
    expectExactlyOnce(consumer.of('message'), sent)
  }
})
