import type { LogAppender } from '../../../src/store/log-appender.ts'
import type { LogFiles } from '../../../src/store/log-files.ts'
import {
  RetentionAsk,
  Thread,
  type LogMemory,
  type LogShared,
} from '../../../src/store/log-memory.ts'
import type { LogReader } from '../../../src/store/log-reader.ts'
import type { LogWindow } from '../../../src/store/log-window.ts'
import type { LogWriter } from '../../../src/store/log-writer.ts'
import type { Recovered } from '../../../src/store/recovery.ts'
import { Retention } from '../../../src/store/retention.ts'
import { Scheduler } from '../scheduler.ts'
import { atOnce } from '../steps.ts'
import { steppedDisk } from './store-disk.ts'
import { startIndex } from './store-index.ts'
import { expect, type StoredRecord } from './store-ledger.ts'
import { RETENTION, SilentShared, topicsOf } from './store-retention.ts'
import { QUEUES, STORE_APPEND_MAX } from './store-sources.ts'
import { INDEX_FORMAT, ROOT, type StoreWorld } from './store-world.ts'

/** Naps and retries of agents time out, waits that somebody must end do not. */
const WAIT_MAX_MS = 1000
/** Milliseconds that go by in a step: now a life is over in no time, now in minutes. */
const PACES = [0.01, 0.5, 40]

/** What one thread has of the store. */
export interface StoreParts {
  shared: LogShared
  window: LogWindow
  files: LogFiles
  appender: LogAppender
  writer: LogWriter
  reader: LogReader
}

/** One process: from a recovered disk to a stop or a crash. */
export class StoreLife {
  readonly world: StoreWorld
  readonly scheduler: Scheduler
  readonly memory: LogMemory
  readonly dirty: SharedArrayBuffer
  /** Main and network workers. */
  readonly senders: number[]
  /** Senders that are not through yet. */
  busy: number
  isOver = false
  /** The disk was full for a while: the index may have given up for now. */
  wasRefused = false
  readonly #startMs: number
  readonly #pace: number

  constructor(world: StoreWorld, recovered: Recovered, crashAt: number) {
    const { core, random, stepped, sizes } = world
    this.world = world
    this.#startMs = world.timeMs
    this.#pace = random.pick(PACES)
    const isLate = random.oneIn(8)
    this.scheduler = new Scheduler({
      random,
      mayTimeOut: ({ ms }) => ms <= (isLate ? Number.MAX_VALUE : WAIT_MAX_MS),
      crashAt,
    })
    stepped.stepper.use(this.scheduler)
    const { MAIN, NETWORK } = core.Thread
    this.senders = [NETWORK, NETWORK + 1, MAIN].slice(0, 1 + random.below(3))
    this.busy = this.senders.length
    this.memory = core.allocateLogMemory({
      windowSize: sizes.windowSize,
      slack: STORE_APPEND_MAX,
      threads: NETWORK + 2,
      rows: QUEUES.length,
      indexSlots: world.hasIndex ? INDEX_FORMAT.slots : 0,
    })
    this.dirty = core.DirtyBits.allocate(QUEUES.length)
    this.#start(recovered)
  }

