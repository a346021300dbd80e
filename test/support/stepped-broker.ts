import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { BrokerStore } from '../../src/broker/broker-store.ts'
import type { MetadataChange } from '../../src/broker/metadata-change.ts'
import { NetworkThread } from '../../src/broker/network-thread.ts'
import { allocateCounters } from '../../src/broker/worker-counters.ts'
import { linkEnds, ThreadLink } from '../../src/broker/thread-link.ts'
import type { NetworkReport } from '../../src/broker/workers.ts'
import { brokerDeclaration } from '../../src/config/broker.ts'
import { loadConfig } from '../../src/config/load.ts'
import { DirtyBits } from '../../src/ring/dirty-bits.ts'
import { DispatchAgent } from '../../src/store/dispatch-agent.ts'
import { FlushAgent } from '../../src/store/flush-agent.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import type { RowsChange } from '../../src/store/topic-rows.ts'
import { visibleOf } from '../../src/store/visible.ts'
import { MemoryLog } from '../broker/memory-log.ts'
import { tempFolder } from './temp-folder.ts'
import { RawClient } from './raw-client.ts'

const MIB = 1024 * 1024

/**
 * One network worker in the thread of the test, on real sockets. Flush, dispatch and main do their
 * jobs only when the test says so.
 */
export class SteppedBroker {
  readonly shared: LogShared
  /** Main's end of the link to the worker. */
  readonly main: ThreadLink
  readonly flushAgent: FlushAgent
  readonly logDirectory: string
  readonly #store: BrokerStore
  readonly #thread: NetworkThread
  readonly #dispatchAgent: DispatchAgent
  readonly #reports: NetworkReport[] = []
  readonly #rowsChanges: RowsChange[] = []
  readonly #clients: RawClient[] = []
  #version = 0
  #isStopping = false
  #onReport: () => void = () => undefined

  private constructor(store: BrokerStore, settings: Record<string, string>) {
    const { config } = loadConfig(brokerDeclaration, { overrides: settings, environment: {} })
    this.#store = store
    const { memory } = store.shared
    this.logDirectory = store.places.logDirectory
    const isSyncFlush = config.flushDiskType === 'SYNC_FLUSH'
    const dirty = DirtyBits.allocate(config.maxQueues)
    this.shared = new LogShared(memory, Thread.NETWORK)
    const { root, logDirectory: directory, logFileSize: fileSize, queues } = store.places
    const onThread = (thread: number) => {
      const shared = new LogShared(memory, thread)
      const window = new LogWindow(shared)
      const files = new LogFiles(systemDisk, { directory, fileSize })
      return { shared, window, files, writer: new LogWriter(shared, window, files, systemDisk) }
    }
    const flush = onThread(Thread.FLUSH)
    this.flushAgent = new FlushAgent(
      flush.shared,
      { ...flush, disk: systemDisk, clock: systemClock },
      { root, isSyncFlush, intervalMs: 0, leastPages: 0, thoroughMs: 0 },
    )
    const dispatch = onThread(Thread.DISPATCH)
    this.#dispatchAgent = new DispatchAgent(dispatch.shared, {
      ...dispatch,
      disk: systemDisk,
      visible: visibleOf(dispatch.shared, isSyncFlush),
      queues,
      dirty: [new DirtyBits(dirty, config.maxQueues)],
      takeChanges: () => this.#rowsChanges.splice(0),
    })
    const [ours, link] = linkEnds(MIB)
    for (const { port } of [ours, link]) port.unref()
    this.main = new ThreadLink(ours, this.shared.signalOf(Thread.NETWORK))
    const storeHost = Buffer.from('7f00000100002a9f', 'hex')
    const counters = allocateCounters(config.maxQueues)
    const shares = { memory, config, dirty: [dirty], counters }
    const boot = { ...shares, thread: Thread.NETWORK, link, storeHost }
    this.#thread = new NetworkThread(this.shared, boot, (report) => {
      this.#reports.push(report)
      this.#onReport()
    })
    void this.#thread.run()
  }

  /** On a store of its own; everything is closed when the test is over. */
  static async open(settings: Record<string, string> = {}): Promise<SteppedBroker> {
    const overrides = {
      storePathRootDir: tempFolder(),
      bindAddress: '127.0.0.1',
      mappedFileSizeCommitLog: String(16 * MIB),
      logWindowSize: String(8 * MIB),
      maxQueues: '1024',
      networkWorkers: '1',
      ...settings,
    }
    const { config } = loadConfig(brokerDeclaration, { overrides, environment: {} })
    const parts = { disk: systemDisk, clock: systemClock, log: new MemoryLog() }
    const broker = new SteppedBroker(await BrokerStore.open(config, parts), overrides)
    onTestFinished(() => broker.#close())
    return broker
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.connect(await this.#listen())
    this.#clients.push(client)
    return client
  }

  /** Or changes it. */
  addTopic(topic: string, queues = 1, ttlMs = 0): void {
    this.#store.rows.ensure(topic, queues)
    const rows = [...this.#store.rows.of(topic)!]
    this.#rowsChanges.push({ topic, rows })
    const counts = { readQueueNums: queues, writeQueueNums: queues }
    this.#publish({ kind: 'topic', topic, perm: 6, ...counts, ttlMs, dedupWindowMs: 0, rows })
  }

  addGroup(group: string): void {
    this.#publish({ kind: 'group', group, consumeEnable: true })
  }

  removeTopic(topic: string): void {
    this.#store.rows.remove(topic)
    this.#rowsChanges.push({ topic, rows: [] })
    this.#publish({ kind: 'topicGone', topic })
  }

  /** Everything that is visible gets its queue entry, and held pulls hear of it. */
  dispatch(): void {
    while (this.#dispatchAgent.turn() > 0);
  }

  #publish(change: MetadataChange): void {
    const version = ++this.#version
    this.#store.shared.publishMetadataVersion(version)
    this.#thread.onCommand({ kind: 'metadata', changes: [change], version })
  }

  async #listen(): Promise<number> {
    const known = this.#reports.find((report) => report.kind === 'listening')
    if (known !== undefined) return known.port
    this.#thread.onCommand({ kind: 'listen', host: '127.0.0.1', port: 0, reusePort: false })
    await new Promise<void>((resolve) => (this.#onReport = resolve))
    return this.#listen()
  }

  /** The worker is told to stop; resolves when it has. */
  stop(): Promise<void> {
    if (this.#isStopping) return Promise.resolve()
    this.#isStopping = true
    const stopped = new Promise<void>((resolve) => (this.#onReport = resolve))
    this.#thread.onCommand({ kind: 'stop' })
    return stopped
  }

  async #close(): Promise<void> {
    this.flushAgent.turn() // replies that wait for it leave, and hold up nothing
    for (const client of this.#clients) client.close()
    await Promise.all(this.#clients.map(({ closed }) => closed))
    await this.stop()
    this.flushAgent.close()
    this.#dispatchAgent.close()
    await this.#store.close()
  }
}
