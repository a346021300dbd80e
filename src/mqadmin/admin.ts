import { Producer, PullConsumer, PushConsumer, type TraceOptions } from '../client/index.ts'
import { MASTER_ID } from '../client/topic-route.ts'
import { RemotingClient } from '../net/remoting-client.ts'
import { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
import type { BrokerData } from '../protocol/bodies/broker-data.ts'
import { ClusterInfo } from '../protocol/bodies/cluster-info.ts'
import { TopicList } from '../protocol/bodies/topic-list.ts'
import { TopicRouteData } from '../protocol/bodies/topic-route.ts'
import type { RequestSpec } from '../protocol/request.ts'
import {
  GetAllTopicListFromNameserver,
  GetBrokerClusterInfo,
  GetRouteInfoByTopic,
} from '../protocol/requests/route.ts'
import { AdminError } from './command.ts'

/** Apache's tools wait as long for an answer. */
const TIMEOUT_MS = 5000

/** A broker and its name. */
export interface NamedBroker {
  brokerName: string
  address: string
}

interface CallOptions {
  body?: Uint8Array | null
  timeoutMs?: number
}

/** What commands do to a cluster. Connects when something is first asked. */
export class Admin {
  readonly nameServers: readonly string[]
  readonly #remoting = new RemotingClient({})
  readonly #timeoutMs: number
  readonly #clients: { close(): Promise<void> }[] = []

  /** `timeoutMs`: how long one answer may take, unless a command says so itself. */
  constructor(nameServers: readonly string[], timeoutMs = TIMEOUT_MS) {
    this.nameServers = nameServers
    this.#timeoutMs = timeoutMs
  }

  /** Asks a broker or a name server at this address. Rejects as RemotingClient.call does. */
  async call<H, R>(
    address: string,
    spec: RequestSpec<H, R>,
    header: H,
    { body = null, timeoutMs = this.#timeoutMs }: CallOptions = {},
  ): Promise<{ header: R; body: Uint8Array | null; remark: string | null }> {
    const answer = await this.#remoting.call(address, spec, header, { body, timeoutMs })
    return { ...answer, remark: answer.response.remark }
  }

  /** Asks the first name server that answers: they all know the same. */
  async askNameServer<H, R>(spec: RequestSpec<H, R>, header: H, options: CallOptions = {}) {
    let failure: Error = new AdminError(
      'no name server is given: add -n host:port, or set NAMESRV_ADDR',
    )
    for (const address of this.nameServers) {
      try {
        return await this.call(address, spec, header, options)
      } catch (error) {
        if (!(error instanceof ConnectionError) && !(error instanceof TimeoutError)) throw error
        const why = `no name server at ${address}: is it running? Give another with -n or NAMESRV_ADDR`
        failure = new AdminError(why, { cause: error })
      }
    }
    throw failure
  }

  /** Tells all name servers: what is written to them is not passed on from one to the other. */
  async tellNameServers<H, R>(spec: RequestSpec<H, R>, header: H, options: CallOptions = {}) {
    if (this.nameServers.length === 0) await this.askNameServer(spec, header, options) // says what is missing
    for (const address of this.nameServers) await this.call(address, spec, header, options)
  }

  /** Asks all name servers, each for itself. Rejects when one of them does not answer. */
  async eachNameServer<H, R>(spec: RequestSpec<H, R>, header: H, options: CallOptions = {}) {
    if (this.nameServers.length === 0) await this.askNameServer(spec, header, options) // says what is missing
    const answers = this.nameServers.map(async (address) => {
      const answer = await this.call(address, spec, header, options)
      return [address, answer] as const
    })
    return Promise.all(answers)
  }

  async clusterInfo(): Promise<ClusterInfo> {
    const { body } = await this.askNameServer(GetBrokerClusterInfo, {})
    return ClusterInfo.decode(body)
  }

  /** All that the name server knows. */
  async topics(): Promise<string[]> {
    const { body } = await this.askNameServer(GetAllTopicListFromNameserver, {})
    return TopicList.decode(body).topicList
  }

  /** Rejects with ResponseError TOPIC_NOT_EXIST. */
  async route(topic: string): Promise<TopicRouteData> {
    const { body } = await this.askNameServer(GetRouteInfoByTopic, { topic })
    return TopicRouteData.decode(body)
  }

  /** The brokers of a cluster; of all clusters without a name. Throws AdminError when there is no such cluster. */
  async brokers(cluster: string | null = null): Promise<BrokerData[]> {
    const info = await this.clusterInfo()
    if (cluster === null) return [...info.brokerAddrTable.values()]
    const names = info.clusterAddrTable.get(cluster)
    if (names === undefined) throw new AdminError(noCluster(cluster, info))
    return names.map((name) => info.brokerAddrTable.get(name)).filter((each) => each !== undefined)
  }

  async masters(cluster: string | null = null): Promise<NamedBroker[]> {
    return (await this.brokers(cluster)).flatMap(({ brokerName, brokerAddrs }) => {
      const address = brokerAddrs.get(MASTER_ID)
      return address === undefined ? [] : [{ brokerName, address }]
    })
  }

  /** Of masters and slaves of a cluster; of all clusters without a name. */
  async addresses(cluster: string | null = null): Promise<string[]> {
    return (await this.brokers(cluster)).flatMap(({ brokerAddrs }) => [...brokerAddrs.values()])
  }

  /** The broker of -b, or the masters of the cluster of -c. */
  async targets(address: string | null, cluster: string | null): Promise<NamedBroker[]> {
    if (address !== null) return [{ brokerName: '', address }]
    return this.masters(cluster)
  }

  /** Throws AdminError when neither a master nor a slave of this name is registered. */
  async checkBrokerName(brokerName: string): Promise<void> {
    const brokers = await this.brokers()
    if (brokers.some((each) => each.brokerName === brokerName)) return
    const known = brokers.map((each) => each.brokerName).join(', ') || 'none'
    throw new AdminError(`no broker ${brokerName} is registered, only ${known}`)
  }

  producer(group: string, options: TraceOptions = {}): Producer {
    return this.#kept(new Producer({ group, nameServers: this.#servers(), ...options }))
  }

  pullConsumer(group: string): PullConsumer {
    return this.#kept(new PullConsumer({ group, nameServers: this.#servers() }))
  }

  /** `report` hears of what goes on failing meanwhile. */
  pushConsumer(group: string, report: (problem: string, error: unknown) => void): PushConsumer {
    return this.#kept(new PushConsumer({ group, nameServers: this.#servers(), report }))
  }

  /** Closes producers and consumers. The connections that commands ask over stay. */
  async release(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()))
  }

  async close(): Promise<void> {
    await this.release()
    await this.#remoting.close()
  }

  #servers(): string {
    return this.nameServers.join(';')
  }

  #kept<C extends { close(): Promise<void> }>(client: C): C {
    this.#clients.push(client)
    return client
  }
}

function noCluster(cluster: string, { clusterAddrTable }: ClusterInfo): string {
  const known = [...clusterAddrTable.keys()].join(', ') || 'none'
  return `[error] Make sure the specified clusterName exists: there is no ${cluster}, only ${known}`
}
