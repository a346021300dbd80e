import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { Producer, PushConsumer } from '../../src/client/index.ts'
import { runMqadmin } from '../../src/mqadmin/run.ts'
import { RegisterBrokerBody } from '../../src/protocol/bodies/register-broker.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import type { RequestSpec } from '../../src/protocol/request.ts'
import { GetBrokerConfig, GetBrokerRuntimeInfo } from '../../src/protocol/requests/broker.ts'
import { GetAllSubscriptionGroupConfig } from '../../src/protocol/requests/group.ts'
import {
  GetKvListByNamespace,
  GetNamesrvConfig,
} from '../../src/protocol/requests/namesrv-config.ts'
import { GetAllConsumerOffset } from '../../src/protocol/requests/offset.ts'
import { RegisterBroker } from '../../src/protocol/requests/registration.ts'
import {
  GetAllTopicListFromNameserver,
  GetBrokerClusterInfo,
  GetRouteInfoByTopic,
} from '../../src/protocol/requests/route.ts'
import { GetAllTopicConfig } from '../../src/protocol/requests/topic.ts'
import { bodyOf } from '../namesrv/open-table.ts'
import type { Settings } from '../support/broker-process.ts'
import type { Place } from './command-lines.ts'
import { Cluster, type Ran } from './open-cluster.ts'

const MESSAGES = 3

/** What stands for a place when it is wrong. */
export const ABSENT: Readonly<Record<Place, string>> = {
  cluster: 'Nowhere',
  broker: '127.0.0.1:1',
  brokerName: 'no-broker',
  topic: 'NoTopic',
  group: 'NoGroup',
}

/** A cluster with a topic, messages, a producer and a consumer, and beside it a broker that is none. */
export class CommandWorld {
  readonly cluster: Cluster
  readonly folder = mkdtempSync(join(tmpdir(), 'mqadmin-commands-'))
  readonly #names = new Map<string, string>()
  readonly #clients: { close(): Promise<void> }[] = []
  readonly #sockets = new Set<Socket>()
  #broken: Server | null = null

  private constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  static async open(settings: Settings = {}): Promise<CommandWorld> {
    const world = new CommandWorld(await Cluster.open({ traceTopicEnable: true, ...settings }))
    await world.#fill()
    return world
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#broken?.close()
    await this.cluster.close()
    rmSync(this.folder, { recursive: true })
  }

