import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster, SERIALIZE_TYPES, describeInterop } from './cluster.ts'
import type { JavaProgram } from './java-program.ts'

const topic = 'Managed'

describeInterop.each(SERIALIZE_TYPES)("Apache's admin client with %s headers", (serializeType) => {
  let cluster: Cluster
  let admin: JavaProgram
  beforeAll(async () => {
    cluster = await Cluster.start({ serializeType })
    admin = await cluster.admin()
  })
  afterAll(() => cluster?.dispose())

  function place(): object {
    const addresses = { 0: `127.0.0.1:${cluster.brokerPort}` }
    return { brokerName: 'broker-a', cluster: 'DefaultCluster', addresses }
  }

  test('sees the cluster and its broker', async () => {
    const { clusters, brokers } = await admin.ask('cluster')
    expect(clusters).toEqual({ DefaultCluster: ['broker-a'] })
    expect(brokers).toEqual([place()])
  })

  test('creates a topic, which has a route at once', async () => {
    await admin.ask(`createTopic ${topic} 6`)
    const { queues, brokers } = await admin.ask(`route ${topic}`)
    const expected = { brokerName: 'broker-a', readQueues: 6, writeQueues: 6, permission: 6 }
    expect(queues).toEqual([expected])
    expect(brokers).toEqual([place()])
    expect((await admin.ask('topics')).topics).toContain(topic)
  })

  test('sees how far the queues of a topic reach', async () => {
    await cluster.complete('Produce', { topic, count: 60 })
    const reached = Object.fromEntries([0, 1, 2, 3, 4, 5].map((queueId) => [queueId, [0, 10]]))
    expect((await admin.ask(`offsets ${topic}`)).queues).toEqual(reached)
  })

  test('sees how far a group has come', async () => {
    const consumer = cluster.run('Consume', { topic, group: 'counted' })
    await consumer.untilCount('message', 60)
    await consumer.stop()
    const { queues } = await admin.ask('consumed counted')
    const consumed = [0, 1, 2, 3, 4, 5].map((queueId) => [`${topic}:${queueId}`, [10, 10]])
    expect(queues).toMatchObject(Object.fromEntries(consumed))
  })

  test('deletes a topic, which has no route then and is not listed', async () => {
    await admin.ask(`deleteTopic ${topic} DefaultCluster`)
    await expect(admin.ask(`route ${topic}`)).rejects.toThrow('No topic route info')
    expect((await admin.ask('topics')).topics).not.toContain(topic)
  })

  test('a topic created again under an old name starts empty', async () => {
    await admin.ask(`createTopic ${topic} 2`)
    await cluster.complete('Produce', { topic, count: 10 })
    expect((await admin.ask(`offsets ${topic}`)).queues).toEqual({ 0: [0, 5], 1: [0, 5] })
  })
})
