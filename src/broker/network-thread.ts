import { randomInt } from 'node:crypto'
import { monotonicClock, systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { hasLightQueues } from '../config/store.ts'
import { Connections } from '../net/connections.ts'
import { Listener } from '../net/listener.ts'
import { UniqueIds } from '../protocol/message-id.ts'
import { runOnLoop } from '../ring/agent.ts'
import { DirtyBits } from '../ring/dirty-bits.ts'
import { Closing } from '../store/closing.ts'
import { LogAppender } from '../store/log-appender.ts'
import { LogChunks } from '../store/log-chunks.ts'
import { LogFiles } from '../store/log-files.ts'
import { Thread, type LogShared } from '../store/log-memory.ts'
import { LogWindow } from '../store/log-window.ts'
import { LogWriter } from '../store/log-writer.ts'
import { PullReader } from '../store/pull-reader.ts'
import { storePlaces } from '../store/store-places.ts'
import { appendMax } from './broker-store.ts'
import { PullHandler } from './handlers/pull.ts'
import { SendHandler, type SendOptions } from './handlers/send.ts'
import { HeldPulls } from './held-pulls.ts'
import { ReplyWriter } from './hot-replies.ts'
import { MetadataView } from './metadata-view.ts'
import { NetworkAgent } from './network-agent.ts'
import { ThreadLink } from './thread-link.ts'
import { TopicQueues } from './topic-queues.ts'
import { transferLimits } from './transfer-limits.ts'
import { TurnClock } from './turn-clock.ts'
import { WorkerCounters } from './worker-counters.ts'
import type { NetworkBoot, NetworkCommand, NetworkReport } from './workers.ts'

/** At a stop, replies that wait for the disk have this long to leave. */
const ANSWER_MS = 1000

/** Puts a network worker together and does what main tells it. */
export class NetworkThread {
  readonly #shared: LogShared
  readonly #boot: NetworkBoot
  readonly #report: (report: NetworkReport) => void
  readonly #connections: Connections
  readonly #listeners: Listener[] = []
  readonly #agent: NetworkAgent
  readonly #files: LogFiles
  readonly #chunks: LogChunks
  readonly #queues: TopicQueues
  readonly #metadata = new MetadataView()
  readonly #clock = new TurnClock(systemClock)
  readonly #elapsed = new TurnClock(monotonicClock)
  /** Copy settings that may change from the configuration to where they are looked at. */
  readonly #live: (() => void)[] = []
  #isStopped = false

  constructor(shared: LogShared, boot: NetworkBoot, report: (report: NetworkReport) => void) {
    this.#shared = shared
    this.#boot = boot
    this.#report = report
    const { config, dirty, link, thread } = boot
    const { logDirectory, logFileSize, queues } = storePlaces(config)
    this.#files = new LogFiles(systemDisk, { directory: logDirectory, fileSize: logFileSize })
    this.#chunks = new LogChunks(this.#files, () => shared.written.value())
    this.#queues = new TopicQueues(queues, systemDisk)
    this.#connections = new Connections({
      clock: monotonicClock,
      idleMs: config.serverChannelMaxIdleTimeSeconds * 1000,
    })
    const worker = thread - Thread.NETWORK
    const window = new LogWindow(shared)
    const writer = new LogWriter(shared, window, this.#files, systemDisk)
    const held = new HeldPulls(shared.rows, worker)
    const clocks = { turn: this.#elapsed, clock: monotonicClock }
    const counters = new WorkerCounters(boot.counters, clocks, (pair) =>
      report({ kind: 'pair', pair }),
    )
    this.#agent = new NetworkAgent({
      shared,
      writer,
      link: new ThreadLink(link, shared.signalOf(Thread.MAIN)),
      metadata: this.#metadata,
      held,
      dirty: new DirtyBits(dirty[worker]!, shared.rows.capacity),
      clock: monotonicClock,
      counters,
      turnClocks: [this.#clock, this.#elapsed],
    })
    const replies = new ReplyWriter({ regionId: config.regionId, traceOn: config.traceOn })
    const send = this.#sendHandler({ window, writer, replies, counters })
    this.#agent.use({ send, pull: this.#pullHandler({ window, held, replies, counters }) })
  }

  /** Until main says stop. */
  run(): Promise<void> {
    const closing = new Closing(this.#shared, (position) => this.#closeBelow(position))
    const turn = () => {
      closing.turn()
      this.#agent.onWake()
    }
    return runOnLoop(turn, this.#shared.signal, () => this.#isStopped)
  }

  onCommand(command: NetworkCommand): void {
    switch (command.kind) {
      case 'listen':
        this.#listen(command).then(this.#report, (error: Error) =>
          this.#report({ kind: 'failed', message: error.message }),
        )
        return
      case 'metadata':
        this.#agent.applyChanges(command.changes, command.version)
        return
      case 'settings':
        Object.assign(this.#boot.config, command.changes)
        this.#live.forEach((takeOver) => takeOver())
        return
      case 'stop':
        void this.#stop()
    }
  }

  #closeBelow(position: number): boolean {
    if (!this.#chunks.forgetBelow(position)) return false
    this.#files.closeBelow(position)
    this.#queues.closeBelowMin((row) => this.#shared.rows.min(row))
    return true
  }

  async #listen(at: Extract<NetworkCommand, { kind: 'listen' }>): Promise<NetworkReport> {
    const listener = new Listener({
      connections: this.#connections,
      handlerFor: (connection) => this.#agent.open(connection),
      maxConnections: this.#boot.config.maxConnections,
    })
    const port = await listener.listen({ host: at.host, port: at.port, reusePort: at.reusePort })
    this.#listeners.push(listener)
    return { kind: 'listening', port }
  }

  async #stop(): Promise<void> {
    const closing = this.#listeners.map((listener) => listener.close())
    for (const connection of this.#connections) connection.pause()
    await this.#untilAnswered()
    this.#agent.close()
    this.#connections.closeAll('the broker stops')
    await Promise.all(closing)
    this.#isStopped = true
    this.#files.closeAll()
    this.#queues.closeAll()
    this.#report({ kind: 'stopped' })
    this.#shared.signal.wake()
  }

  /** What was taken is answered, if the disk allows it in time. */
  async #untilAnswered(): Promise<void> {
    const deadline = monotonicClock.now() + ANSWER_MS
    while (this.#agent.isWaiting && monotonicClock.now() < deadline) {
      this.#agent.onWake()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #sendHandler(parts: {
    window: LogWindow
    writer: LogWriter
    replies: ReplyWriter
    counters: WorkerCounters
  }): SendHandler {
    const { config, storeHost } = this.#boot
    const { window, writer, replies, counters } = parts
    const fileSize = config.mappedFileSizeCommitLog
    const ids = new UniqueIds({
      address: storeHost.subarray(0, -4),
      pid: process.pid,
      hash: randomInt(2 ** 32),
    })
    const appender = new LogAppender(this.#shared, window, { fileSize, clock: this.#clock })
    const options: SendOptions = {
      brokerIP1: config.brokerIP1,
      brokerPermission: config.brokerPermission,
      maxMessageSize: config.maxMessageSize,
      appendMax: appendMax(config),
      isLongTopicAllowed: config.autoMessageVersionOnTopicLen,
      suffix: Buffer.from(
        `MSG_REGION\u0001${config.regionId}\u0002TRACE_ON\u0001${config.traceOn}\u0002CLUSTER\u0001${config.brokerClusterName}\u0002`,
      ),
      storeHost: Buffer.from(storeHost),
      isSyncFlush: config.flushDiskType === 'SYNC_FLUSH',
      syncFlushTimeoutMs: config.syncFlushTimeout,
      disk: config,
      parking: config,
      hasLightQueues: hasLightQueues(config),
    }
    this.#live.push(() => (options.brokerPermission = config.brokerPermission))
    return new SendHandler(
      {
        shared: this.#shared,
        appender,
        writer,
        metadata: this.#metadata,
        replies,
        counters,
        clock: this.#clock,
        elapsed: this.#elapsed,
        onReply: (session, gate) => this.#agent.onSendReply(session, gate),
        onWritten: () => this.#agent.onWritten(),
        uniqueKeyPair: () => `UNIQ_KEY\u0001${ids.next(systemClock.now())}\u0002`,
      },
      options,
    )
  }

  #pullHandler(parts: {
    window: LogWindow
    held: HeldPulls
    replies: ReplyWriter
    counters: WorkerCounters
  }): PullHandler {
    const { config } = this.#boot
    const shared = this.#shared
    const limits = transferLimits(config)
    this.#live.push(() => Object.assign(limits, transferLimits(config)))
    const reader = new PullReader(shared, {
      window: parts.window,
      chunks: this.#chunks,
      onDamage: (position) => void logDamage(position),
      limits,
    })
    return new PullHandler(
      {
        reader,
        held: parts.held,
        metadata: this.#metadata,
        replies: parts.replies,
        counters: parts.counters,
        clock: monotonicClock,
        wallClock: this.#clock,
        queueOf: (topic, queueId, row) => this.#queues.get(topic, queueId, row),
        forgetQueues: (rows) => this.#queues.forget(rows),
        onReply: (session) => this.#agent.onReply(session),
        commit: (group, topic, queueId, offset) =>
          this.#agent.commits.add(group, topic, queueId, offset),
      },
      config,
    )
  }
}

/** The logger is loaded when it is needed, which is hardly ever: this thread starts the sooner. */
async function logDamage(position: number): Promise<void> {
  const { createLog } = await import('../log/log.ts')
  const text = 'a message is damaged on the disk: consumers pass over it'
  createLog('mqbroker').error({ position }, text)
}
