import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Producer, PushConsumer } from '../../src/client/index.ts'
import { Cluster, describeInterop } from './cluster.ts'
import { apacheMqadmin, facts, ourMqadmin } from './mqadmin.ts'

/** Who sends and consumes, whose tools look: all see the same. */
describeInterop("traces of Apache's clients and ours", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ settings: { traceTopicEnable: true } })
    const admin = await cluster.admin()
    for (const topic of ['JavaTraced', 'OursTraced', 'ToolsTraced']) {
      await admin.ask(`createTopic ${topic} 1`)
    }
  })
  afterAll(() => cluster?.dispose())

  /** What both tools print of a message, once both kinds of traces are there. */
  async function seen(id: string, consumer: string | null): Promise<string[]> {
    const line = `queryMsgTraceById -i ${id}`
    const isThere = async () => {
      const printed = await ourMqadmin(cluster, line).catch(() => '')
      return printed.includes('Pub') && (consumer === null || printed.includes(consumer))
    }
    await vi.waitUntil(isThere, { timeout: 60_000, interval: 1000 })
    const ours = withoutCosts(await ourMqadmin(cluster, line))
    expect(facts(withoutCosts(await apacheMqadmin(cluster, line)))).toEqual(facts(ours))
    return facts(ours)
  }

  test("Apache's producer and consumer are found by both tools", async () => {
    const topic = 'JavaTraced'
    const produced = await cluster.complete('Produce', { topic, count: 3, trace: true, keys: true })
    const consumer = cluster.run('Consume', { topic, group: 'java-traced', trace: true })
    await consumer.untilCount('message', 3)
    await consumer.stop()
    const [{ id } = { id: '' }] = produced.of('traced')
    expect(await seen(id, 'java-traced')).toEqual([
      '#Type #ConsumerGroup #ClientHost #ConsumerTime #CostTimes #Status',
      '#Type #ProducerGroup #ClientHost #SendTime #CostTimes #Status',
      'Pub interop-producers 127.0.0.1 TIME COST success',
      'Sub java-traced 127.0.0.1 TIME COST success',
    ])
  })

  test('our producer and consumer are found by both tools, a failure as such', async () => {
    const topic = 'OursTraced'
    const options = { nameServers: cluster.nameServer, trace: true }
    const producer = new Producer({ ...options, group: 'our-producers' })
    producer.start()
    const { msgId } = await producer.send({ topic, body: 'x', keys: 'k1 k2', tags: 'red' })
    await producer.close()
    const consumer = new PushConsumer({
      ...options,
      group: 'ours-traced',
      consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    })
    consumer.subscribe(topic)
    const consumed = Promise.withResolvers<void>()
    consumer.start(() => {
      consumed.resolve()
      return 'RECONSUME_LATER'
    })
    await consumed.promise
    await consumer.close()
    expect(await seen(msgId, 'ours-traced')).toEqual([
      '#Type #ConsumerGroup #ClientHost #ConsumerTime #CostTimes #Status',
      '#Type #ProducerGroup #ClientHost #SendTime #CostTimes #Status',
      'Pub our-producers 127.0.0.1 TIME COST success',
      'Sub ours-traced 127.0.0.1 TIME COST failed',
    ])
    const byKey = await ourMqadmin(cluster, 'queryMsgByKey -t RMQ_SYS_TRACE_TOPIC -k k2')
    expect(byKey).toMatch(/^[\dA-F]{32}/m)
  })

  test.each([
    ['ours', ourMqadmin],
    ["Apache's", apacheMqadmin],
  ] as const)('sendMessage -m true of %s sends a trace', async (_, mqadmin) => {
    const printed = await mqadmin(cluster, 'sendMessage -t ToolsTraced -p x -m true')
    const [id] = /[\dA-F]{32,}/.exec(printed)!
    const lines = await seen(id, null)
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^Pub TIME 127\.0\.0\.1 TIME COST success$/)
  })
})

function withoutCosts(printed: string): string {
  return printed.replaceAll(/\b\d+ms\b/g, 'COST')
}
