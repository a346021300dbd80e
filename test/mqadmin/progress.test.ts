import { expect, onTestFinished, test } from 'vitest'
import { PushConsumer } from '../../src/client/index.ts'
import { ConsumerRunningInfo, ConsumerStatus } from '../../src/protocol/bodies/running-info.ts'
import { encodeCommand, responseTo } from '../../src/protocol/remoting-command.ts'
import {
  GetConsumerRunningInfo,
  InvokeBrokerToGetConsumerStatus,
} from '../../src/protocol/requests/client.ts'
import { UpdateConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { PullFlag, PullMessage } from '../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { beat, subscription } from '../support/consumers.ts'
import { pullHeader } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { useCluster } from './open-cluster.ts'

const cluster = useCluster()
const mqadmin = (line: string) => cluster.current.mqadmin(line)

/** A consumer of a topic with 10 messages, of which it has consumed 4. */
async function consumerOf(topic: string, group: string): Promise<RawClient> {
  await cluster.current.topicWith(topic, 10)
  const client = await cluster.current.client()
  await beat(client, { clientID: `${group}@1`, group }, subscription(topic))
  await commit(client, topic, group, 4)
  await cluster.current.known(`%RETRY%${group}`)
  return client
}

function commit(client: RawClient, topic: string, consumerGroup: string, commitOffset: number) {
  return client.ask(UpdateConsumerOffset, { consumerGroup, topic, queueId: 0, commitOffset })
}

/** Of the first queue: where the group is. */
async function offsetOf(topic: string, group: string): Promise<number> {
  const line = `consumerProgress -g ${group} -t ${topic}`
  const { queues } = (await cluster.current.json(line)) as { queues: { consumerOffset: number }[] }
  return queues[0]!.consumerOffset
}

function held(topic: string, consumerGroup: string, queueOffset: number) {
  const sysFlag = PullFlag.SUBSCRIPTION | PullFlag.SUSPEND
  const more = { queueOffset, sysFlag, suspendTimeoutMillis: 60_000 }
  return pullHeader(topic, { consumerGroup, ...more })
}

test('progress is shown by queue, and for all groups', async () => {
  await consumerOf('T1', 'G1')
  const one = (await mqadmin('consumerProgress -g G1 -t T1')).stdout.split('\n')
  expect(one[0]).toBe(
    '#Topic                                                            #Broker Name                      #QID  #Broker Offset        #Consumer Offset      #Diff                #Inflight           #LastTime',
  )
  expect(one[1]).toMatch(/^T1 +broker-a +0 +10 +4 +6 +0 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  expect(one.slice(2)).toEqual([
    '',
    'Consume TPS: 0.00',
    'Consume Diff Total: 6',
    'Consume Inflight Total: 0',
    '',
  ])
  const all = (await mqadmin('consumerProgress')).stdout
  expect(all).toMatch(/^G1 +1 +V5_3_3 +PUSH +CLUSTERING +0 +6$/m)
  const broker = await mqadmin(`brokerConsumeStats -b ${cluster.current.brokerAddress} -l 6`)
  expect(broker.stdout).toMatch(/^T1 +G1 +broker-a +0 +10 +4 +6 +\d{4}/m)
  const stats = await mqadmin('statsAll -t T1')
  expect(stats.stdout).toMatch(/^T1 +G1 +6 /m)
})

test('a dry run changes nothing; a reset is heard by a consumer that waits for messages', async () => {
  const client = await consumerOf('T2', 'G2')
  const dry = await mqadmin('resetOffsetByTime -g G2 -t T2 -s 0 --dry-run')
  expect(dry.stdout).toMatch(/^broker-a +0 +10 +4 +0 +0 +$/m)
  expect(dry.stdout).toContain('nothing was changed')
  expect(await offsetOf('T2', 'G2')).toBe(4)

  const waiting = client.ask(PullMessage, held('T2', 'G2', 10))
  const reset = await mqadmin('resetOffsetByTime -g G2 -t T2 -s 0')
  expect(reset.stdout.split('\n').slice(1)).toEqual([
    '#brokerName                               #queueId                                  #offset                                 ',
    'broker-a                                  0                                         0                                       ',
    '',
  ])
  await waiting // ends, although no message came
  await commit(client, 'T2', 'G2', 10) // it does not know yet: this does not count
  expect(await offsetOf('T2', 'G2')).toBe(0)
  const told = await client.ask(PullMessage, held('T2', 'G2', 10))
  expect(told.code).toBe(ResponseCode.PULL_OFFSET_MOVED)
  expect(told.reply).toMatchObject({ nextBeginOffset: 0 })
  const next = await client.ask(PullMessage, held('T2', 'G2', 0))
  expect(next.code).toBe(ResponseCode.SUCCESS)
})

test('an offline group is moved to an offset, to the end, or to where another is', async () => {
  const client = await consumerOf('T3', 'G3')
  client.close()
  await mqadmin('updateSubGroup -c DefaultCluster -g G4')
  expect((await mqadmin('cloneGroupOffset -s G3 -d G4 -t T3')).stdout).toBe(
    'clone group offset success. srcGroup[G3], destGroup=[G4], topic[T3]\n',
  )
  const { brokerAddress } = cluster.current
  const one = await mqadmin(`resetOffsetByTime -g G3 -t T3 -s -1 -b ${brokerAddress} -q 0 -o 0`)
  expect(one.stdout).toMatch(/\nreset consumer offset to 0\n$/)
  expect(await offsetOf('T3', 'G3')).toBe(0)
  await mqadmin('skipAccumulatedMessage -g G3 -t T3')
  expect(await offsetOf('T3', 'G3')).toBe(10)
})

test.each([
  ['resetOffsetByTime -g G5 -t T1 -s yesterday', 'it must be ms since 1970'],
  ['resetOffsetByTime -g G5 -t T1 -s 0 -q 0', '-b and -q go together'],
  ['resetOffsetByTime -g G5 -t T1 -s 0 -o 0', '-o needs -b and -q'],
  ['resetOffsetByTime -g G5 -t T1 -s 0', 'Group G5 does not exist'],
  ['resetOffsetByTime -g G5 -t NO -s 0', 'CODE: 17'],
  ['cloneGroupOffset -s G1 -d G5 -t T1', 'Group G5 not exist'],
  ['consumerStatus -g G5', 'no consumer of group G5 was ever there'],
  ['producerConnection -g G5 -t T1', 'the producer group[G5] not exist'],
])('%s is refused', async (line, why) => {
  await cluster.current.topicWith('T1', 0)
  const { code, stderr } = await mqadmin(line)
  expect(code).toBe(1)
  expect(stderr).toContain(why)
})

test('a consumer is asked for its state, through the broker', async () => {
  const client = await consumerOf('T6', 'G6')
  const queue = { brokerName: 'broker-a', queueId: 0, topic: 'T6' }
  const asked = mqadmin('consumerStatus -g G6 -i G6@1 -s')
  const request = await requestTo(client)
  expect(GetConsumerRunningInfo.decodeHeader(request.extFields)).toEqual({
    consumerGroup: 'G6',
    clientId: 'G6@1',
    jstackEnable: true,
  })
  const info = ConsumerRunningInfo.read(new Map([['jstack', 'stacks']]))
  info.properties.set('language', 'JAVA')
  const known = ConsumerRunningInfo.decode(
    Buffer.from(`{"mqTable":{${JSON.stringify(queue)}:{"commitOffset":4}}}`),
  )
  const body = ConsumerRunningInfo.encode({ ...info, mqTable: known.mqTable })
  client.write(encodeCommand(responseTo(request, ResponseCode.SUCCESS, null, null, body)))
  const { stdout } = await asked
  expect(stdout).toMatch(
    /^#Consumer Properties#\nlanguage {32}: JAVA\n\n\n#Consumer Subscription#\n/,
  )
  expect(stdout).toMatch(/^T6 +broker-a +0 +4 +$/m)
  expect(stdout).toContain('ProcessQueueInfo [commitOffset=4, cachedMsgMinOffset=0,')
  expect(stdout).toMatch(/#Consumer jstack#\nstacks\n$/)
})

test('a consumer of ours says how it is, where it is, and goes where it is sent', async () => {
  await cluster.current.topicWith('T7', 5)
  const had: number[] = []
  const consumer = new PushConsumer({
    group: 'G7',
    nameServers: cluster.current.namesrv.address,
    consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
  })
  onTestFinished(() => consumer.close())
  consumer.subscribe('T7', 'A || B')
  consumer.subscribe('T7')
  consumer.start((messages) => void had.push(...messages.map(({ queueOffset }) => queueOffset)))
  await expect.poll(() => had.length).toBe(5)
  await cluster.current.known('%RETRY%G7')
  const line = 'consumerConnection -g G7'
  const { connectionSet } = (await cluster.current.json(line)) as {
    connectionSet: { clientId: string; language: string }[]
  }
  expect(connectionSet).toMatchObject([{ language: 'NODE_JS' }])
  const { stdout } = await mqadmin(`consumerStatus -g G7 -i ${connectionSet[0]!.clientId}`)
  expect(stdout).toMatch(/^PROP_CONSUME_TYPE +: CONSUME_PASSIVELY$/m)
  expect(stdout).toMatch(/^T7 +broker-a +0 +5 +$/m)
  expect(stdout).toMatch(/Topic: T7 +ClassFilter: false +SubExpression: \*$/m)
  const admin = await cluster.current.client()
  const asked = { topic: 'T7', group: 'G7' }
  const status = await admin.ask(InvokeBrokerToGetConsumerStatus, asked)
  expect([...ConsumerStatus.decode(status.body).consumerTable.values()]).toEqual([
    [[{ brokerName: 'broker-a', queueId: 0, topic: 'T7' }, 5]],
  ])
  await mqadmin('resetOffsetByTime -g G7 -t T7 -s 0')
  await expect.poll(() => had.length).toBe(10)
  expect(had.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
})

async function requestTo(client: RawClient) {
  const find = () => client.received.find(({ code }) => code === GetConsumerRunningInfo.code)
  await expect.poll(find).toBeDefined()
  return find()!
}

test('consumers of a group that subscribe to different things are told of, and who wants what', async () => {
  await cluster.current.topicWith('T8', 0)
  const clients = ['A', '*', '*'].map((filter, nth) => {
    const consumer = new PushConsumer({
      group: 'G8',
      nameServers: cluster.current.namesrv.address,
      instanceName: `nth-${nth}`,
    })
    onTestFinished(() => consumer.close())
    consumer.subscribe('T8', filter)
    consumer.start(() => undefined)
    return consumer
  })
  await cluster.current.known('%RETRY%G8')
  const status = () =>
    cluster.current.json('consumerStatus -g G8') as Promise<{
      clients: Record<string, unknown>
      isSameSubscription: boolean
      differences: { wants: string; clients: string[] }[]
    }>
  await expect.poll(async () => Object.keys((await status()).clients).length).toBe(clients.length)
  const { isSameSubscription, differences } = await status()
  expect(isSameSubscription).toBe(false)
  const short = differences.map(({ wants, clients: who }) => [wants, who.length])
  expect(new Map(short as [string, number][])).toEqual(
    new Map([
      ['T8 A', 1],
      ['T8 *', 2],
    ]),
  )
  const { stdout } = await mqadmin(`brokerStatus -b ${cluster.current.brokerAddress}`)
  expect(stdout).toMatch(/^differentSubscriptions +: G8$/m)
})
