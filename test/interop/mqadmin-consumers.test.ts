import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Cluster, describeInterop } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'
import { apacheMqadmin, facts, ourMqadmin } from './mqadmin.ts'

const topic = 'Watched'
const group = 'watchers'

/** Both tools on one cluster, which is Apache's with RINGMQ_INTEROP_BROKER=apache. */
describeInterop("mqadmin, Apache's and ours, of consumers and groups", () => {
  let cluster: Cluster
  let consumer: JavaProgram
  beforeAll(async () => {
    cluster = await Cluster.start()
    const admin = await cluster.admin()
    await admin.ask(`createTopic ${topic} 4`)
    await cluster.complete('Produce', { topic, count: 40, tags: 'A' })
    consumer = cluster.run('Consume', { topic, group, expression: 'A || B' })
    await consumer.until('queues', ({ queueIds }) => queueIds.length === 4)
    await ourMqadmin(cluster, `updateSubGroup -c DefaultCluster -g others`)
    await ourMqadmin(cluster, `resetOffsetByTime -g others -t ${topic} -s 0`)
    await untilCommitted()
  })
  afterAll(() => cluster?.dispose())

  /** The consumer commits every 5 s; from then on nothing moves. */
  async function untilCommitted(): Promise<void> {
    const isThere = async () =>
      (await ourMqadmin(cluster, `consumerProgress -g ${group}`)).match(/Diff Total: 0/)
    await vi.waitUntil(isThere, { timeout: 60_000, interval: 1000 })
  }

  test.each([
    `consumerConnection -g ${group}`,
    `producerConnection -g CLIENT_INNER_PRODUCER -t ${topic}`,
    `consumerProgress`,
    `consumerProgress -g ${group} -s true`,
    `consumerProgress -g ${group} -t ${topic}`,
    `consumerStatus -g ${group}`,
    `getConsumerConfig -g others`,
    `updateSubGroup -c DefaultCluster -g changed -s false -m true -d true -q 2 -r 3 -i 1 -w 2 -a false`,
    `updateTopicPerm -c DefaultCluster -t ${topic} -p 6`,
    `updateOrderConf -t ${topic} -m put -v broker-a:4`,
    `updateOrderConf -t ${topic} -m get`,
    `skipAccumulatedMessage -g others -t ${topic} -f true`,
    `resetOffsetByTime -g others -t ${topic} -s 0`,
    `cloneGroupOffset -s ${group} -d others -t ${topic} -o true`,
  ])('%s prints the same facts', async (line) => {
    const ours = facts(await ourMqadmin(cluster, line))
    expect(ours).toEqual(facts(await apacheMqadmin(cluster, line)))
    expect(ours.length).toBeGreaterThan(0)
  })

  test.each(['producer', 'brokerConsumeStats'])('%s prints the same facts', async (name) => {
    const line = `${name} -b 127.0.0.1:${cluster.brokerPort}`
    expect(facts(await ourMqadmin(cluster, line))).toEqual(
      facts(await apacheMqadmin(cluster, line)),
    )
  })

  test('statsAll knows the same groups, and how far they are behind', async () => {
    const counts = (lines: string[]) => lines.map((line) => line.split(' ').slice(0, 3))
    const line = `statsAll -t ${topic}`
    const ours = counts(facts(await ourMqadmin(cluster, line))) // windows slide between the two
    expect(ours).toEqual(counts(facts(await apacheMqadmin(cluster, line))))
  })

  test("Apache's tool moves a group that is online, and it consumes anew", async () => {
    const before = consumer.of('message').length
    await apacheMqadmin(cluster, `resetOffsetByTime -g ${group} -t ${topic} -s 0`)
    await consumer.untilCount('message', before + 40)
  })
})
