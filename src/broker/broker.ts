import { lookup } from 'node:dns/promises'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { ConfigError } from '../config/load.ts'
import { fewProblems } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import { formatAddress, hostBytes } from '../net/address.ts'
import { Handlers } from '../net/handlers.ts'
import { RemotingClient } from '../net/remoting-client.ts'
import { isLightQueue } from '../protocol/light-queues.ts'
import type { RemotingCommand } from '../protocol/remoting-command.ts'
import { runOnLoop } from '../ring/agent.ts'
import { endPoisoned, failThread } from '../ring/thread-failure.ts'
import { Fault, RetentionAsk, Thread } from '../store/log-memory.ts'
import type { Ask } from './asks.ts'
import { BrokerStats } from './broker-stats.ts'
import { BrokerStore } from './broker-store.ts'
import { openBrokerContext, type OpenBrokerContext } from './broker-context.ts'
import { type Delivery, openDelivery } from './delivery.ts'
import { EarlyWorkers } from './early-workers.ts'
import { registerConsumeDirectly } from './handlers/consume-directly.ts'
import { registerMainSends } from './handlers/main-sends.ts'
import { registerPopRequests } from './handlers/pop-requests.ts'
import { registerQueryHandlers } from './handlers/queries.ts'
import { registerHandlers } from './handlers/register.ts'
import { registerReplyHandlers } from './handlers/reply-messages.ts'
import { registerSendBackHandler } from './handlers/send-back.ts'
import { registerStatsHandlers } from './handlers/stats.ts'
import { registerTimerHandlers } from './handlers/timers.ts'
import { registerTransactionHandlers } from './handlers/transactions.ts'
import { bindPorts } from './listen-ports.ts'
import { LiveConfig } from './live-config.ts'
import { makeAsked } from './make-asked.ts'
import { MainQueueStore } from './main-queue-store.ts'
import { messageQueries, type MessageQueries } from './message-queries.ts'
import { MetadataPublisher } from './metadata-publisher.ts'
import { Registration } from './registration.ts'
import { SegmentManifests } from './segment-manifests.ts'
import { statsInfo } from './stats-info.ts'
import { storeInfo } from './store-info.ts'
import { StoreLog } from './store-log.ts'
import { timerInfo } from './timer-info.ts'
import { hotBytes } from './transfer-limits.ts'
import { WorkerPeers } from './worker-peers.ts'
import { Workers } from './workers.ts'

export interface BrokerParts {
  config: BrokerConfig
  /** Where it was read from: what is changed at run time is written there. */
  configFile?: string
  disk: Disk
  clock: Clock
  log: Log
  /** Threads that wait for their work already. */
  early?: EarlyWorkers
}

/** A start waits this long for name servers; those that are slower hear of the broker later. */
const REGISTER_MS = 1000
/** Followers that are behind at a clean stop have this long to catch up. */
const CATCH_UP_MS = 5000

/** A broker that is up: all its threads run, it listens and is registered. */
export class Broker {
  readonly port: number
  readonly #parts: BrokerParts
  readonly #store: BrokerStore
  readonly #workers: Workers
  readonly #context: OpenBrokerContext
  readonly #delivery: Delivery
  readonly #registration: Registration
  readonly #client: RemotingClient
  readonly #stats: BrokerStats
  readonly #manifests: SegmentManifests | null
  readonly #drain: () => boolean
  readonly #stopLoop: () => void

  private constructor(
    port: number,
    parts: BrokerParts,
    built: {
      store: BrokerStore
      workers: Workers
      context: OpenBrokerContext
      delivery: Delivery
      registration: Registration
      client: RemotingClient
      stats: BrokerStats
      manifests: SegmentManifests | null
      drain: () => boolean
      stopLoop: () => void
    },
  ) {
    this.port = port
    this.#parts = parts
    this.#store = built.store
    this.#workers = built.workers
    this.#context = built.context
    this.#delivery = built.delivery
    this.#registration = built.registration
    this.#client = built.client
    this.#stats = built.stats
    this.#manifests = built.manifests
    this.#drain = built.drain
    this.#stopLoop = built.stopLoop
  }

