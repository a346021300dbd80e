import { join } from 'node:path'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { DirtyBits } from '../../src/ring/dirty-bits.ts'
import { beginRun, endRun } from '../../src/store/last-stop.ts'
import {
  ConsumeQueue,
  queueDirectory,
  readUnit,
  UNIT_LENGTH,
} from '../../src/store/consume-queue.ts'
import { DeletedTopics } from '../../src/store/deleted-topics.ts'
import { DescriptorCache } from '../../src/store/descriptor-cache.ts'
import { Closing } from '../../src/store/closing.ts'
import { DispatchAgent } from '../../src/store/dispatch-agent.ts'
import { FlushAgent } from '../../src/store/flush-agent.ts'
import { AppendStatus, LogAppender } from '../../src/store/log-appender.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import {
  allocateLogMemory,
  LogShared,
  RetentionAsk,
  Thread,
  type LogMemory,
} from '../../src/store/log-memory.ts'
import { LogReader } from '../../src/store/log-reader.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import { BatchRecord, MessageRecord, type RecordFields } from '../../src/store/message-record.ts'
import { QueueRows } from '../../src/store/queue-rows.ts'
import { Retention, type RetentionOptions, type StoreNews } from '../../src/store/retention.ts'
import type { Recovered } from '../../src/store/recovery.ts'
import type { RowsChange } from '../../src/store/topic-rows.ts'
import { visibleOf } from '../../src/store/visible.ts'
import { BOOT, recoverFolder } from './recovered-store.ts'
import { recordFields, type RecordParams } from './records.ts'

export interface RigOptions {
  root: string
  disk?: Disk
  windowSize?: number
  /** The longest append. */
  slack?: number
  logFileSize?: number
  queueFileSize?: number
  isSyncFlush?: boolean
  boot?: string
  flushIntervalMs?: number
  leastPages?: number
  thoroughMs?: number
  /** Old files are deleted, by these settings and Apache's defaults. */
  retention?: Partial<RetentionOptions> | null
}

const RETENTION: RetentionOptions = {
  fileReservedTime: 72,
  deleteWhen: '04',
  diskMaxUsedSpaceRatio: 75,
  diskSpaceCleanForciblyRatio: 85,
  diskSpaceWarningLevelRatio: 90,
  cleanFileForciblyEnable: true,
  maxStoreBytes: 0,
  cleanResourceInterval: 10_000,
  deleteFileBatchMax: 10,
  deleteCommitLogFilesInterval: 100,
  deleteConsumeQueueFilesInterval: 100,
  destroyMapedFileIntervalForcibly: 120_000,
  redeleteHangedFileInterval: 120_000,
}

export class HandClock {
  time = 1_700_000_000_000

  now(): number {
    return this.time
  }
}

/** What one thread has of the log. */
function threadOf(memory: LogMemory, thread: number, disk: Disk, options: Required<RigOptions>) {
  const shared = new LogShared(memory, thread)
  const window = new LogWindow(shared)
  const directory = join(options.root, 'commitlog')
  const files = new LogFiles(disk, { directory, fileSize: options.logFileSize })
  return { shared, window, files, writer: new LogWriter(shared, window, files, disk) }
}

/** A whole store in the thread of the test: nothing moves unless the test says so. */
export class StoreRig {
  readonly options: Required<RigOptions>
  readonly disk: Disk
  readonly clock = new HandClock()
  /** For pauses. */
  readonly elapsed = new HandClock()
  readonly retention: Retention
  readonly news: StoreNews[] = []
  readonly recovered: Recovered
  readonly memory: LogMemory
  readonly network: ReturnType<typeof threadOf>
  readonly flushAgent: FlushAgent
  readonly dispatchAgent: DispatchAgent
  readonly deleted: DeletedTopics
  readonly #rows: QueueRows
  readonly #appender: LogAppender
  readonly #reader: LogReader
  readonly #descriptors: DescriptorCache
  readonly #changes: RowsChange[] = []
  readonly #changesForFlush: RowsChange[] = []
  readonly #settings: RetentionOptions
  #changedSettings: Partial<RetentionOptions> = {}
  readonly #closings: Closing[]
  #version = 0

