import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { KIND_UNDER_TEST } from './broker-process.ts'
import { Cluster, describeInterop } from './cluster.ts'
import { apacheMqadmin, ourMqadmin } from './mqadmin.ts'

const topic = 'Divided'

describeInterop("Apache's clients that subscribe to different things in one group", () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start()
    await (await cluster.admin()).ask(`createTopic ${topic} 4`)
  })
  afterAll(() => cluster?.dispose())

  function consume(group: string, expression: string) {
    return cluster.run('Consume', { topic, group, expression })
  }

  /** Client ids that the broker knows of a group. */
  async function connected(group: string): Promise<number> {
    const printed = await ourMqadmin(cluster, `consumerConnection -g ${group}`).catch(() => '')
    return printed.match(/JAVA/g)?.length ?? 0
  }

  test('are told of by mqadmin, and who wants what', async () => {
    const consumers = [consume('divided', 'A'), consume('divided', 'B')]
    await vi.waitUntil(async () => (await connected('divided')) === 2, 60_000)
    const printed = await ourMqadmin(cluster, 'consumerStatus -g divided')
    // Apache's tool passes over consumers that began less than two minutes ago.
    expect(printed).toContain('WARN: Different subscription in the same group of consumer!!!')
    expect(printed).toMatch(/^Divided A is wanted only by \S+$/m)
    expect(printed).toMatch(/^Divided B is wanted only by \S+$/m)
    for (const consumer of consumers) await consumer.stop()
  })

  test.runIf(KIND_UNDER_TEST === 'ringmq')(
    'are kept apart with strictSubscription, which may be set at run time',
    async () => {
      const address = `127.0.0.1:${cluster.brokerPort}`
      await apacheMqadmin(cluster, `updateBrokerConfig -b ${address} -k strictSubscription -v true`)
      const first = consume('strict', 'A')
      await vi.waitUntil(async () => (await connected('strict')) === 1, 60_000)
      const newcomer = consume('strict', 'B')
      await newcomer.until('started')
      const third = consume('strict', 'A')
      await vi.waitUntil(async () => (await connected('strict')) === 2, 60_000)
      const produced = await cluster.complete('Produce', { topic, count: 20, tags: 'A' })
      const had = () => [...first.of('message'), ...third.of('message')].length
      await vi.waitUntil(() => had() === produced.of('sent').length, 60_000)
      expect(newcomer.of('message')).toEqual([])
      for (const consumer of [first, third]) await consumer.stop()
      await newcomer.kill()
    },
  )
})
