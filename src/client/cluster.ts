import { systemClock, type Clock } from '../base/clock.ts'
import type { Handlers } from '../net/handlers.ts'
import { RemotingClient } from '../net/remoting-client.ts'
import { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
import {
  HeartbeatData,
  type ConsumerData,
  type ProducerData,
} from '../protocol/bodies/heartbeat.ts'
import { SerializeType } from '../protocol/frame.ts'
import type { RequestSpec } from '../protocol/request.ts'
import { HeartBeat, UnregisterClient } from '../protocol/requests/client.ts'
import type { ResponseCodeName } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { Background, reportToStderr, type Report } from './background.ts'
import { ClientError } from './client-error.ts'
import { clientId } from './client-id.ts'
import type { MessageQueue } from './message-queue.ts'
import { NameServers, parseNameServers } from './name-servers.ts'
import { Routes } from './routes.ts'
import { MASTER_ID } from './topic-route.ts'

/** What every kind of client can be told. */
export interface ClusterOptions {
  /** `host:port;host:port`. Default: NAMESRV_ADDR from the environment. */
  readonly nameServers?: string
  /** Tells the clients of one machine apart. Default: unique. */
  readonly instanceName?: string
  /** How headers are written. Every broker reads JSON; ROCKETMQ is smaller. Default: JSON. */
  readonly serializeType?: keyof typeof SerializeType
  readonly connectTimeoutMs?: number
  /**
   * Queues per broker of a topic that the first message creates; the broker's own limit is 8.
   * Default: 4.
   */
  readonly defaultTopicQueueNums?: number
  /**
   * Hears of what failed in the background and is tried again. Default: one line on stderr each.
   */
  readonly report?: Report
  readonly clock?: Clock
}

/** What a client does, for the brokers. */
export interface Roles {
  readonly producers: ProducerData[]
  readonly consumers: ConsumerData[]
}

/** The broker of a topic's queues. */
export type BrokerOf = Pick<MessageQueue, 'topic' | 'brokerName'>

/** How a broker is called. */
export interface BrokerCall {
  readonly body?: Uint8Array
  /** Default: 3000. */
  readonly timeoutMs?: number
  /** Answers other than SUCCESS that do not throw. */
  readonly accept?: ResponseCodeName[]
  /** Default: the master. A broker id that is not (or no longer) there falls back to it. */
  readonly brokerId?: number
}

const REQUEST_TIMEOUT_MS = 3000
const CONNECT_TIMEOUT_MS = 3000
const POLL_NAME_SERVER_MS = 30_000
const HEARTBEAT_MS = 30_000

/**
 * One client's view of the cluster: its connections, the routes it knows and the heartbeats that
 * keep it listed at the brokers. Every producer and consumer has its own, as in Apache 5.3.3 with
 * its default instance name.
 */
export class Cluster {
  readonly clientId: string
  /** `host:port;host:port` */
  readonly nameServers: string
  readonly clock: Clock
  readonly defaultTopicQueueNums: number
  readonly routes: Routes
  readonly background: Background
  readonly #remoting: RemotingClient
  readonly #roles: () => Roles
  /** Broker addresses that have had a heartbeat: a new one gets its first at once. */
  readonly #greeted = new Set<string>()

  /** `handlers` answer what brokers ask of this client. */
  constructor(options: ClusterOptions, roles: () => Roles, handlers?: Handlers) {
    const addresses = parseNameServers(options.nameServers ?? process.env['NAMESRV_ADDR'])
    this.clientId = clientId(options.instanceName)
    this.nameServers = addresses.join(';')
    this.clock = options.clock ?? systemClock
    this.defaultTopicQueueNums = options.defaultTopicQueueNums ?? 4
    this.background = new Background(options.report ?? reportToStderr)
    this.#roles = roles
    this.#remoting = new RemotingClient({
      language: 'NODE_JS',
      serializeType: SerializeType[options.serializeType ?? 'JSON'],
      onRequest: handlers,
      onDisconnect: (address) => this.#greeted.delete(address),
      connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      clock: this.clock,
    })
    const nameServers = new NameServers(this.#remoting, addresses)
    this.routes = new Routes(nameServers, this.defaultTopicQueueNums, this.clock)
  }

  start(): void {
    const { background } = this
    background.every(POLL_NAME_SERVER_MS, 'routes cannot be refreshed', () => this.routes.refresh())
    background.every(HEARTBEAT_MS, 'heartbeats cannot be sent', () => this.heartbeat())
  }

  /**
   * Throws ResponseError, TimeoutError, ConnectionError, or ClientError when the topic's route has
   * no such broker.
   */
  async call<H, R>(at: BrokerOf, spec: RequestSpec<H, R>, header: H, call: BrokerCall = {}) {
    const { brokerId, timeoutMs = REQUEST_TIMEOUT_MS, ...options } = call
    const address = await this.addressOf(at, brokerId)
    try {
      return await this.#remoting.call(address, spec, header, { ...options, timeoutMs })
    } catch (error) {
      throw this.#failure(at, error, `${spec.name} to ${address}`)
    }
  }

  /** Resolves when the request is on its way; nobody says whether it arrived. */
  async oneway<H, R>(at: BrokerOf, spec: RequestSpec<H, R>, header: H, body?: Uint8Array) {
    const address = await this.addressOf(at)
    try {
      await this.#remoting.oneway(address, spec, header, body)
    } catch (error) {
      throw this.#failure(at, error, `${spec.name} to ${address}`)
    }
  }

  /** `host:port`. Throws ClientError when the topic's route has no such broker. */
  async addressOf({ topic, brokerName }: BrokerOf, brokerId = MASTER_ID): Promise<string> {
    const route = await this.routes.find(topic)
    const broker = route?.brokers.get(brokerName)
    const address = broker?.get(brokerId) ?? broker?.get(MASTER_ID)
    if (address !== undefined) return address
    throw new ClientError(`broker ${brokerName} has no master in the route of topic ${topic}`)
  }

  /** Greets the brokers that appeared since the last heartbeat. */
  async greet(): Promise<void> {
    const strangers = this.#brokers().filter((address) => !this.#greeted.has(address))
    await this.#heartbeat(strangers)
  }

  /**
   * Tells every broker of the known routes who we are and what we subscribe to. Failures are
   * reported, not thrown.
   */
  async heartbeat(): Promise<void> {
    await this.#heartbeat(this.#brokers())
  }

  /** Leaves a group at every broker, as well as that can be done. */
  async unregister(group: { producerGroup?: string; consumerGroup?: string }): Promise<void> {
    const header = { clientID: this.clientId, ...group }
    const options = { timeoutMs: REQUEST_TIMEOUT_MS }
    const leaving = [...this.#greeted].map((address) =>
      this.#remoting.call(address, UnregisterClient, header, options),
    )
    await Promise.allSettled(leaving) // a broker that cannot be reached notices by itself
  }

  /**
   * Afterwards no timer, no socket and no job is left. Stop the background before what comes in
   * between.
   */
  async close(): Promise<void> {
    this.background.stop()
    await this.#remoting.close()
    await this.background.settled()
  }

  async #heartbeat(addresses: readonly string[]): Promise<void> {
    const { producers, consumers } = this.#roles()
    const body = HeartbeatData.encode({
      clientID: this.clientId,
      producerDataSet: producers,
      consumerDataSet: consumers,
      heartbeatFingerprint: 0,
      withoutSub: false,
    })
    await Promise.all(addresses.map((address) => this.#beat(address, body)))
  }

  async #beat(address: string, body: Uint8Array): Promise<void> {
    try {
      await this.#remoting.call(address, HeartBeat, {}, { body, timeoutMs: REQUEST_TIMEOUT_MS })
      this.#greeted.add(address)
    } catch (error) {
      this.#greeted.delete(address)
      this.background.report(`no heartbeat to ${address}`, error)
    }
  }

  /** Slaves only hear from consumers: they are pulled from, but never sent to. */
  #brokers(): string[] {
    const isConsumer = this.#roles().consumers.length > 0
    const addresses = this.routes
      .known()
      .flatMap((route) => [...route.brokers.values()])
      .flatMap((broker) => [...broker])
      .filter(([brokerId]) => isConsumer || brokerId === MASTER_ID)
    return [...new Set(addresses.map(([, address]) => address))]
  }

  /** The same kind of error, which says what it is about. */
  #failure({ topic, brokerName }: BrokerOf, error: unknown, request: string): unknown {
    const where = `topic ${topic} on ${brokerName}`
    if (error instanceof ResponseError) {
      return new ResponseError(error.codeName, `${where}, ${request}: ${error.message}`, error.code)
    }
    if (error instanceof TimeoutError) {
      return new TimeoutError(`${where}, ${error.message}`, { cause: error })
    }
    if (!(error instanceof ConnectionError)) return error
    // The broker may have come back under another address.
    this.background.run('routes cannot be refreshed', () => this.routes.recheck(topic))
    return new ConnectionError(`${where}, ${error.message}`, { cause: error })
  }
}
