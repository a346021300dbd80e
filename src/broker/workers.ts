import type { MessagePort, Worker } from 'node:worker_threads'
import { monotonicClock } from '../base/clock.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { DirtyBits } from '../ring/dirty-bits.ts'
import { isThreadFailure } from '../ring/thread-failure.ts'
import type { RowsChange } from '../store/topic-rows.ts'
import { RetentionAsk, Thread, type LogMemory, type LogShared } from '../store/log-memory.ts'
import type { StoreNews } from '../store/retention.ts'
import type { EarlyWorkers, WorkerRole } from './early-workers.ts'
import type { ConfigChanges } from './live-config.ts'
import type { MetadataChange } from './metadata-change.ts'
import type { SettingsChange } from './rows-changes.ts'
import {
  allocateCounters,
  CounterReader,
  type CountedPair,
  WorkerCounters,
} from './worker-counters.ts'
import { type LinkEnd, linkEnds, ThreadLink } from './thread-link.ts'

/** Bytes of one ring between main and a network worker. */
const RING_BYTES = 1024 * 1024

/** What every worker is told first. */
export interface WorkerBoot {
  memory: LogMemory
  thread: number
  config: BrokerConfig
  /** Rows that moved, one set per network worker. */
  dirty: SharedArrayBuffer[]
}

export interface NetworkBoot extends WorkerBoot {
  link: LinkEnd
  storeHost: Uint8Array
  /** See WorkerCounters. */
  counters: SharedArrayBuffer
}

/** Main to a network worker. */
export type NetworkCommand =
  | { kind: 'listen'; host: string; port: number; reusePort: boolean }
  | { kind: 'metadata'; changes: MetadataChange[]; version: number }
  | { kind: 'settings'; changes: ConfigChanges }
  | { kind: 'stop' }

/** A network worker to main. */
export type NetworkReport =
  | { kind: 'listening'; port: number }
  | { kind: 'failed'; message: string }
  | { kind: 'stopped' }
  | { kind: 'pair'; pair: CountedPair }

export interface NetworkWorker {
  worker: Worker
  link: ThreadLink
}

/** The broker's worker threads. */
export class Workers {
  readonly network: NetworkWorker[] = []
  /** What the network workers and main count. */
  readonly counters: CounterReader
  /** Main's own. */
  readonly own: WorkerCounters
  readonly #shared: LogShared
  readonly #config: BrokerConfig
  readonly #dirty: SharedArrayBuffer[]
  /** One per worker, taken at its start: it may leave before anybody waits for it. */
  readonly #exits: Promise<void>[] = []
  readonly #early: EarlyWorkers
  readonly #onFailure: (reason: string) => void
  readonly #flush: Worker
  readonly #dispatch: Worker
  #isStopping = false

  constructor(
    shared: LogShared,
    config: BrokerConfig,
    options: {
      storeHost: Uint8Array
      early: EarlyWorkers
      onFailure: (reason: string) => void
      onStoreNews: (news: StoreNews) => void
    },
  ) {
    this.#shared = shared
    this.#config = config
    this.#onFailure = options.onFailure
    this.#early = options.early
    const { capacity } = shared.rows
    const memories = Array.from({ length: config.networkWorkers }, () => allocateCounters(capacity))
    const ofMain = allocateCounters(capacity)
    const clocks = { turn: monotonicClock, clock: monotonicClock }
    this.counters = new CounterReader([...memories, ofMain])
    this.own = new WorkerCounters(ofMain, clocks, (pair) => {
      this.counters.addPair(memories.length, pair)
    })
    this.#dirty = Array.from({ length: config.networkWorkers }, () => DirtyBits.allocate(capacity))
    this.#flush = this.#start('flush', this.#boot(Thread.FLUSH))
    this.#flush.on('message', (message) => {
      if (!isThreadFailure(message)) options.onStoreNews(message as StoreNews)
    })
    this.#dispatch = this.#start('dispatch', this.#boot(Thread.DISPATCH))
    for (const [nth, counters] of memories.entries()) {
      this.#startNetwork(nth, options.storeHost, counters)
    }
  }

  /** Rows of topics, before the version that counts them in is published. */
  tellFollowers(changes: readonly RowsChange[]): void {
    for (const change of changes) {
      this.#flush.postMessage(change) // first: it must know of whatever dispatch writes
      this.#dispatch.postMessage(change)
    }
  }

  tellNetwork(command: NetworkCommand): void {
    for (const { worker } of this.network) worker.postMessage(command)
  }

  /** Settings that changed; each thread looks at those it knows. */
  tellSettings(changes: ConfigChanges): void {
    this.tellNetwork({ kind: 'settings', changes })
    this.#flush.postMessage({ settings: changes } satisfies SettingsChange)
    this.#shared.askRetention(RetentionAsk.SETTINGS)
  }

  /** The next report of a worker of this kind. Rejects when it reports a failure instead. */
  report<K extends NetworkReport['kind']>(
    { worker }: NetworkWorker,
    kind: K,
  ): Promise<Extract<NetworkReport, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const listener = (report: NetworkReport) => {
        if (report.kind !== kind && report.kind !== 'failed') return
        worker.off('message', listener)
        if (report.kind === 'failed') reject(new Error(report.message))
        else resolve(report as Extract<NetworkReport, { kind: K }>)
      }
      worker.on('message', listener)
    })
  }

  /** All threads end their work and leave. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#shared.stop()
    await Promise.all(this.#exits)
  }

  /** From now on a worker that ends is no failure. */
  expectExits(): void {
    this.#isStopping = true
  }

  #boot(thread: number): WorkerBoot {
    return { memory: this.#shared.memory, thread, config: this.#config, dirty: this.#dirty }
  }

  #startNetwork(nth: number, storeHost: Uint8Array, counters: SharedArrayBuffer): void {
    const [ours, theirs] = linkEnds(RING_BYTES)
    const thread = Thread.NETWORK + nth
    const boot: NetworkBoot = { ...this.#boot(thread), link: theirs, storeHost, counters }
    const worker = this.#start('network', boot, [theirs.port])
    worker.on('message', (report: NetworkReport) => {
      if (report.kind === 'pair') this.counters.addPair(nth, report.pair)
    })
    ours.port.unref()
    this.network.push({ worker, link: new ThreadLink(ours, this.#shared.signalOf(thread)) })
  }

  #start(role: WorkerRole, boot: WorkerBoot, transferList: MessagePort[] = []): Worker {
    const worker = this.#early.take(role)
    worker.postMessage(boot, transferList)
    worker.on('message', (message) => {
      if (isThreadFailure(message)) this.#onFailure(`the ${role} thread failed: ${message.failure}`)
    })
    worker.on('error', (error) => this.#onFailure(`the ${role} thread failed: ${String(error)}`))
    worker.on('exit', (code) => {
      if (!this.#isStopping) this.#onFailure(`the ${role} thread ended with code ${code}`)
    })
    this.#exits.push(new Promise((resolve) => worker.once('exit', () => resolve())))
    return worker
  }
}
