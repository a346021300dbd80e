import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { TopicRouteData } from '../../src/protocol/bodies/topic-route.ts'
import { decodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import { hostText } from '../../src/protocol/message.ts'
import { QueryConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { PullFlag, PullMessage } from '../../src/protocol/requests/pull.ts'
import { GetRouteInfoByTopic } from '../../src/protocol/requests/route.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { DeleteTopicInBroker } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { Random } from '../sim/random.ts'
import { ServerProcess, type Settings } from '../support/broker-process.ts'
import { CrashLoad } from '../support/crash-load.ts'
import { Ledger, NO_FAULTS } from '../support/ledger.ts'
import {
  createTopic,
  holdingPull,
  maxOffset,
  pullHeader,
  readQueue,
  sendHeader,
  sendTo,
} from '../support/messages.ts'
import { freePort } from '../support/free-port.ts'
import { RawClient } from '../support/raw-client.ts'
import { startBroker } from '../support/started-broker.ts'

function launch(settings: Settings): ServerProcess {
  const server = ServerProcess.launchBroker(settings)
  onTestFinished(() => server.dispose())
  return server
}

test.each([1, 4])(
  'a second broker is refused the ports of the first, by name (%i workers)',
  async (networkWorkers) => {
    const first = await startBroker({ networkWorkers })
    const { port } = first
    const client = await first.connect()
    await createTopic(client, 'T')
    const second = launch({ networkWorkers, listenPort: port })
    const below = launch({ networkWorkers, listenPort: port + 2 }) // its port for old clients
    for (const { exited, store } of [second, below]) {
      const { code, stdout, stderr } = await exited
      expect({ code, stdout }).toEqual({ code: 255, stdout: '' })
      const advice = `stop the program that listens on port ${port}, or set listenPort to a free port`
      expect(stderr.startsWith(`127.0.0.1:${port} is in use: ${advice}`)).toBe(true)
      expect(stderr.includes('second port')).toBe(store === below.store)
      expect(existsSync(join(store, 'abort'))).toBe(false)
    }
    const others = await Promise.all(Array.from({ length: 8 }, () => first.connect()))
    for (const other of others) await sendTo(other, 'T') // none of them went elsewhere
  },
)

test('a second broker is refused the store of the first, by name, and harms nothing', async () => {
  const first = await startBroker()
  const client = await first.connect()
  await sendTo(client, 'T')
  const second = launch({ storePathRootDir: first.store })
  const { code, stdout, stderr } = await second.exited
  expect(code).toBe(255)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^Lock failed,MQ already started: .*\n$/)
  expect(stderr).toContain(first.store)
  expect(existsSync(join(first.store, 'abort'))).toBe(true)
  await sendTo(client, 'T')
  await first.kill()
  const third = await startBroker({ storePathRootDir: first.store })
  expect(await maxOffset(await third.connect(), 'T', 0)).toBe(2)
  await third.stop()
  const stranger = launch({ storePathRootDir: first.store, storePathCommitLog: first.folder })
  expect(await stranger.exited).toMatchObject({
    code: 255,
    stderr: expect.stringMatching(/^.*broker\.conf: not a log file.*\n$/) as string,
  })
})

test.each([
  [1, 'SYNC_FLUSH'],
  [4, 'ASYNC_FLUSH'],
])(
  'SIGTERM under load loses nothing that was answered for (%i workers, %s)',
  async (networkWorkers, flushDiskType) => {
    const broker = await startBroker({ networkWorkers, flushDiskType })
    const client = await broker.connect()
    await createTopic(client, 'Load', { queues: 3 })
    await createTopic(client, 'Quiet')
    const holders = await Promise.all(Array.from({ length: 10 }, () => broker.connect()))
    const forever = holdingPull('Quiet', { suspendTimeoutMillis: 120_000 })
    for (const holder of holders) holder.send(PullMessage, forever)
    const ledger = new Ledger(3)
    const load = new CrashLoad({ topic: 'Load', queues: 3, ledger, random: new Random(7) })
    const { stopped } = await load.run(broker, 1500)
    const committing = { sysFlag: PullFlag.SUBSCRIPTION | PullFlag.COMMIT_OFFSET, commitOffset: 11 }
    expect((await client.ask(PullMessage, pullHeader('Load', committing))).code).toBe(0)
    const { code, stderr } = await broker.stop()
    expect({ code, stderr }).toEqual({ code: 143, stderr: '' })
    expect(existsSync(join(broker.store, 'abort'))).toBe(false)
    await stopped
    await Promise.all(holders.map(({ closed }) => closed))

    const reader = await (await startBroker({}, broker.folder)).connect()
    for (let queueId = 0; queueId < 3; queueId++) {
      const end = await maxOffset(reader, 'Load', queueId)
      const messages = await readQueue(reader, 'Load', { queueId, end })
      expect(ledger.check(queueId, messages)).toEqual(NO_FAULTS)
    }
    const group = { consumerGroup: 'consumers', topic: 'Load', queueId: 0 }
    expect((await reader.ask(QueryConsumerOffset, group)).reply.offset).toBe(11)
  },
)

test('a broker on every address keeps the address of each client as it is, IPv4 or IPv6', async () => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const hasV6 = own.some(({ address }) => address === '::1')
  const hosts = hasV6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']
  const brokerIP1 = hosts.at(-1)!
  const broker = await startBroker({ bindAddress: hasV6 ? '::' : '0.0.0.0', brokerIP1 })
  const clients = await Promise.all(hosts.map((host) => RawClient.connect(broker.port, host)))
  for (const [nth, client] of clients.entries()) {
    const { msgId } = await sendTo(client, 'T')
    const [message] = await readQueue(client, 'T', { from: nth, end: nth + 1 })
    const { localPort, localFamily } = client.socket
    const isV6 = localFamily === 'IPv6'
    expect(message!.bornHost.length).toBe(isV6 ? 20 : 8)
    expect(hostText(message!.bornHost)).toBe(
      `${isV6 ? '0:0:0:0:0:0:0:1' : '127.0.0.1'}:${localPort}`,
    )
    expect(decodeOffsetMessageId(msgId).storeHost).toEqual(Buffer.from(message!.storeHost))
    expect(message!.storeHost.length).toBe(hasV6 ? 20 : 8)
  }
})

