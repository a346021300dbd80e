import { crc32 } from 'node:zlib'
import type { BrokerConfig } from '../config/broker.ts'
import type { Log } from '../log/log.ts'
import type { RemotingClient } from '../net/remoting-client.ts'
import { DataVersion } from '../protocol/bodies/data-version.ts'
import { KvTable } from '../protocol/bodies/kv-table.ts'
import {
  encodeRegisterBrokerCompressed,
  RegisterBrokerBody,
} from '../protocol/bodies/register-broker.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import {
  QueryDataVersion,
  RegisterBroker,
  UnregisterBroker,
} from '../protocol/requests/registration.ts'
import { firstVersion } from './data-version.ts'
import { NameServerLink } from './name-server-link.ts'
import { Permission } from './system-topics.ts'
import type { Topics } from './topics.ts'

/** A name server that is there but slow keeps no change waiting for longer. */
const ANNOUNCE_TIMEOUT_MS = 1000
const UNREGISTER_TIMEOUT_MS = 3000

export interface RegistrationParts {
  config: BrokerConfig
  topics: Topics
  client: RemotingClient
  log: Log
  /** `ip:port` that clients are to connect to. */
  brokerAddr: string
  /** `ip:port` that slaves are to connect to. */
  haServerAddr: string
  startedAt: number
}

/** What is sent to every name server while the topics stay the same. */
interface Payload {
  version: DataVersion
  body: Buffer
  bodyCrc32: number
}

/**
 * Tells every name server that this broker lives and which topics it holds: at the start, when
 * topics change, and every `registerNameServerPeriod`. Each is served on its own: one that is down
 * delays neither the others nor the start, and is logged once when it goes and once when it comes back.
 */
export class Registration {
  readonly #parts: RegistrationParts
  #links: NameServerLink[] = []
  #payload: Payload | null = null
  /** The version each name server has, as far as we know. */
  readonly #sent = new Map<string, DataVersion>()

  constructor(parts: RegistrationParts) {
    this.#parts = parts
    this.setNameServers(parts.config.namesrvAddr)
  }

  /** Resolves when every name server has answered or failed once. Nobody needs to wait for it. */
  async start(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.refresh()))
  }

  /** Replaces the list, `host:port` separated by `;`. `start` registers with the new ones. */
  setNameServers(addresses: string): void {
    const wanted = new Set(addresses.split(';').filter((address) => address.trim() !== ''))
    for (const link of this.#links) if (!wanted.has(link.address)) link.stop()
    const known = new Map(this.#links.map((link) => [link.address, link]))
    this.#links = [...wanted].map((address) => known.get(address) ?? this.#link(address))
  }

  /** Resolves when the name servers that can be reached know the topics as they are now, or are too slow. */
  async announce(): Promise<void> {
    const links = this.#links.filter((link) => !link.isDown)
    await within(ANNOUNCE_TIMEOUT_MS, Promise.all(links.map((link) => link.refresh())))
  }

  /** Takes this broker out of every name server that can be reached. */
  async stop(): Promise<void> {
    for (const link of this.#links) link.stop()
    const links = this.#links.filter((link) => !link.isDown)
    await Promise.all(links.map(({ address }) => this.#unregister(address)))
  }

  #link(address: string): NameServerLink {
    const { config, log } = this.#parts
    const register = (): Promise<void> => this.#register(address)
    return new NameServerLink({ address, register, periodMs: config.registerNameServerPeriod, log })
  }

  async #register(address: string): Promise<void> {
    const { config, client, haServerAddr } = this.#parts
    const { version, body, bodyCrc32 } = this.#currentPayload()
    if (!config.forceRegister && (await this.#isKnown(address, version))) return
    const header = {
      ...this.#identity(),
      haServerAddr,
      enableActingMaster: false,
      compressed: config.compressedRegister,
      bodyCrc32,
    }
    const timeoutMs = config.registerBrokerTimeoutMills
    const answer = await client.call(address, RegisterBroker, header, { body, timeoutMs })
    this.#sent.set(address, version)
    this.#takeOrderedTopics(address, answer.body)
  }

  /** Asks a name server that should have this version whether it has. Counts as a sign of life. */
  async #isKnown(address: string, version: DataVersion): Promise<boolean> {
    if (this.#sent.get(address) !== version) return false
    const { client, config } = this.#parts
    const body = DataVersion.encode(version)
    const timeoutMs = config.registerBrokerTimeoutMills
    const options = { body, timeoutMs }
    const { header } = await client.call(address, QueryDataVersion, this.#identity(), options)
    return !header.changed
  }

  async #unregister(address: string): Promise<void> {
    const { client, log } = this.#parts
    try {
      const options = { timeoutMs: UNREGISTER_TIMEOUT_MS }
      await client.call(address, UnregisterBroker, this.#identity(), options)
    } catch (error) {
      const fields = { nameServer: address, reason: (error as Error).message }
      log.warn(fields, 'the name server was not told that this broker stops')
    }
  }

  #identity() {
    const { config, brokerAddr } = this.#parts
    const { brokerName, brokerClusterName: clusterName, brokerId } = config
    return { brokerName, brokerAddr, clusterName, brokerId }
  }

  #currentPayload(): Payload {
    const { topics, config } = this.#parts
    const version = topics.dataVersion
    if (this.#payload?.version === version) return this.#payload
    const value = this.#body(version)
    const body = config.compressedRegister
      ? encodeRegisterBrokerCompressed(value)
      : RegisterBrokerBody.encode(value)
    const bodyCrc32 = crc32(body) & 0x7fffffff
    this.#payload = { version, body, bodyCrc32 }
    return this.#payload
  }

  #body(dataVersion: DataVersion): RegisterBrokerBody {
    const { topics, startedAt, config } = this.#parts
    const allowed = config.brokerPermission
    return {
      filterServerList: [],
      topicConfigSerializeWrapper: {
        dataVersion,
        mappingDataVersion: firstVersion(startedAt),
        topicConfigTable: withPermission(topics.all, allowed),
        topicQueueMappingDetailMap: new Map(),
        topicQueueMappingInfoMap: new Map(),
      },
    }
  }

  /** Only the first name server that is up is believed: two with different lists must not take turns. */
  #takeOrderedTopics(address: string, body: Uint8Array | null): void {
    const first = this.#links.find((link) => !link.isDown)
    if (body === null || first?.address !== address) return
    const { topics, log } = this.#parts
    const { table } = KvTable.decode(body)
    // Not awaited: it announces the change, which waits for the registration that we are in.
    topics.markOrdered(table.keys()).catch((error: unknown) => {
      log.error({ error }, 'ordered topics cannot be saved')
    })
  }
}

/** A broker that may not be written to says so of each of its topics, so that no producer chooses it. */
function withPermission(
  topics: ReadonlyMap<string, TopicConfig>,
  allowed: number,
): Map<string, TopicConfig> {
  if ((allowed & Permission.READ_WRITE) === Permission.READ_WRITE) return new Map(topics)
  return new Map(
    Array.from(topics, ([name, topic]) => [name, { ...topic, perm: topic.perm & allowed }]),
  )
}

async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([work, timeout])
  clearTimeout(timer)
}