  /** `ip:port` as clients are told. */
  get address(): string {
    return formatAddress({ host: this.#parts.config.brokerIP1, port: this.port })
  }

  /** Recovers the store and starts all threads. Rejects when store or ports cannot be had. */
  static async start(parts: BrokerParts): Promise<Broker> {
    const store = await BrokerStore.open(parts.config, parts)
    try {
      return await Broker.#startOn(store, parts)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  static async #startOn(store: BrokerStore, parts: BrokerParts): Promise<Broker> {
    const { config, clock, log } = parts
    const ports = await bindPorts(config)
    const host = await storeHost(config.brokerIP1, ports.port)
    const live: LiveConfig = new LiveConfig(config, {
      ...parts,
      file: parts.configFile,
      onChange: (changes) => workers.tellSettings(changes),
    })
    const storeLog = new StoreLog(store.shared, live.current, log)
    const workers = new Workers(store.shared, config, {
      storeHost: host,
      early: parts.early ?? new EarlyWorkers(),
      onFailure: endAfter,
      onStoreNews: (news) => storeLog.onNews(news),
    })
    const publisher = new MetadataPublisher(store.shared, workers, store.rows)
    for (const topic of store.rows.topics()) publisher.publishRows(topic)
    let peers: WorkerPeers[] = []
    let delivery: Delivery | null = null
    const drain = () => peers.map((each) => each.drain()).some(Boolean)
    const turn = () => {
      publisher.onWake()
      delivery?.onWake()
      if (drain()) store.shared.signal.wake() // the next turn comes after timers and sockets
    }
    const stopLoop = startLoop(store, turn, storeLog) // before anybody waits for a worker's answer
    const queueStore = new MainQueueStore(store, publisher, hotBytes(config))
    const address = formatAddress({ host: config.brokerIP1, port: ports.port })
    const parted = { address, live, store: queueStore, metadata: publisher, clock, log }
    const context = await openBrokerContext(parted)
    const queries = messageQueries(store.shared, config)
    const { own: counters } = workers
    const { disk } = parts
    delivery = await openDelivery({ store, context, queries, storeHost: host, counters, disk })
    const stats = openStats(store, workers, context)
    const client = new RemotingClient({})
    const served = { context, store, queries, delivery, stats, client, storeHost: host }
    peers = peersOf(workers, served)
    await publisher.applied()
    store.shared.askRetention(RetentionAsk.BEGIN) // flush has been told of all queues, too
    await Promise.all(workers.network.map((worker) => listen(worker, workers, ports)))
    const registration = register(ports.port, context, client)
    await within(REGISTER_MS, registration.start())
    delivery.onWake() // what came due while nobody ran
    return new Broker(ports.port, parts, {
      store,
      workers,
      context,
      delivery,
      registration,
      client,
      stats,
      manifests: manifestsOf(store, parts),
      drain,
      stopLoop,
    })
  }

  /** Ends it in order: nothing that was answered for is lost, the next start finds a clean store. */
  async close(): Promise<void> {
    this.#manifests?.stop()
    this.#stats.close()
    await this.#registration.stop()
    await this.#client.close()
    this.#workers.expectExits()
    const stopped = this.#workers.network.map((worker) => this.#workers.report(worker, 'stopped'))
    this.#workers.tellNetwork({ kind: 'stop' })
    await Promise.all(stopped)
    while (this.#drain()); // the workers' last words: offsets that pulls committed
    await this.#delivery.close()
    await this.#catchUp()
    await this.#context.close()
    this.#stopLoop()
    await this.#workers.stop()
    await this.#delivery.seal()
    await this.#store.close()
  }

  /** Nothing is appended any more: lets the followers come to the end. */
  async #catchUp(): Promise<void> {
    const { shared, writer } = this.#store
    writer.write()
    const deadline = this.#parts.clock.now() + CATCH_UP_MS
    while (shared.dispatched.value() < shared.written.value() && shared.fault() === Fault.NONE) {
      if (this.#parts.clock.now() > deadline) break
      shared.signalOf(Thread.FLUSH).rouse()
      shared.signalOf(Thread.DISPATCH).wake()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

/** Records hold an address, so a name is looked up, once. Rejects with ConfigError. */
async function storeHost(host: string, port: number): Promise<Uint8Array> {
  const found = await lookup(host, { order: 'ipv4first' }).catch(() => null)
  if (found === null) {
    const allowed = 'an IP address, or a name that this machine can look up'
    throw new ConfigError({ key: 'brokerIP1', value: host, allowed })
  }
  const address = hostBytes(found.address)
  const bytes = Buffer.alloc(address.length + 4)
  bytes.set(address)
  bytes.writeInt32BE(port, address.length)
  return bytes
}

/** A worker broke: shared memory cannot be trusted, the next start recovers from the disk. */
function endAfter(reason: string): void {
  process.stderr.write(`RingMQ ends: ${reason}\n`)
  endPoisoned()
}

async function listen(
  worker: Workers['network'][number],
  workers: Workers,
  ports: Awaited<ReturnType<typeof bindPorts>>,
): Promise<void> {
  for (const port of ports.all) {
    const listening = workers.report(worker, 'listening')
    const { host, reusePort } = ports
    worker.worker.postMessage({ kind: 'listen', host, port, reusePort })
    await listening
  }
}

function manifestsOf(store: BrokerStore, parts: BrokerParts): SegmentManifests | null {
  const { config, disk, log } = parts
  if (!config.manifestEnable) return null
  const { places, shared } = store
  const flushed = () => shared.flushed.value()
  const minPosition = () => shared.minPosition.value()
  return new SegmentManifests({ places, disk, log, flushed, minPosition })
}

function openStats(
  store: BrokerStore,
  { counters }: Workers,
  context: OpenBrokerContext,
): BrokerStats {
  const { rows, shared } = store
  return new BrokerStats({
    counters,
    clock: context.clock,
    clusterName: context.config.brokerClusterName,
    topics: () => [...rows.topics()].filter((topic) => !isLightQueue(topic)), // of what is counted already
    queuesOf: (topic) => {
      const ofTopic = rows.of(topic) ?? []
      return {
        rows: ofTopic,
        messages: ofTopic.reduce((sum, row) => sum + shared.rows.max(row), 0),
      }
    },
  })
}

interface Served {
  context: OpenBrokerContext
  store: BrokerStore
  queries: MessageQueries
  delivery: Delivery
  stats: BrokerStats
  client: RemotingClient
  storeHost: Uint8Array
}

function peersOf(workers: Workers, served: Served): WorkerPeers[] {
  const { context, store, queries, delivery, stats, client } = served
  const { clock, log } = context
  const onError = (error: unknown) => {
    const { poison, thread } = store.shared
    failThread(error, { poison, thread, rouseAll: () => store.shared.rouseAll() })
  }
  const report = (problem: string, error: unknown) => log.error({ error: String(error) }, problem)
  const reportFew = fewProblems(report, () => clock.now())
  const handlers = new Handlers(reportFew)
  registerHandlers(handlers, context, () => [
    ...storeInfo(store),
    ...statsInfo(stats, workers.counters),
    ...dedup.info(),
    ...timerInfo(delivery.timers),
  ])
  registerStatsHandlers(handlers, stats)
  registerQueryHandlers(handlers, context, queries)
  registerConsumeDirectly(handlers, context, queries)
  registerSendBackHandler(handlers, context, delivery)
  const dedup = registerMainSends(handlers, served)
  registerReplyHandlers(handlers, served)
  registerTransactionHandlers(handlers, delivery.transactions)
  registerPopRequests(handlers, { context, pops: delivery.pops, client }, reportFew)
  registerTimerHandlers(handlers, context, delivery)
  const events = {
    handlers,
    onClosed: (peerId: number) => {
      context.clients.connectionClosed(peerId)
      context.calls.connectionClosed(peerId)
      context.pushes.connectionClosed(peerId)
      delivery.pops.peerClosed(peerId)
    },
    onResponse: (peerId: number, response: RemotingCommand) => {
      context.calls.onResponse(peerId, response)
      context.pushes.onResponse(peerId, response)
    },
    onCommits: (commits: { group: string; topic: string; queueId: number; offset: number }[]) => {
      for (const { group, topic, queueId, offset } of commits) {
        // They were under way when it was deleted: the next topic of that name begins at 0.
        if (context.topics.get(topic) === undefined) continue
        if (context.groups.get(group) === undefined) continue
        if (context.resets.has(group, topic, queueId)) continue
        context.offsets.commit(group, topic, queueId, offset)
      }
    },
    onAsk: (ask: Ask) => makeAsked(ask, context),
    onError,
    log,
  }
  return workers.network.map(({ link }) => new WorkerPeers(link, events))
}

/** Main's share of the shared memory: wakes by other threads, and what they say of the disk. */
function startLoop(store: BrokerStore, turn: () => void, storeLog: StoreLog): () => void {
  let isStopped = false
  const { signal, poison, thread } = store.shared
  runOnLoop(
    () => {
      turn()
      store.closeDeletable()
      storeLog.onWake()
    },
    signal,
    () => isStopped,
  ).catch((error: unknown) => {
    failThread(error, { poison, thread, rouseAll: () => store.shared.rouseAll() })
  })
  return () => {
    isStopped = true
    signal.wake()
  }
}

function register(port: number, context: OpenBrokerContext, client: RemotingClient): Registration {
  const { address, config, topics, log, startedAt } = context
  const registration = new Registration({
    config,
    topics,
    client,
    log,
    brokerAddr: address,
    haServerAddr: formatAddress({ host: config.brokerIP2, port: config.haListenPort || port + 1 }),
    startedAt,
  })
  topics.announce = () => registration.announce()
  return registration
}

function within(ms: number, done: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    done.then(() => clearTimeout(timer)).then(resolve, reject)
  })
}
