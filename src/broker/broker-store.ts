import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import type { BrokerConfig } from '../config/broker.ts'
import { delaysIn } from '../config/delay-levels.ts'
import { ConfigError } from '../config/load.ts'
import { hasLightQueues } from '../config/store.ts'
import { isLightQueue } from '../protocol/light-queues.ts'
import { Closing } from '../store/closing.ts'
import { Checkpoint, readCheckpoint } from '../store/checkpoint.ts'
import { PRE_BLANK_LENGTH, UNIT_LENGTH, readUnit, type Unit } from '../store/consume-queue.ts'
import { DeletedTopics } from '../store/deleted-topics.ts'
import { dropDistrusted } from '../store/index-files.ts'
import { IndexTable } from '../store/index-table.ts'
import {
  beginRun,
  endRun,
  readLastStop,
  StopKind,
  type CleanStop,
  type LastStop,
} from '../store/last-stop.ts'
import { LogChunks } from '../store/log-chunks.ts'
import { LogFiles } from '../store/log-files.ts'
import { allocateLogMemory, LogShared, Thread, Fault } from '../store/log-memory.ts'
import { LogReader } from '../store/log-reader.ts'
import { HEAD_LENGTH, RECORD_LENGTH_MIN, storeTimeIn } from '../store/log-record.ts'
import { LogWindow } from '../store/log-window.ts'
import { LogWriter } from '../store/log-writer.ts'
import { currentProcess } from '../store/process-identity.ts'
import { PullReader } from '../store/pull-reader.ts'
import { QueueRows } from '../store/queue-rows.ts'
import type { Recovered } from '../store/recovery.ts'
import { recoverWithThreads, threadOptions } from '../store/recovery-threads.ts'
import { StoreLock } from '../store/store-lock.ts'
import { storePlaces, type StorePlaces } from '../store/store-places.ts'
import type { UnitReader } from '../store/unit-reader.ts'
import type { Log } from '../log/log.ts'
import { TopicQueues } from './topic-queues.ts'
import { transferLimits } from './transfer-limits.ts'

/** Room in a record besides body and properties: hosts, topic, fixed fields, and what we add. */
const RECORD_OVERHEAD = 64 * 1024

function makeFolder(config: BrokerConfig, key: 'storePathRootDir' | 'storePathCommitLog'): void {
  const value = config[key]
  try {
    mkdirSync(value, { recursive: true })
  } catch (error) {
    const allowed = `a folder that is there or can be made (${(error as Error).message})`
    throw new ConfigError({ key, value, allowed })
  }
}

/** Longest append: what the slack behind the window holds. */
export function appendMax(config: BrokerConfig): number {
  return Math.min(config.maxMessageSize + RECORD_OVERHEAD, config.mappedFileSizeCommitLog - 8)
}

/** The store as main holds it: opened before any other thread runs, closed after they have left. */
export class BrokerStore {
  readonly shared: LogShared
  readonly rows: QueueRows
  readonly recovered: Recovered
  readonly places: StorePlaces
  readonly deleted: DeletedTopics
  readonly writer: LogWriter
  /** How the last run ended. */
  readonly lastStop: StopKind
  readonly #disk: Disk
  readonly #lock: StoreLock
  readonly #files: LogFiles
  /** Main's own: for messages that it hands out itself. */
  readonly reader: PullReader
  readonly #reader: LogReader
  readonly #chunks: LogChunks
  readonly #queues: TopicQueues
  readonly #closing: Closing
  readonly #head = Buffer.alloc(HEAD_LENGTH)
  readonly #units = Buffer.alloc(UNIT_LENGTH)

