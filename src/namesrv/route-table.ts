import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import type { RegisterBrokerBody } from '../protocol/bodies/register-broker.ts'
import {
  encodeTopicRoute,
  type QueueData,
  type RouteDialect,
  type TopicRouteData,
} from '../protocol/bodies/topic-route.ts'
import { type BrokerGroup, type BrokerIdentity, Brokers, type LiveBroker } from './brokers.ts'
import { RouteCache } from './route-cache.ts'
import { actForMasters, inZone } from './route-rules.ts'
import { Permission, TopicQueues } from './topic-queues.ts'

/** A broker is gone after this long without a sign. Source: Apache 5.3.3, RouteInfoManager. */
export const BROKER_TIMEOUT_MS = 120_000

const MASTER_ID = 0

/** What a broker says with REGISTER_BROKER, but for the body. */
export interface Registration extends BrokerIdentity {
  haServerAddr: string
  heartbeatTimeoutMillis?: number
  /** Absent: a broker of a time before acting masters. */
  enableActingMaster?: boolean
  zoneName?: string
  peerId: number
  /** Equal for equal bodies, so that a body that came before need not be read. */
  fingerprint: string
}

/** What a slave learns of its master. */
export interface Registered {
  masterAddr?: string
  haServerAddr?: string
}

/** Settings that may change at any time. */
export interface RouteRules {
  orderMessageEnable: boolean
  /** In the routes of a group without a master, its lowest slave stands in as one. */
  supportActingMaster: boolean
  /** A registration names all topics of its broker: others are dropped. */
  deleteTopicWithBrokerRegistration: boolean
}

export interface RouteTableOptions {
  clock: Clock
  rules: () => RouteRules
  /** The order in which a topic's queues were declared, if they were. */
  orderConfOf: (topic: string) => string | undefined
}

/**
 * Which topics are where, as brokers have said. Knows no socket: who reads requests calls it, and
 * whoever has a clock asks it to `expire`.
 */
export class RouteTable {
  readonly brokers = new Brokers()
  readonly topics = new TopicQueues()
  readonly #options: RouteTableOptions
  readonly #cache = new RouteCache()
  readonly #filterServers = new Map<string, string[]>()

  constructor(options: RouteTableOptions) {
    this.#options = options
  }

  /**
   * Takes a registration. `read` is called only when the body has not come before. Null: refused,
   * because a broker nobody knows cannot begin with a single topic (it would be that the rest of a
   * series was lost).
   */
  register(registration: Registration, read: () => RegisterBrokerBody): Registered | null {
    const known = this.brokers.live(registration)
    if (known?.fingerprint === registration.fingerprint && this.#isInPlace(registration)) {
      this.#report(registration, known.dataVersion)
      return this.#masterFor(registration)
    }
    const body = read()
    const { dataVersion, topicConfigTable } = body.topicConfigSerializeWrapper
    if (this.#isOutdated(registration, dataVersion)) {
      this.brokers.removeLive(registration)
      return {}
    }
    const isFirst = !this.brokers
      .group(registration.brokerName)
      ?.brokerAddrs.has(registration.brokerId)
    if (isFirst && topicConfigTable.size === 1) return null
    if (known !== undefined && known.brokerName !== registration.brokerName) this.unregister(known)
    this.#join(registration)
    const isNew = isFirst || known === undefined || !isSameVersion(known.dataVersion, dataVersion)
    this.#takeTopics(registration, body, isNew)
    this.#takeFilterServers(registration, body.filterServerList)
    this.#report(registration, dataVersion)
    return this.#masterFor(registration)
  }

  /** A sign of life. Nothing for a broker unknown: it must register. */
  touch(broker: Pick<BrokerIdentity, 'clusterName' | 'brokerAddr'>): void {
    const live = this.brokers.live(broker)
    if (live !== undefined) live.lastReport = this.#options.clock.now()
  }

  unregister(broker: BrokerIdentity): void {
    this.brokers.removeLive(broker)
    this.#filterServers.delete(broker.brokerAddr)
    const left = this.brokers.leave(broker)
    if (left === undefined) return
    const { brokerName } = broker
    if (left.brokerAddrs.size === 0) this.topics.removeBroker(brokerName)
    else if (left.enableActingMaster && !left.brokerAddrs.has(MASTER_ID)) this.wipe(brokerName)
    this.#readAgain(brokerName)
    this.#cache.clear()
  }

