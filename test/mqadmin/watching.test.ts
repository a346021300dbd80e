/** Commands that go on until they are stopped. */
import { expect, test } from 'vitest'
import { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import { UpdateConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { RegisterBroker } from '../../src/protocol/requests/registration.ts'
import { bodyOf } from '../namesrv/open-table.ts'
import { beat, subscription } from '../support/consumers.ts'
import { useCluster } from './open-cluster.ts'

const cluster = useCluster()
const SOON = { timeout: 10_000 }

/** The name server believes that a broker has the topic, but nobody listens there. */
async function unreachable(topic: string): Promise<void> {
  const { asker, address } = cluster.current.namesrv
  const body = RegisterBrokerBody.encode(bodyOf({ [topic]: {}, gone: {} }))
  const header = {
    brokerName: 'gone',
    brokerAddr: '127.0.0.1:1',
    clusterName: 'Elsewhere',
    brokerId: 0,
    haServerAddr: '',
    compressed: false,
    bodyCrc32: bodyCrc(body),
  }
  await asker.call(address, RegisterBroker, header, { body })
}

test('a group that cannot be asked is one line, and the others are watched', async () => {
  await unreachable('%RETRY%G_GONE')
  await cluster.current.topicWith('Watched', 3)
  const client = await cluster.current.client()
  await beat(client, { group: 'G_BEHIND' }, subscription('Watched'))
  await client.ask(UpdateConsumerOffset, {
    consumerGroup: 'G_BEHIND',
    topic: 'Watched',
    queueId: 0,
    commitOffset: 1,
  })
  await cluster.current.known('%RETRY%G_BEHIND')
  const { ran, stop, stopped } = cluster.current.begin('startMonitoring')
  await expect.poll(() => ran.stdout, SOON).toContain('undoneMsgsTotal=2')
  stop()
  expect(await stopped).toMatchObject({ code: 0, stderr: '' })
  const lines = ran.stdout.trimEnd().split('\n')
  expect(lines.map((line) => line.replace(/^\S+ \S+ /, ''))).toEqual([
    expect.stringMatching(/^G_GONE: .*127\.0\.0\.1:1/),
    expect.stringMatching(
      /^UndoneMsgs \[consumerGroup=G_BEHIND, topic=Watched, undoneMsgsTotal=2, undoneMsgsSingleMQ=2, undoneMsgsDelayTimeMills=\d+\]$/,
    ),
  ])
})

test('clusters are listed again until it is stopped', async () => {
  const { ran, stop, stopped } = cluster.current.begin('clusterList -i 1 -c DefaultCluster')
  await expect.poll(() => ran.stdout.split('#Cluster Name').length, SOON).toBe(3)
  stop()
  expect(await stopped).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  ['clusterList -i 2000001', '-i 2000001: it must be an integer from 1 to 2000000'],
  ['clusterRT -i 2000001', '-i 2000001: it must be an integer from 1 to 2000000'],
  ['clusterRT -a none', '-a none: it must be an integer from 1'],
  ['clusterRT -s 0', '-s 0: it must be an integer from 1 to 4194304'],
])('%s is refused before anything is printed', async (line, why) => {
  const { stop, stopped } = cluster.current.begin(`${line} -c DefaultCluster`)
  setImmediate(stop)
  expect(await stopped).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(why) })
})

test('a round that is stopped early has the mean time of what was sent', async () => {
  const sent = async () => {
    const { queues } = (await cluster.current.json('topicStatus -t broker-a')) as {
      queues: { maxOffset: number }[]
    }
    return queues.reduce((sum, { maxOffset }) => sum + maxOffset, 0)
  }
  const { stop, stopped } = cluster.current.begin(
    'clusterRT -a 1000000000 -c DefaultCluster --json',
  )
  await expect.poll(sent, SOON).toBeGreaterThan(10)
  stop()
  const { averageMs } = JSON.parse((await stopped).stdout) as { averageMs: number }
  expect(averageMs).toBeGreaterThan(0.01) // no answer comes that fast
})
