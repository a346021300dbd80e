import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Producer, PushConsumer } from '../../src/client/index.ts'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'

const REPLY_TOPIC = 'DefaultCluster_REPLY_TOPIC'
const COUNT = 50
const numbers = Array.from({ length: COUNT }, (_, number) => number)

describeInterop.each(SERIALIZE_TYPES)('request and reply with %s headers', (serializeType) => {
  let cluster: Cluster
  let admin: JavaProgram
  const open: { close: () => Promise<void> }[] = []
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
    admin = await cluster.admin()
  })
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })
  afterAll(() => cluster?.dispose())

  async function javaAnswers(topic: string, length = 0): Promise<JavaProgram> {
    await admin.ask(`createTopic ${topic} 4`)
    const replier = cluster.run('Answer', { topic, group: `of-${topic}`, length })
    await replier.until('started')
    return replier
  }

  function ourProducer(): Producer {
    const producer = new Producer({
      group: 'ours',
      nameServers: cluster.nameServer,
      serializeType,
    })
    open.push(producer)
    producer.start()
    return producer
  }

  /** Answers each message with its body and " answered". */
  async function weAnswer(topic: string): Promise<{ outcomes: Promise<unknown>[] }> {
    await admin.ask(`createTopic ${topic} 4`)
    const replier = ourProducer()
    const outcomes: Promise<unknown>[] = []
    const consumer = new PushConsumer({
      group: `of-${topic}`,
      nameServers: cluster.nameServer,
      consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
      serializeType,
    })
    open.push(consumer)
    consumer.subscribe(topic)
    consumer.start((messages) => {
      for (const message of messages) {
        const answer = `${Buffer.from(message.body).toString()} answered`
        outcomes.push(replier.reply(message, answer, { timeoutMs: 30_000 }).catch(String))
      }
    })
    return { outcomes }
  }

  function expectAnswers(asker: JavaProgram): void {
    expect(asker.of('refused')).toEqual([])
    const answers = asker.of('answered').toSorted((a, b) => a.number - b.number)
    expect(answers).toEqual(
      numbers.map((number) => ({
        event: 'answered',
        number,
        topic: REPLY_TOPIC,
        body: `${number} asked answered`,
        type: 'reply',
      })),
    )
  }

  test("Apache's client gets the answers of Apache's client, and they are stored", async () => {
    const replier = await javaAnswers('JavaJava')
    expectAnswers(await cluster.complete('Ask', { topic: 'JavaJava', count: COUNT, threads: 8 }))
    await replier.untilCount('replied', COUNT)
    await replier.stop()
    expect(replier.of('unanswered')).toEqual([])
    const offsets = replier.of('replied').map(({ offset }) => offset)
    expect(offsets.toSorted((a, b) => a - b)).toEqual(numbers)
    const stored = await cluster.complete('Pull', { topic: REPLY_TOPIC })
    expect(stored.of('message')).toHaveLength(COUNT)
  })

  test("Apache's client gets our answers", async () => {
    const { outcomes } = await weAnswer('JavaOurs')
    expectAnswers(await cluster.complete('Ask', { topic: 'JavaOurs', count: COUNT, threads: 8 }))
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome).toMatchObject({ status: 'SEND_OK', queue: { topic: REPLY_TOPIC } })
    }
  })

  test("our client gets the answers of Apache's client, long ones too", async () => {
    const replier = await javaAnswers('OursJava', 20_000)
    const asker = ourProducer()
    const answers = await Promise.all(
      numbers.map((number) =>
        asker.request({ topic: 'OursJava', body: `${number} asked` }, 30_000),
      ),
    )
    for (const [number, { body, properties }] of answers.entries()) {
      expect(Buffer.from(body).toString()).toMatch(
        new RegExp(`^${number} asked answered and again`),
      )
      expect(body.length).toBeGreaterThanOrEqual(20_000)
      expect(properties.get('MSG_TYPE')).toBe('reply')
    }
    await replier.untilCount('replied', COUNT)
    await replier.stop()
  })

  test('our client gets our answers', async () => {
    const { outcomes } = await weAnswer('OursOurs')
    const asker = ourProducer()
    const answers = await Promise.all(
      numbers.map((number) =>
        asker.request({ topic: 'OursOurs', body: `${number} asked` }, 30_000),
      ),
    )
    const bodies = answers.map(({ body }) => Buffer.from(body).toString())
    expect(bodies).toEqual(numbers.map((number) => `${number} asked answered`))
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome).toMatchObject({ status: 'SEND_OK' })
    }
  })

  test('who answers a client that is gone is told so', async () => {
    await admin.ask('createTopic Gone 1')
    const asker = await cluster.complete('Ask', { topic: 'Gone', count: 1, timeoutMs: 5000 })
    const [refused] = asker.of('refused')
    expect(refused!.reason).toContain('request timeout, no reply message')
    const replier = cluster.run('Answer', { topic: 'Gone', group: 'of-Gone' })
    const { reason } = await replier.until('unanswered')
    expect(reason).toMatch(/CODE: 1 {2}DESC: push reply message fail, channel of <.*> not found\./)
    await replier.stop()
  })
})

describeInterop("request and reply of Apache's clients of 4.9.8", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start()
  })
  afterAll(() => cluster?.dispose())

  test('work', async () => {
    const topic = 'Old'
    const admin = await cluster.admin()
    await admin.ask(`createTopic ${topic} 4`)
    const replier = cluster.run('Answer', { topic, group: 'g' }, 'client-4.9.8')
    await replier.until('started')
    const asker = await cluster.complete('Ask', { topic, count: COUNT, threads: 8 }, 'client-4.9.8')
    expect(asker.of('answered').map(({ body }) => body)).toHaveLength(COUNT)
    await replier.stop()
  })
})