  constructor(options: RigOptions) {
    this.options = {
      disk: systemDisk,
      windowSize: 4096,
      slack: 2048,
      logFileSize: 4096,
      queueFileSize: 200,
      isSyncFlush: false,
      boot: BOOT,
      flushIntervalMs: 0,
      leastPages: 0,
      thoroughMs: 0,
      retention: null,
      ...options,
    }
    const { disk, root, logFileSize, queueFileSize, isSyncFlush, windowSize, slack, boot } =
      this.options
    this.disk = disk
    disk.makeDirectory(root)
    this.recovered = recoverFolder({ root, disk, logFileSize, queueFileSize, boot })
    this.deleted = new DeletedTopics(disk, root)
    this.deleted.keepWithin(this.recovered)
    beginRun(disk, root, boot)
    this.memory = allocateLogMemory({ windowSize, slack, threads: Thread.NETWORK + 1, rows: 64 })
    const main = threadOf(this.memory, Thread.MAIN, disk, this.options)
    main.shared.start(this.recovered.end, this.recovered)
    main.shared.publishCreated(logFileSize * Math.ceil(this.recovered.end / logFileSize))
    this.#rows = new QueueRows(main.shared.rows)
    for (const state of this.recovered.queues) this.#rows.restore(state.topic, state.queueId, state)
    this.network = threadOf(this.memory, Thread.NETWORK, disk, this.options)
    const { shared, window, files } = this.network
    this.#appender = new LogAppender(shared, window, { fileSize: logFileSize, clock: this.clock })
    this.#reader = new LogReader(shared, window, files)
    this.#descriptors = new DescriptorCache(disk, { max: 8, isReadOnly: true })
    const flush = threadOf(this.memory, Thread.FLUSH, disk, this.options)
    this.#settings = { ...RETENTION, ...this.options.retention }
    this.retention = this.#retentionOn(flush)
    const parts = { ...flush, disk, clock: this.clock, retention: this.retention }
    this.flushAgent = new FlushAgent(flush.shared, parts, {
      root,
      isSyncFlush,
      intervalMs: this.options.flushIntervalMs,
      leastPages: this.options.leastPages,
      thoroughMs: this.options.thoroughMs,
    })
    const dispatch = threadOf(this.memory, Thread.DISPATCH, disk, this.options)
    this.dispatchAgent = new DispatchAgent(dispatch.shared, {
      ...dispatch,
      disk,
      visible: visibleOf(dispatch.shared, isSyncFlush),
      queues: { root: join(root, 'consumequeue'), fileSize: queueFileSize },
      dirty: [new DirtyBits(DirtyBits.allocate(64), 64)],
      takeChanges: () => this.#changes.splice(0),
    })
    this.#closings = [
      new Closing(main.shared, () => true),
      new Closing(dispatch.shared, (position) => this.dispatchAgent.closeBelow(position)),
      new Closing(shared, (position) => this.#closeBelow(position)),
    ]
    for (const topic of this.#rows.topics()) this.publishRows(topic, 0)
  }

  #retentionOn({ shared, files }: { shared: LogShared; files: LogFiles }): Retention {
    const { root, disk, queueFileSize, retention } = this.options
    const parts = {
      shared,
      files,
      disk,
      root,
      queues: { root: join(root, 'consumequeue'), fileSize: queueFileSize },
      indexDirectory: join(root, 'index'),
      clock: this.clock,
      elapsed: this.elapsed,
      closers: [Thread.MAIN, Thread.DISPATCH, Thread.NETWORK],
      takeChanges: () => {
        Object.assign(this.#settings, this.#changedSettings)
        return this.#changesForFlush.splice(0)
      },
      tell: (news: StoreNews) => void this.news.push(news),
    }
    if (retention !== null) shared.askRetention(RetentionAsk.BEGIN)
    return new Retention(parts, this.#settings)
  }

  /** As main tells flush of them. */
  changeSettings(settings: Partial<RetentionOptions>): void {
    this.#changedSettings = settings
    this.shared.askRetention(RetentionAsk.SETTINGS)
  }

  /** Each thread but flush closes what is about to go. */
  closeDeletable(): void {
    for (const closing of this.#closings) closing.turn()
  }

  #closeBelow(position: number): boolean {
    this.network.files.closeBelow(position)
    this.#descriptors.closeAll()
    return true
  }

  /** Flush has this much time, and the other threads are quick. */
  pass(ms: number): void {
    const end = this.elapsed.time + ms
    for (;;) {
      while (this.flushAgent.turn() > 0) this.closeDeletable()
      this.closeDeletable()
      const due = this.elapsed.time + this.retention.idleMs()
      if (due > end) break
      this.elapsed.time = due
    }
    this.elapsed.time = end
  }

  get shared(): LogShared {
    return this.network.shared
  }

  row(topic: string, queueId: number): number {
    return this.#rows.row(topic, queueId)!
  }

  createTopic(topic: string, count: number): void {
    const isNew = this.#rows.of(topic) === undefined
    this.#rows.ensure(topic, count)
    this.publishRows(topic, isNew ? this.shared.appended.value() : 0)
  }

  publishRows(topic: string, from: number): void {
    this.#publish({ topic, rows: [...(this.#rows.of(topic) ?? [])], from })
  }

  deleteTopic(topic: string): void {
    this.deleted.add(topic, this.shared.appended.value())
    this.#publish({ topic, rows: [] })
    this.#rows.remove(topic)
  }

  /** The part of a deletion that follows when all threads know of it. */
  removeFiles(topic: string): void {
    this.#descriptors.closeAll()
    this.disk.remove(join(this.options.root, 'consumequeue', topic))
  }

  append(params: RecordParams, { isBatch = false } = {}): MessageRecord | BatchRecord {
    const fields: RecordFields = recordFields(params)
    const record = isBatch ? new BatchRecord(fields) : new MessageRecord(fields)
    record.prepare()
    record.row = this.row(params.topic ?? 'Topic', params.queueId ?? 0)
    this.lastStatus = this.#appender.append(record)
    return record
  }

  lastStatus: AppendStatus = AppendStatus.OK

  write(): boolean {
    return this.network.writer.write()
  }

  flush(): number {
    return this.flushAgent.turn()
  }

  /** Until there is nothing more to do. */
  dispatch(): void {
    while (this.dispatchAgent.turn() > 0) continue
  }

  /** Everything that was appended can be read. */
  settle(): void {
    this.write()
    while (this.flush() > 0) continue
    this.dispatch()
  }

  queue(topic: string, queueId: number): ConsumeQueue {
    const place = {
      root: join(this.options.root, 'consumequeue'),
      fileSize: this.options.queueFileSize,
    }
    return new ConsumeQueue(queueDirectory(place, topic, queueId), {
      fileSize: place.fileSize,
      disk: this.disk,
      descriptors: this.#descriptors,
    })
  }

  /** The stored bytes of the messages of a queue from `min` on, as its entries tell. */
  readAll(topic: string, queueId: number): Buffer[] {
    const { rows } = this.shared
    const row = this.row(topic, queueId)
    const queue = this.queue(topic, queueId)
    const unit = { position: 0, length: 0, tagsCode: 0 }
    const bytes = Buffer.alloc(UNIT_LENGTH)
    return Array.from({ length: rows.max(row) - rows.min(row) }, (_, nth) => {
      if (queue.read(rows.min(row) + nth, 1, bytes) !== 1) return Buffer.alloc(0)
      readUnit(unit, new DataView(bytes.buffer, bytes.byteOffset), 0)
      const message = Buffer.alloc(Math.min(unit.length, 1 << 20))
      this.#reader.read(unit.position, message.length, message, 0)
      return message
    })
  }

  /** As a broker stops that has come to the end of everything. */
  stop(): void {
    this.settle()
    this.flushAgent.close()
    this.dispatchAgent.close()
    let [queues, entries] = [0, 0]
    for (const topic of this.#rows.topics()) {
      for (const row of this.#rows.of(topic)!) {
        const max = this.shared.rows.max(row)
        entries += max
        if (max > 0) queues++
      }
    }
    const { appended, storeTimestamp } = this.shared
    const [end, timestamp] = [appended.value(), storeTimestamp.value()]
    const { root, boot } = this.options
    endRun(this.disk, root, { end, timestamp, queues, entries, boot })
    this.closeReaders()
  }

  closeReaders(): void {
    this.network.files.closeAll()
    this.#descriptors.closeAll()
  }

  #publish(change: RowsChange): void {
    this.#changes.push(change)
    this.#changesForFlush.push(change)
    this.shared.publishMetadataVersion(++this.#version)
  }
}