  private constructor(parts: {
    config: BrokerConfig
    disk: Disk
    lock: StoreLock
    recovered: Recovered
    deleted: DeletedTopics
    lastStop: LastStop
  }) {
    const { config, disk, recovered } = parts
    this.#disk = disk
    this.#lock = parts.lock
    this.recovered = recovered
    this.deleted = parts.deleted
    this.lastStop = parts.lastStop.kind
    this.places = storePlaces(config)
    const memory = allocateLogMemory({
      windowSize: config.logWindowSize,
      slack: appendMax(config),
      threads: Thread.NETWORK + config.networkWorkers,
      rows: config.maxQueues,
      indexSlots: config.messageIndexEnable ? config.maxHashSlotNum : 0,
    })
    new IndexTable(memory.index).setExact(parts.lastStop.kind !== StopKind.KILLED)
    this.shared = new LogShared(memory, Thread.MAIN)
    this.shared.start(recovered.end, recovered)
    this.shared.indexDurable.publish(readCheckpoint(disk, this.places.root).index)
    this.rows = new QueueRows(this.shared.rows)
    for (const { topic, queueId, next, min } of recovered.queues) {
      this.rows.restore(topic, queueId, { next, min })
    }
    const { logDirectory: directory, logFileSize: fileSize } = this.places
    this.#files = new LogFiles(disk, { directory, fileSize })
    const window = new LogWindow(this.shared)
    this.writer = new LogWriter(this.shared, window, this.#files, disk)
    this.#reader = new LogReader(this.shared, window, this.#files)
    this.#chunks = new LogChunks(this.#files, () => this.shared.written.value())
    const limits = transferLimits(config)
    this.reader = new PullReader(this.shared, { window, chunks: this.#chunks, limits })
    this.#queues = new TopicQueues(this.places.queues, disk)
    this.#closing = new Closing(this.shared, (position) => this.#closeBelow(position))
    const firstFree = fileSize * Math.ceil(recovered.end / fileSize)
    this.shared.publishCreated(firstFree)
  }

  /** Locks, recovers. Rejects with StoreError when the store cannot be opened, with ConfigError without a folder. */
  static async open(
    config: BrokerConfig,
    { disk, log }: { disk: Disk; clock: Clock; log: Log },
  ): Promise<BrokerStore> {
    const { root } = storePlaces(config)
    makeFolder(config, 'storePathRootDir')
    makeFolder(config, 'storePathCommitLog')
    const lock = await StoreLock.take(root)
    try {
      const deleted = new DeletedTopics(disk, root)
      const lastStop = readLastStop(disk, root, currentProcess().boot)
      const recovered = await recoverStore(config, { disk, log, deleted, lock, lastStop })
      report(recovered, log)
      deleted.keepWithin(recovered)
      openIndex(config, disk, { kind: lastStop.kind, end: recovered.end, log })
      beginRun(disk, root, currentProcess().boot)
      return new BrokerStore({ config, disk, lock, recovered, deleted, lastStop })
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Every thread has left. The store is clean unless bytes could not be written. */
  async close(): Promise<void> {
    this.#files.closeAll()
    this.#queues.closeAll()
    if (this.#isComplete()) {
      this.#writeCheckpoint()
      const stop = { ...this.#cleanStop(), boot: currentProcess().boot }
      endRun(this.#disk, this.places.root, stop)
    }
    await this.#lock.release()
  }

  /** Every position has come to the end of the log. */
  #isComplete(): boolean {
    const { appended, written, flushed, dispatched } = this.shared
    const end = appended.value()
    const isThere = [written, flushed, dispatched].every((position) => position.value() === end)
    return isThere && this.shared.fault() === Fault.NONE
  }

  #cleanStop(): CleanStop {
    let [queues, entries] = [0, 0]
    for (const topic of this.rows.topics()) {
      for (const row of this.rows.of(topic) ?? []) {
        const max = this.shared.rows.max(row)
        if (max > 0) queues++
        entries += max
      }
    }
    const timestamp = this.shared.storeTimestamp.value()
    return { end: this.shared.appended.value(), timestamp, queues, entries }
  }

  /** Closes what is about to be deleted. Main calls it whenever it is woken. */
  closeDeletable(): void {
    this.#closing.turn()
  }

  #closeBelow(position: number): boolean {
    if (!this.#chunks.forgetBelow(position)) return false
    this.#files.closeBelow(position)
    this.#queues.closeBelowMin((row) => this.shared.rows.min(row))
    return true
  }

  /** The row exists and messages have been stored under it. */
  minOffset(row: number): number {
    return this.shared.rows.min(row)
  }

  maxOffset(row: number): number {
    return this.shared.rows.max(row)
  }

  /** Store time in ms of the message at an offset that exists; -1 when it cannot be read. */
  storeTimeAt(topic: string, queueId: number, offset: number): number {
    const unit = this.unitAt(topic, queueId, offset)
    if (unit === null) return -1
    return this.#storeTimeAtPosition(unit.position, Math.min(HEAD_LENGTH, unit.length))
  }

  /** Store time in ms of the oldest message of the log; -1 when there is none. */
  earliestStoreTime(): number {
    const { minPosition, written } = this.shared
    if (minPosition.value() >= written.value()) return -1
    return this.#storeTimeAtPosition(minPosition.value(), HEAD_LENGTH)
  }

  #storeTimeAtPosition(position: number, length: number): number {
    if (position < this.shared.minPosition.value()) return -1 // deleted, or about to be
    const read = this.#reader.read(position, length, this.#head, 0)
    return storeTimeIn(this.#head.subarray(0, read), position) ?? -1
  }

  unitReader(topic: string, queueId: number, row: number): UnitReader {
    return this.#queues.get(topic, queueId, row)
  }

  /** The queue's entry; null when its file or its message is gone. */
  unitAt(topic: string, queueId: number, offset: number): Unit | null {
    const row = this.rows.row(topic, queueId)
    if (row === undefined) return null
    const { queue } = this.#queues.get(topic, queueId, row)
    if (queue.read(offset, 1, this.#units) !== 1) return null
    const unit = { position: 0, length: 0, tagsCode: 0 }
    readUnit(unit, new DataView(this.#units.buffer, this.#units.byteOffset), 0)
    return unit.length === PRE_BLANK_LENGTH ? null : unit
  }

  /** The stored bytes of the message that an entry leads to; null when it leads nowhere (any more). */
  messageAt(topic: string, queueId: number, offset: number): Buffer | null {
    const unit = this.unitAt(topic, queueId, offset)
    if (unit === null || unit.position < this.shared.minPosition.value()) return null
    const { position, length } = unit
    if (length < RECORD_LENGTH_MIN || position + length > this.shared.written.value()) return null
    // A damaged entry may name any length.
    if (this.#reader.read(position, 4, this.#head, 0) < 4) return null
    if (this.#head.readInt32BE(0) !== length) return null
    const bytes = Buffer.allocUnsafe(length)
    return this.#reader.read(position, length, bytes, 0) === length ? bytes : null
  }

  /** After every thread was told: its queues' files go, its records stay in the log. */
  deleteQueues(topic: string): void {
    this.#queues.forget(this.rows.of(topic) ?? [])
    this.rows.remove(topic)
    this.#disk.remove(join(this.places.queues.root, topic))
  }

  /** Names of new queue files are not synced: the time of dispatches stays what flush made it. */
  #writeCheckpoint(): void {
    const { writtenTimestamp, flushed, indexDurable } = this.shared
    const times = readCheckpoint(this.#disk, this.places.root)
    const index = indexDurable.value()
    const checkpoint = new Checkpoint(this.#disk, this.places.root)
    const [physic, confirmed] = [writtenTimestamp.value(), flushed.value()]
    checkpoint.write({ ...times, physic, confirmed, index })
    checkpoint.close()
  }
}

function recoverStore(
  config: BrokerConfig,
  parts: { disk: Disk; log: Log; deleted: DeletedTopics; lock: StoreLock; lastStop: LastStop },
): Promise<Recovered> {
  const { disk, log, deleted, lock, lastStop } = parts
  const places = storePlaces(config)
  const options = {
    ...places,
    lastStop,
    checkCrc: config.checkCRCOnRecover,
    hasLightQueues: hasLightQueues(config) || wereLightQueues(disk, places.queues.root),
    delaysMs: delaysIn(config.messageDelayLevel),
    times: readCheckpoint(disk, places.root),
    deletedBelow: deleted.below,
    onProgress: () => lock.beat(),
  }
  const threads = threadOptions((failure) =>
    log.warn(failure, 'the log cannot be read ahead: recovery reads it alone'),
  )
  return recoverWithThreads(disk, options, threads)
}

/** The last run had them, and the next one may. */
function wereLightQueues(disk: Disk, queues: string): boolean {
  return disk.exists(queues) && disk.list(queues).some(({ name }) => isLightQueue(name))
}

/** Index files that cannot be relied on go; dispatch makes them anew while the broker runs. */
function openIndex(
  config: BrokerConfig,
  disk: Disk,
  { kind, end, log }: { kind: StopKind; end: number; log: Log },
): void {
  if (!config.messageIndexEnable) return
  const { root, indexDirectory: directory } = storePlaces(config)
  const format = { slots: config.maxHashSlotNum, items: config.maxIndexNum }
  const durableTimestamp = readCheckpoint(disk, root).index
  const files = dropDistrusted(disk, { root, directory, format, kind, durableTimestamp, end })
  if (files > 0) log.warn({ files }, 'index files are made anew: until then queries may miss some')
}

function report({ isCut, end, damaged }: Recovered, log: Log): void {
  if (isCut) log.warn({ position: end }, 'a torn record was cut off the log')
  if (damaged === 0) return
  log.error({ bytes: damaged }, 'the log is damaged: these bytes hold no messages any more')
}