  /** A connection has ended: so have the brokers that registered over it. Who that was. */
  disconnect(peerId: number): LiveBroker[] {
    return this.#drop((live) => live.peerId === peerId)
  }

  /** Drops brokers that were silent for too long. Who that was. */
  expire(): LiveBroker[] {
    const now = this.#options.clock.now()
    return this.#drop((live) => live.lastReport + live.timeoutMs <= now)
  }

  /** When the next broker would expire; Infinity without any. */
  nextExpiry(): number {
    const deadlines = [...this.brokers.allLive()].map((live) => live.lastReport + live.timeoutMs)
    return Math.min(Infinity, ...deadlines)
  }

  /** One topic of brokers that are there. Ignored when it names one that is not. */
  registerTopic(topic: string, queueDatas: readonly QueueData[]): void {
    if (queueDatas.some(({ brokerName }) => this.brokers.group(brokerName) === undefined)) return
    for (const queues of queueDatas) this.topics.set(topic, queues.brokerName, queues)
    this.#cache.forget(topic)
  }

  /** Of one cluster, or of all. Brokers that still have it bring it back. */
  deleteTopic(topic: string, cluster?: string): void {
    if (cluster === undefined) this.topics.removeTopic(topic)
    else for (const name of this.brokers.namesIn(cluster)) this.topics.remove(topic, name)
    this.#cache.forget(topic)
    for (const live of this.brokers.allLive()) live.fingerprint = null
  }

  /** Takes the write permission from all topics of a broker until its next change. How many. */
  wipe(brokerName: string): number {
    this.#cache.clear()
    return this.topics.changePermissions(brokerName, (perm) => perm & ~Permission.WRITE)
  }

  /** Gives it back. Apache's does not give back INHERIT, neither do we. How many. */
  addWrite(brokerName: string): number {
    this.#cache.clear()
    return this.topics.changePermissions(brokerName, () => Permission.READ | Permission.WRITE)
  }

  /** Rules or order settings have changed. */
  forgetRoutes(): void {
    this.#cache.clear()
  }

  /** undefined: no broker that is there has the topic. */
  route(topic: string): TopicRouteData | undefined {
    const queueDatas = [...this.topics.queues(topic)]
    const brokerDatas = queueDatas
      .map(({ brokerName }) => this.brokers.group(brokerName))
      .filter((group) => group !== undefined)
    if (brokerDatas.length === 0) return undefined
    const { orderMessageEnable, supportActingMaster } = this.#options.rules()
    const route: TopicRouteData = {
      brokerDatas,
      filterServerTable: this.#filterServersOf(brokerDatas),
      orderTopicConf: orderMessageEnable ? this.#options.orderConfOf(topic) : undefined,
      queueDatas,
      topicQueueMappingByBroker: this.topics.mappings(topic),
    }
    return supportActingMaster ? actForMasters(topic, route) : route
  }

  /** The body of a route, as last sent if nothing has changed. */
  encodedRoute(topic: string, dialect: RouteDialect): Buffer | undefined {
    const cached = this.#cache.get(topic, dialect)
    if (cached !== undefined) return cached
    const route = this.route(topic)
    if (route === undefined) return undefined
    const body = encodeTopicRoute(route, dialect)
    this.#cache.set(topic, dialect, body)
    return body
  }

  /** The same for a client that wants the brokers of its zone. */
  zoneRoute(topic: string, dialect: RouteDialect, zone: string): Buffer | undefined {
    const route = this.route(topic)
    return route && encodeTopicRoute(inZone(route, zone), dialect)
  }

