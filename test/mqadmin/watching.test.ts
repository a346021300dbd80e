/** Commands that go on until they are stopped. */
import { expect, onTestFinished, test } from 'vitest'
import { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import { encodeCommand, responseTo } from '../../src/protocol/remoting-command.ts'
import { GetConsumerRunningInfo } from '../../src/protocol/requests/client.ts'
import { UpdateConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { RegisterBroker } from '../../src/protocol/requests/registration.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { FakeCluster } from '../client/fake-cluster.ts'
import { bodyOf } from '../namesrv/open-table.ts'
import { beat, subscription } from '../support/consumers.ts'
import type { RawClient } from '../support/raw-client.ts'
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
  await tellOf(client) // it is asked how it is
  await expect.poll(() => ran.stdout, SOON).toContain('endRound')
  stop()
  expect(await stopped).toMatchObject({ code: 0, stderr: '' })
  const lines = ran.stdout.trimEnd().split('\n')
  const notify = '[MONITOR]  [NOTIFY] reportConsumerRunningInfo: ConsumerGroup: G_BEHIND'
  const queue = 'MessageQueue [topic=Watched, brokerName=broker-a, queueId=0]'
  expect(lines.map((line) => line.replace(/^\S+ \S+ /, ''))).toEqual([
    '[MONITOR] =========================================beginRound',
    expect.stringMatching(/^\[MONITOR\] G_GONE: .*127\.0\.0\.1:1/),
    expect.stringMatching(
      /^\[MONITOR\] reportUndoneMsgs: UndoneMsgs \[consumerGroup=G_BEHIND, topic=Watched, undoneMsgsTotal=2, undoneMsgsSingleMQ=2, undoneMsgsDelayTimeMills=\d+\]$/,
    ),
    '[MONITOR] reportFailedMsgs: FailedMsgs [consumerGroup=G_BEHIND, topic=Watched, failedMsgsTotalRecently=7]',
    expect.stringMatching(
      `^${RegExp.escape(`${notify}, ClientId: client-1, client-1 ${queue} can't consume for a while, maybe blocked, `)}\\d+ms$`,
    ),
    '[MONITOR] =========================================endRound',
  ])
})

/** Answers for a consumer that failed seven times, and has a message at hand that it does not consume. */
async function tellOf(client: RawClient): Promise<void> {
  const find = () => client.received.find(({ code }) => code === GetConsumerRunningInfo.code)
  await expect.poll(find, SOON).toBeDefined()
  const body = Buffer.from(
    JSON.stringify({
      mqTable: {},
      properties: { PROP_CONSUME_TYPE: 'CONSUME_PASSIVELY', PROP_CONSUMEORDERLY: 'false' },
      statusTable: { Watched: { consumeFailedMsgs: 7 } },
      subscriptionSet: [],
    }).replace(
      '"mqTable":{}',
      '"mqTable":{{"brokerName":"broker-a","queueId":0,"topic":"Watched"}:{"cachedMsgCount":1,"lastConsumeTimestamp":1}}',
    ),
  )
  client.write(encodeCommand(responseTo(find()!, ResponseCode.SUCCESS, null, null, body)))
}

test('an event of an old broker, that messages were deleted before they were consumed, is told', async () => {
  const fake = await FakeCluster.start()
  onTestFinished(() => fake.close())
  fake.topics.set('OFFSET_MOVED_EVENT', 1).set('%RETRY%__MONITOR_CONSUMER', 1)
  fake.committed.set('OFFSET_MOVED_EVENT/0', 0)
  const messageQueue = { brokerName: 'broker-a', queueId: 3, topic: 'Orders' }
  const event = { consumerGroup: 'slow', messageQueue, offsetNew: 100, offsetRequest: 7 }
  fake.append('OFFSET_MOVED_EVENT', 0, 'nonsense')
  fake.append('OFFSET_MOVED_EVENT', 0, JSON.stringify(event))
  const { ran, stop, stopped } = cluster.current.begin(`startMonitoring -n ${fake.address}`)
  await expect.poll(() => ran.stdout, SOON).toContain('reportDeleteMsgsEvent')
  stop()
  expect((await stopped).code).toBe(0)
  expect(ran.stdout).toMatch(/ \[MONITOR\] OFFSET_MOVED_EVENT: message \S+ is no event\n/)
  expect(ran.stdout).toContain(
    '[MONITOR] reportDeleteMsgsEvent: DeleteMsgsEvent [offsetMovedEvent=OffsetMovedEvent [consumerGroup=slow, messageQueue=MessageQueue [topic=Orders, brokerName=broker-a, queueId=3], offsetRequest=7, offsetNew=100], eventTimestamp=',
  )
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
