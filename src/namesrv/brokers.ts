import type { BrokerData } from '../protocol/bodies/broker-data.ts'
import type { ClusterInfo } from '../protocol/bodies/cluster-info.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'

/** Which broker: its address is what tells it apart, within a cluster. */
export interface BrokerIdentity {
  clusterName: string
  brokerName: string
  /** `ip:port`. */
  brokerAddr: string
  /** 0 is the master of its name. */
  brokerId: number
}

/** A broker that reports to us. */
export interface LiveBroker extends BrokerIdentity {
  haServerAddr: string
  dataVersion: DataVersion
  /** Tells one registration from another without reading it; null when the next one must be read. */
  fingerprint: string | null
  /** The connection it registered over. */
  peerId: number
  /** Milliseconds since 1970. */
  lastReport: number
  /** Silent for longer than this, it counts as gone. */
  timeoutMs: number
}

/** The brokers of one name. */
export interface BrokerGroup extends BrokerData {
  enableActingMaster: boolean
}

/** Who is there: brokers that report, by address; groups of them, by name; clusters of those. */
export class Brokers {
  readonly #live = new Map<string, LiveBroker>()
  readonly #groups = new Map<string, BrokerGroup>()

  live(broker: Pick<BrokerIdentity, 'clusterName' | 'brokerAddr'>): LiveBroker | undefined {
    return this.#live.get(liveKey(broker))
  }

  setLive(broker: LiveBroker): void {
    this.#live.set(liveKey(broker), broker)
  }

  removeLive(broker: Pick<BrokerIdentity, 'clusterName' | 'brokerAddr'>): void {
    this.#live.delete(liveKey(broker))
  }

  allLive(): IterableIterator<LiveBroker> {
    return this.#live.values()
  }

  group(brokerName: string): BrokerGroup | undefined {
    return this.#groups.get(brokerName)
  }

  groups(): IterableIterator<BrokerGroup> {
    return this.#groups.values()
  }

  /** Sets `address` for its id, and takes it from any other id. True when the group has changed. */
  join(
    broker: BrokerIdentity,
    traits: Pick<BrokerGroup, 'enableActingMaster' | 'zoneName'>,
  ): boolean {
    const { clusterName, brokerName, brokerAddr, brokerId } = broker
    const before = this.#groups.get(brokerName)
    const others = [...(before?.brokerAddrs ?? [])].filter(
      ([id, address]) => id !== brokerId && address !== brokerAddr,
    )
    const brokerAddrs = new Map([...others, [brokerId, brokerAddr] as const].toSorted(byId))
    const group = { ...traits, brokerName, cluster: clusterName, brokerAddrs }
    if (before !== undefined && isSame(before, group)) return false
    this.#groups.set(brokerName, group)
    return true
  }

  /** Takes `address` out of its group. An empty group goes as well. The group as it is left. */
  leave({ brokerName, brokerAddr }: BrokerIdentity): BrokerGroup | undefined {
    const group = this.#groups.get(brokerName)
    if (group === undefined) return undefined
    const brokerAddrs = new Map([...group.brokerAddrs].filter(([, each]) => each !== brokerAddr))
    const left = { ...group, brokerAddrs }
    if (brokerAddrs.size === 0) this.#groups.delete(brokerName)
    else this.#groups.set(brokerName, left)
    return left
  }

  clusterInfo(): ClusterInfo {
    const clusterAddrTable = new Map<string, string[]>()
    for (const { cluster, brokerName } of this.#groups.values()) {
      const names = clusterAddrTable.get(cluster) ?? []
      clusterAddrTable.set(cluster, [...names, brokerName])
    }
    return { brokerAddrTable: new Map(this.#groups), clusterAddrTable }
  }

  namesIn(cluster: string): Set<string> {
    const groups = [...this.#groups.values()].filter((group) => group.cluster === cluster)
    return new Set(groups.map(({ brokerName }) => brokerName))
  }
}

function liveKey(broker: Pick<BrokerIdentity, 'clusterName' | 'brokerAddr'>): string {
  return `${broker.brokerAddr} ${broker.clusterName}`
}

function byId([one]: readonly [number, string], [other]: readonly [number, string]): number {
  return one - other
}

function isSame(one: BrokerGroup, other: BrokerGroup): boolean {
  const isAlike =
    one.cluster === other.cluster &&
    one.zoneName === other.zoneName &&
    one.enableActingMaster === other.enableActingMaster &&
    one.brokerAddrs.size === other.brokerAddrs.size
  return (
    isAlike && [...one.brokerAddrs].every(([id, address]) => other.brokerAddrs.get(id) === address)
  )
}