  #isInPlace(registration: Registration): boolean {
    const { brokerName, brokerId, brokerAddr, clusterName } = registration
    const group = this.brokers.group(brokerName)
    return (
      group?.brokerAddrs.get(brokerId) === brokerAddr &&
      group.cluster === clusterName &&
      group.zoneName === registration.zoneName &&
      group.enableActingMaster === (registration.enableActingMaster ?? false)
    )
  }

  /** Another address holds its id and is ahead of it: a master of old that comes back. */
  #isOutdated(registration: Registration, dataVersion: DataVersion): boolean {
    const { brokerName, brokerId, brokerAddr, clusterName } = registration
    const holder = this.brokers.group(brokerName)?.brokerAddrs.get(brokerId)
    if (holder === undefined || holder === brokerAddr) return false
    const live = this.brokers.live({ clusterName, brokerAddr: holder })
    return live !== undefined && live.dataVersion.stateVersion > dataVersion.stateVersion
  }

  #join(registration: Registration): void {
    const { zoneName, enableActingMaster = false } = registration
    if (!this.brokers.join(registration, { zoneName, enableActingMaster })) return
    this.#readAgain(registration.brokerName)
    this.#cache.clear()
  }

  /** Whose topics count has changed: the next registrations of the group must be read. */
  #readAgain(brokerName: string): void {
    for (const live of this.brokers.allLive()) {
      if (live.brokerName === brokerName) live.fingerprint = null
    }
  }

  /** Only of a master, or of the lowest slave where slaves may act for one. */
  #takeTopics(registration: Registration, body: RegisterBrokerBody, isNew: boolean): void {
    const { brokerName, brokerId, enableActingMaster } = registration
    const [lowestId] = this.brokers.group(brokerName)!.brokerAddrs.keys()
    const isMaster = brokerId === MASTER_ID
    const isPrimeSlave = !isMaster && enableActingMaster !== undefined && brokerId === lowestId
    if (!isMaster && !isPrimeSlave) return
    const { topicConfigTable, topicQueueMappingInfoMap } = body.topicConfigSerializeWrapper
    const mappings = topicQueueMappingInfoMap ?? new Map()
    if (this.#options.rules().deleteTopicWithBrokerRegistration && mappings.size === 0) {
      this.#keepOnly(brokerName, topicConfigTable)
    }
    const permMask = isPrimeSlave && enableActingMaster ? ~Permission.WRITE : ~0
    for (const [topic, config] of topicConfigTable) {
      if (!isNew && this.topics.has(topic, brokerName)) continue
      const shape = { ...config, perm: config.perm & permMask }
      if (this.topics.set(topic, brokerName, shape)) this.#cache.forget(topic)
    }
    if (!isNew) return
    for (const [topic, mapping] of mappings) {
      this.topics.setMapping(topic, mapping)
      this.#cache.forget(topic)
    }
  }

  #keepOnly(brokerName: string, table: ReadonlyMap<string, unknown>): void {
    for (const topic of this.topics.topicsOf(brokerName)) {
      if (table.has(topic)) continue
      this.topics.remove(topic, brokerName)
      this.#cache.forget(topic)
    }
  }

  #takeFilterServers({ brokerAddr }: Registration, servers: string[]): void {
    const before = this.#filterServers.get(brokerAddr) ?? []
    if (before.join() === servers.join()) return
    if (servers.length === 0) this.#filterServers.delete(brokerAddr)
    else this.#filterServers.set(brokerAddr, servers)
    this.#cache.clear()
  }

  #filterServersOf(groups: readonly BrokerGroup[]): Map<string, string[]> {
    if (this.#filterServers.size === 0) return new Map()
    const addresses = groups.flatMap(({ brokerAddrs }) => [...brokerAddrs.values()])
    return new Map([...this.#filterServers].filter(([address]) => addresses.includes(address)))
  }

  #report(registration: Registration, dataVersion: DataVersion): void {
    const { clusterName, brokerName, brokerAddr, brokerId } = registration
    const { haServerAddr, peerId, fingerprint, heartbeatTimeoutMillis } = registration
    this.brokers.setLive({
      clusterName,
      brokerName,
      brokerAddr,
      brokerId,
      haServerAddr,
      dataVersion,
      fingerprint,
      peerId,
      lastReport: this.#options.clock.now(),
      timeoutMs: heartbeatTimeoutMillis ?? BROKER_TIMEOUT_MS,
    })
  }

  #masterFor({ clusterName, brokerName, brokerId }: Registration): Registered {
    const masterAddr = this.brokers.group(brokerName)?.brokerAddrs.get(MASTER_ID)
    if (brokerId === MASTER_ID || masterAddr === undefined) return {}
    const master = this.brokers.live({ clusterName, brokerAddr: masterAddr })
    return master === undefined ? {} : { masterAddr, haServerAddr: master.haServerAddr }
  }

  #drop(isGone: (live: LiveBroker) => boolean): LiveBroker[] {
    const gone = [...this.brokers.allLive()].filter(isGone)
    for (const live of gone) this.unregister(live)
    return gone
  }
}

function isSameVersion(one: DataVersion, other: DataVersion): boolean {
  return (
    one.counter === other.counter &&
    one.stateVersion === other.stateVersion &&
    one.timestamp === other.timestamp
  )
}
