/** The client's POP consumer against a name server and a broker in processes of their own. */
import { onTestFinished, expect, test } from 'vitest'
import { PopConsumer, type PopConsumerOptions, Producer } from '../../src/client/index.ts'
import type { PoppedMessage } from '../../src/client/index.ts'
import { ServerProcess } from '../support/broker-process.ts'
import { freePort } from '../support/free-port.ts'
import { startBroker } from '../support/started-broker.ts'

const SHORT_MS = 500

/** A topic with so many messages, and a consumer of it. */
async function withMessages(count: number, options: Partial<PopConsumerOptions> = {}) {
  const listenPort = await freePort()
  const names = await ServerProcess.startNameServer({ listenPort })
  onTestFinished(() => names.dispose())
  const nameServers = `127.0.0.1:${listenPort}`
  await startBroker({ namesrvAddr: nameServers })
  const producer = new Producer({ group: 'producers', nameServers })
  onTestFinished(() => producer.close())
  producer.start()
  const bodies = Array.from({ length: count }, (_, nth) => `m${nth}`)
  for (const body of bodies) await producer.send({ topic: 'T', body: Buffer.from(body) })
  const consumer = new PopConsumer({ group: 'consumers', nameServers, holdMs: 5000, ...options })
  onTestFinished(() => consumer.close())
  consumer.subscribe('T')
  return { consumer, bodies, producer, nameServers }
}

function textOf({ message }: PoppedMessage): string {
  return Buffer.from(message.body).toString()
}

test('what it receives is acknowledged or comes again, sooner when it says so', async () => {
  const { consumer, bodies } = await withMessages(3)
  consumer.start()
  const received: PoppedMessage[] = []
  while (received.length < 3) received.push(...(await consumer.receive('T')))
  expect(received.map(textOf).toSorted()).toEqual(bodies)
  const [first, second, third] = received
  await consumer.ack(first!)
  const changed = await consumer.changeInvisibleTime(second!, SHORT_MS)
  await consumer.ack(third!)
  await expect(consumer.ack(second!)).resolves.toBeUndefined() // the receipt before: it counts for nothing
  let again: PoppedMessage[] = []
  while (again.length === 0) again = await consumer.receive('T')
  expect(again.map(textOf)).toEqual([textOf(second!)])
  expect(again[0]!.message).toMatchObject({ topic: 'T', reconsumeTimes: 1 })
  await consumer.ack(again[0]!)
  await expect(consumer.ack(changed)).rejects.toThrow('comes again')
})

test('a listener gets each message once, and again only what it refused', async () => {
  const { consumer, bodies } = await withMessages(20)
  const got: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  consumer.start((message) => {
    got.push(Buffer.from(message.body).toString())
    if (got.length === 20) resolve()
    return 'CONSUME_SUCCESS'
  })
  await promise
  expect(got.toSorted()).toEqual(bodies.toSorted())
})

test('what the broker gave without need is acknowledged: tags of one hash', async () => {
  const invisibleMs = SHORT_MS
  const { consumer, producer, nameServers } = await withMessages(0, { invisibleMs })
  for (const tags of ['BB', 'Aa']) {
    await producer.send({ topic: 'T', tags, body: Buffer.from(tags) })
  }
  consumer.subscribe('T', 'Aa')
  consumer.start()
  let received: PoppedMessage[] = []
  while (received.length === 0) received = await consumer.receive('T')
  expect(received.map(textOf)).toEqual(['Aa'])
  await consumer.ack(received[0]!)
  const other = new PopConsumer({ group: 'consumers', nameServers, holdMs: 4 * SHORT_MS })
  onTestFinished(() => other.close())
  other.subscribe('T')
  other.start()
  expect((await other.receive('T')).map(textOf)).toEqual([])
})