  /** `line` with its places filled: by what is there, or by what `others` say. */
  filled(line: string, others: Partial<Record<string, string>> = {}): string {
    return line.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      return others[name] ?? this.#names.get(name)!
    })
  }

  /** Ends a command that is endless once it has said something. */
  async run(
    line: string,
    { nameServer = this.cluster.namesrv.address, isEndless = false, timeoutMs = 5000 } = {},
  ): Promise<Ran> {
    const ran: Ran = { code: -1, stdout: '', stderr: '' }
    const stop = new AbortController()
    ran.code = await runMqadmin(line.split(' '), {
      environment: { NAMESRV_ADDR: nameServer },
      stdout: (text) => {
        ran.stdout += text
        if (isEndless && /\d/.test(text)) stop.abort()
      },
      stderr: (text) => (ran.stderr += text),
      stopped: stop.signal,
      timeoutMs,
    })
    return ran
  }

  /** All that a command could change, and nothing that changes by itself. */
  async snapshot(): Promise<Record<string, string>> {
    const { namesrv, brokerAddress } = this.cluster
    const ask = async <H>(address: string, spec: RequestSpec<H, unknown>, header: H) => {
      const { body } = await namesrv.asker.call(address, spec, header)
      return Buffer.from(body ?? []).toString()
    }
    const server = namesrv.address
    const runtime = await ask(brokerAddress, GetBrokerRuntimeInfo, {})
    const spaces = ['SPACE', 'ORDER_TOPIC_CONFIG'].map((namespace) =>
      ask(server, GetKvListByNamespace, { namespace }).catch(() => 'none'),
    )
    return {
      topics: await ask(brokerAddress, GetAllTopicConfig, {}),
      groups: await ask(brokerAddress, GetAllSubscriptionGroupConfig, {}),
      offsets: await ask(brokerAddress, GetAllConsumerOffset, {}),
      config: await ask(brokerAddress, GetBrokerConfig, {}),
      log: /"commitLogMaxOffset":"\d+"/.exec(runtime)![0],
      serverTopics: await ask(server, GetAllTopicListFromNameserver, {}),
      serverConfig: await ask(server, GetNamesrvConfig, {}),
      clusters: await ask(server, GetBrokerClusterInfo, {}),
      route: await ask(server, GetRouteInfoByTopic, { topic: this.#names.get('topic')! }),
      keys: (await Promise.all(spaces)).join(),
    }
  }

  /** A cluster of one broker that takes connections and does this when something is asked. */
  async openBroken(onRequest: (socket: Socket) => void): Promise<Record<string, string>> {
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('data', () => onRequest(socket)).on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    this.#broken?.close()
    this.#broken = server
    const brokerAddr = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const topics = ['BrokenTopic', '%RETRY%BrokenGroup', 'broken']
    const body = RegisterBrokerBody.encode(bodyOf(Object.fromEntries(topics.map((t) => [t, {}]))))
    const broker = { brokerName: 'broken', clusterName: 'Broken', brokerId: 0, brokerAddr }
    const header = { ...broker, haServerAddr: '', compressed: false, bodyCrc32: bodyCrc(body) }
    const { asker, address } = this.cluster.namesrv
    await asker.call(address, RegisterBroker, header, { body })
    const names = { topic: 'BrokenTopic', group: 'BrokenGroup', brokerName: 'broken' }
    return { ...names, cluster: 'Broken', broker: brokerAddr }
  }

  async #fill(): Promise<void> {
    const { cluster } = this
    await cluster.topicWith('Orders', 0)
    await cluster.topicWith('Others', 0)
    this.#names.set('cluster', 'DefaultCluster').set('brokerName', 'broker-a')
    this.#names.set('broker', cluster.brokerAddress).set('topic', 'Orders')
    this.#names.set('group', 'readers').set('otherGroup', 'others').set('otherTopic', 'Others')
    this.#names.set('producerGroup', 'writers').set('key', 'key-0').set('folder', this.folder)
    this.#names.set('topicFile', this.#file('topics.json', '[{"topicName":"Listed"}]'))
    this.#names.set('groupFile', this.#file('groups.json', '[{"groupName":"listed"}]'))
    await cluster.mqadmin('updateSubGroup -c DefaultCluster -g others')
    await this.#send()
    await this.#consume()
  }

  async #send(): Promise<void> {
    const producer = new Producer({
      group: 'writers',
      nameServers: this.cluster.namesrv.address,
      trace: true,
    })
    this.#clients.push(producer)
    producer.start()
    for (let nth = 0; nth < MESSAGES; nth++) {
      const { msgId } = await producer.send({ topic: 'Orders', body: 'body', keys: `key-${nth}` })
      this.#names.set('uniqueId', msgId)
    }
    const isTraced = async () =>
      (await this.run(this.filled('queryMsgTraceById -i {uniqueId}'))).code === 0
    await vi.waitUntil(isTraced, { timeout: 30_000, interval: 20 })
    const { stdout } = await this.run(
      this.filled('queryMsgByUniqueKey -t Orders -i {uniqueId} --json'),
    )
    this.#names.set('offsetId', (JSON.parse(stdout) as { offsetMsgId: string }[])[0]!.offsetMsgId)
  }

  /** Until its offsets are committed: nothing moves by itself then. */
  async #consume(): Promise<void> {
    const consumer = new PushConsumer({
      group: 'readers',
      nameServers: this.cluster.namesrv.address,
      consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
    })
    this.#clients.push(consumer)
    consumer.subscribe('Orders')
    consumer.start(() => Promise.resolve('CONSUME_SUCCESS'))
    await this.cluster.known('%RETRY%readers')
    // The first command that reads messages makes a topic for the retries of its group.
    await this.run('printMsg -t Orders')
    await this.cluster.known('%RETRY%TOOLS_CONSUMER')
    const isDone = async () => {
      const { offsets } = await this.snapshot()
      const committed = [`"Orders@readers":{"0":${MESSAGES}}`, '"%RETRY%readers@readers":{"0":0}']
      return committed.every((each) => offsets!.includes(each))
    }
    await vi.waitUntil(isDone, { timeout: 30_000, interval: 20 })
  }

  #file(name: string, content: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, content)
    return path
  }
}