  /** As BrokerStore starts the memory of a store. */
  #start(recovered: Recovered): void {
    const { shared } = this.parts(0)
    const { fileSize } = this.world.sizes
    atOnce(shared.start(recovered.end, recovered))
    for (const { topic, queueId, next, min } of recovered.queues) {
      const row = QUEUES.findIndex((queue) => queue.topic === topic && queue.queueId === queueId)
      if (row === -1) continue
      atOnce(shared.rows.publishNext(row, next))
      atOnce(shared.rows.publishMax(row, next))
      atOnce(shared.rows.publishMin(row, min))
    }
    atOnce(shared.publishCreated(fileSize * Math.ceil(recovered.end / fileSize)))
    atOnce(shared.publishMetadataVersion(1))
    atOnce(shared.askRetention(RetentionAsk.BEGIN))
    if (this.world.hasIndex) startIndex(this.world, this.memory)
  }

  /** Moves with `hasIndex` only. */
  get indexed(): LogShared['indexed'] {
    return this.parts(0).shared.indexed
  }

  /** Null: this store keeps everything. It takes no steps of its own: others run between its turns. */
  retention(files: LogFiles): Retention | null {
    const { disk, sizes, maxStoreBytes } = this.world
    if (maxStoreBytes === 0) return null
    const shared = new SilentShared(this.memory, Thread.FLUSH)
    const queues = { root: `${ROOT}/consumequeue`, fileSize: sizes.queueFileSize }
    const changes = topicsOf(QUEUES)
    return new Retention(
      {
        shared,
        files,
        disk,
        queues,
        root: ROOT,
        indexDirectory: `${ROOT}/index`,
        clock: this.clock,
        elapsed: this.clock,
        closers: [],
        takeChanges: () => changes.splice(0),
        tell: () => undefined,
      },
      { ...RETENTION, maxStoreBytes },
    )
  }

  /** Retention has said that what stands below may go. */
  isGone(position: number): boolean {
    return position < atOnce(this.parts(0).shared.minPosition.value())
  }

  parts(thread: number): StoreParts {
    const { core, disk, sizes, random } = this.world
    const { fileSize } = sizes
    const shared = new core.LogShared(this.memory, thread)
    const window = new core.LogWindow(shared)
    const files = new core.LogFiles(disk, { directory: `${ROOT}/commitlog`, fileSize })
    return {
      shared,
      window,
      files,
      appender: new core.LogAppender(shared, window, { fileSize, clock: this.clock }),
      writer: new core.LogWriter(shared, window, files, steppedDisk(disk, random)),
      reader: new core.LogReader(shared, window, files),
    }
  }

  readonly clock = {
    now: (): number => Math.floor(this.#startMs + this.scheduler.steps * this.#pace),
  }

  /** An answer leaves: an OK with ASYNC_FLUSH is for what is in the file, with SYNC_FLUSH on the disk. */
  acknowledge(record: StoredRecord): void {
    const { world } = this
    const { isSyncFlush, ledger } = world
    const { position, end, bytes } = record
    if (this.isGone(position)) return
    const found = isSyncFlush ? world.durableBytes(position, end) : world.logBytes(position, end)
    const where = isSyncFlush ? 'on the disk' : 'in the file'
    expect(found.equals(bytes), `an OK for the record at ${position}, which is not ${where}`)
    ledger.promise(isSyncFlush ? { synced: end } : { kept: end })
  }

  /** A consumer gets this. */
  see(row: number, offset: number, found: Buffer): void {
    const { ledger, isSyncFlush } = this.world
    const record = ledger.queues[row]![offset]
    if (record === null || record?.isTorn === true) return // it has come through a power failure so
    const isRight = record !== undefined && record.bytes.equals(found)
    const where = `at ${offset} of queue ${row}, position ${record?.position},`
    expect(isRight, `a consumer reads ${where} what was not stored there`)
    ledger.promise(isSyncFlush ? { synced: record!.end } : { kept: record!.end })
  }

  /** Positions tell everyone what is safe; is it? */
  checkPositions(): void {
    const { ledger } = this.world
    const { shared } = this.parts(0)
    const [written, flushed] = [atOnce(shared.written.value()), atOnce(shared.flushed.value())]
    for (const record of ledger.records) {
      const { position, end, bytes } = record
      if (end <= ledger.synced || end > Math.max(written, flushed) || this.isGone(position))
        continue
      const isWritten = end > written || this.world.logBytes(position, end).equals(bytes)
      expect(isWritten, `written is ${written}, the record at ${position} is not in the file`)
      const isSynced = end > flushed || this.world.durableBytes(position, end).equals(bytes)
      expect(isSynced, `flushed is ${flushed}, the record at ${position} is not on the disk`)
    }
    ledger.release(atOnce(shared.minPosition.value()))
    ledger.promise({ kept: this.#wholeBelow(written), synced: this.#wholeBelow(flushed) })
  }

  /** A position may lie within a record: pieces end at the window's end, too. */
  #wholeBelow(position: number): number {
    return this.world.ledger.records.findLast(({ end }) => end <= position)?.end ?? 0
  }
}