test('kill -9 does not bring back what a deleted topic had, nor spoil the one made after it', async () => {
  const broker = await startBroker({ networkWorkers: 2 })
  const clients = await Promise.all(Array.from({ length: 4 }, () => broker.connect()))
  const [admin] = clients
  for (const topic of ['Gone', 'Again']) {
    await createTopic(admin!, topic)
    await Promise.all(
      clients.flatMap((client) => Array.from({ length: 50 }, () => sendTo(client, topic))),
    )
    await admin!.ask(DeleteTopicInBroker, { topic })
  }
  await createTopic(admin!, 'Again')
  for (const nth of [0, 1, 2])
    await sendTo(admin!, 'Again', {}, { body: Buffer.from(`new ${nth}`) })
  await broker.kill()

  const reader = await (await startBroker({}, broker.folder)).connect()
  const messages = await readQueue(reader, 'Again', { end: 3 })
  expect(messages.map(({ body }) => String(body))).toEqual(['new 0', 'new 1', 'new 2'])
  expect(await maxOffset(reader, 'Again', 0)).toBe(3)
  const gone = await reader.ask(SendMessageV2, sendHeader('Gone', { defaultTopic: 'none' }))
  expect(gone.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
  await createTopic(reader, 'Gone')
  expect((await sendTo(reader, 'Gone')).queueOffset).toBe(0)
  expect(await readQueue(reader, 'Gone', { end: 1 })).toHaveLength(1)
})

test('a name server knows a created topic before its creation is answered, and forgets a stopped broker', async () => {
  const namesrvPort = await freePort()
  const nameServer = await ServerProcess.startNameServer({
    listenPort: namesrvPort,
    bindAddress: '127.0.0.1',
  })
  onTestFinished(() => nameServer.dispose())
  const listenPort = await freePort()
  const broker = await startBroker({ listenPort, namesrvAddr: `127.0.0.1:${namesrvPort}` })
  expect(broker.port).toBe(listenPort)
  const [client, asker] = [await broker.connect(), await nameServer.connect()]
  await createTopic(client, 'Known', { queues: 3 })
  const route = await asker.ask(GetRouteInfoByTopic, { topic: 'Known' })
  expect(route.code).toBe(0)
  const { brokerDatas, queueDatas } = TopicRouteData.decode(route.body)
  expect(brokerDatas[0]!.brokerAddrs.get(0)).toBe(`127.0.0.1:${listenPort}`)
  expect(queueDatas[0]).toMatchObject({ brokerName: 'broker-a', readQueueNums: 3, perm: 6 })
  await sendTo(await broker.connect(listenPort - 2), 'Known') // as clients of the 4.x era do
  await broker.stop()
  const gone = await asker.ask(GetRouteInfoByTopic, { topic: 'Known' })
  expect(gone.code).toBe(ResponseCode.TOPIC_NOT_EXIST)
})
