import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectDense, expectExactlyOnce } from './checks.ts'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'

/** A held pull lasts 20 s: an answer this soon was woken by the message. */
const AT_ONCE_MS = 1000

describeInterop.each(SERIALIZE_TYPES)("Apache's client with %s headers", (serializeType) => {
  let cluster: Cluster
  let admin: JavaProgram
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
    admin = await cluster.admin()
  })
  afterAll(() => cluster?.dispose())

  test('a subscription by tag gets its tags only', async () => {
    const topic = 'Colours'
    // Aa and BB have one hash code: the client has to tell them apart.
    const tags = 'Aa,BB,red,green,'
    const producer = await cluster.complete('Produce', { topic, count: 500, tags, keys: true })
    const consumer = cluster.run('Consume', { topic, group: 'by-tag', expression: 'Aa || green' })
    await consumer.untilCount('message', 200)
    await consumer.stop()
    const wanted = producer.of('sent').filter(({ tag }) => tag === 'Aa' || tag === 'green')
    expectExactlyOnce(consumer.of('message'), wanted)

    const pull = await cluster.complete('Pull', { topic, expression: 'red' })
    expectExactlyOnce(
      pull.of('message'),
      producer.of('sent').filter(({ tag }) => tag === 'red'),
    )
  })

  test('a pull held by the broker is answered as soon as a message comes', async () => {
    const topic = 'Held'
    await admin.ask(`createTopic ${topic} 1`)
    const before = await cluster.complete('Produce', { topic, count: 100 })
    const pull = cluster.run('Pull', { topic, follow: true })
    await pull.until('waiting')
    const after = await cluster.complete('Produce', { topic, first: 100, count: 1 })
    await pull.untilCount('message', 101)
    expectExactlyOnce(pull.of('message'), [...before.of('sent'), ...after.of('sent')])
    expectAtOnce(pull, after)
    await pull.kill()
  })

  test('a lite pull consumer gets what is there, then what comes, at once', async () => {
    const topic = 'Lite'
    await admin.ask(`createTopic ${topic} 4`)
    const before = await cluster.complete('Produce', { topic, count: 1000, threads: 4 })
    const lite = cluster.run('LitePull', { topic, group: 'lite' })
    await lite.untilCount('message', 1000)
    const after = await cluster.complete('Produce', { topic, first: 1000, count: 1 })
    await lite.untilCount('message', 1001)
    await lite.stop()
    expectExactlyOnce(lite.of('message'), [...before.of('sent'), ...after.of('sent')])
    expectAtOnce(lite, after)
  })

  test('a lite pull consumer that assigns its queues itself can seek', async () => {
    const topic = 'Seek'
    await admin.ask(`createTopic ${topic} 4`)
    const producer = await cluster.complete('Produce', { topic, count: 400 })
    const wanted = producer.of('sent').filter(({ offset }) => offset >= 60)
    const lite = cluster.run('LitePull', { topic, group: 'seek', assign: true, seek: 60 })
    await lite.untilCount('message', wanted.length)
    await lite.stop()
    expectExactlyOnce(lite.of('message'), wanted)
  })

  test('the members of a batch lie next to each other in one queue', async () => {
    const topic = 'Batches'
    await admin.ask(`createTopic ${topic} 4`)
    const send = { topic, count: 1000, batch: 50, tags: 'a,b', keys: true }
    const producer = await cluster.complete('Produce', { ...send, threads: 4 })
    const pull = await cluster.complete('Pull', { topic })
    expectExactlyOnce(pull.of('message'), producer.of('sent'))
    expectDense(pull)
  })

  test('one-way messages arrive though nobody answers for them', async () => {
    const topic = 'NoAnswer'
    await admin.ask(`createTopic ${topic} 4`)
    const consumer = cluster.run('Consume', { topic, group: 'one-way' })
    await consumer.until('queues', ({ queueIds }) => queueIds.length === 4)
    const producer = await cluster.complete('Produce', { topic, count: 1000, oneway: true })
    await consumer.untilCount('message', 1000)
    await consumer.stop()
    const numbers = consumer.of('message').map(({ number }) => number)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(
      producer.of('sent').map(({ number }) => number),
    )
  })

  test('a message is found by its id', async () => {
    const send = { topic: 'SoughtById', count: 20, bodyLengths: '30,5000' }
    const [message] = (await cluster.complete('Produce', send)).of('sent').slice(7)
    const { messages } = await admin.ask(`byId ${send.topic} ${message?.offsetMessageId}`)
    expect(messages).toEqual([pick(message)])
  })

  test('a message is found by its unique key', async () => {
    const send = { topic: 'SoughtByUniqueKey', count: 20 }
    const [message] = (await cluster.complete('Produce', send)).of('sent').slice(7)
    const { messages } = await admin.ask(`byUniqueKey ${send.topic} ${message?.offsetMessageId}`)
    expect(messages).toEqual([pick(message)])
  })

  test('a message is found by each of its keys', async () => {
    const send = { topic: 'SoughtByKey', count: 20, keys: true }
    const sent = (await cluster.complete('Produce', send)).of('sent')
    const byKey = await admin.ask(`byKey ${send.topic} key-8`)
    expect(byKey.messages).toEqual([pick(sent[8])])
    const tens = await admin.ask(`byKey ${send.topic} tens-1`)
    expect(new Set(tens.messages)).toEqual(new Set(sent.slice(10).map(pick)))
  })
})

interface Place {
  queueId: number
  offset: number
  crc: number
}

function pick(message: Place | undefined): Place | undefined {
  return message && { queueId: message.queueId, offset: message.offset, crc: message.crc }
}

function expectAtOnce(consumer: JavaProgram, producer: JavaProgram): void {
  const received = consumer.of('message').at(-1)?.at ?? Infinity
  const sent = producer.of('sent').at(-1)?.at ?? 0
  expect(received - sent).toBeLessThan(AT_ONCE_MS)
}
