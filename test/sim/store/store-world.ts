import type { CheckpointTimes } from '../../../src/store/checkpoint.ts'
import type { IndexFormat } from '../../../src/store/index-file.ts'
import { StopKind } from '../../../src/store/last-stop.ts'
import { logFileName } from '../../../src/store/log-files.ts'
import type { Recovered } from '../../../src/store/recovery.ts'
import { recoverDigested } from '../../support/digested-recovery.ts'
import { PowerFailure, SimulatedDisk } from '../../support/simulated-disk.ts'
import type { Random } from '../random.ts'
import type { Stepped, SteppedExports } from '../stepped-modules.ts'
import { checkRecovered } from './store-check.ts'
import { StoreLedger } from './store-ledger.ts'
import { QUEUES } from './store-sources.ts'

export const ROOT = '/store'
/** A life fills several files, whose slots all have several items. */
export const INDEX_FORMAT: IndexFormat = { slots: 8, items: 24 }
/** They hold the longest append; in some a file is one sector more or less. */
const FILE_SIZES = [1000, 1024, 1537, 3000]
/** Some files are shorter than a sector. */
const QUEUE_FILE_SIZES = [100, 400, 1000, 2000]
const WINDOWS = [1024, 2048]
/** Changes to the disk that a recovery makes, or less. */
const RECOVERY_CHANGES = 25
/** Of the log that is read ahead at once: less than a file, and than the longest message. */
const SPAN_LENGTH = 600
const START_MS = 1_700_000_000_000
/** The kernel has written everything back by then. */
const WRITE_BACK_MS = 35_000

export type Crash = 'kill' | 'losePower'

/** One disk and what was written to it, over all lives of the stores on it. */
export class StoreWorld {
  readonly core: SteppedExports
  readonly stepped: Stepped
  readonly random: Random
  readonly disk: SimulatedDisk
  readonly ledger = new StoreLedger(QUEUES.length)
  readonly sizes: { fileSize: number; queueFileSize: number; windowSize: number }
  readonly isSyncFlush: boolean
  /** What retention leaves of the log; 0 when it leaves everything. */
  readonly maxStoreBytes: number
  /** Messages have keys, and dispatch makes an index of them. */
  readonly hasIndex: boolean
  /** All messages have one length. */
  readonly isEqual: boolean
  timeMs = START_MS
  crashes = 0
  /** How the run before this one ended. */
  lastKind: StopKind = StopKind.CLEAN
  #boot = 1
  #writtenBackMs = START_MS

  constructor(stepped: Stepped, random: Random, { hasIndex }: { hasIndex: boolean }) {
    this.stepped = stepped
    this.core = stepped.exports
    this.random = random
    this.hasIndex = hasIndex
    this.disk = new SimulatedDisk(random)
    this.sizes = {
      fileSize: random.pick(FILE_SIZES),
      queueFileSize: random.pick(QUEUE_FILE_SIZES),
      windowSize: random.pick(WINDOWS),
    }
    this.isSyncFlush = random.oneIn(2)
    this.isEqual = random.oneIn(2)
    this.maxStoreBytes = random.oneIn(3) ? 3 * this.sizes.fileSize : 0
    this.disk.mayFlip = random.oneIn(4)
    this.disk.fences = '/commitlog/'
    this.disk.makeDirectory(ROOT)
  }

  get boot(): string {
    return `boot ${this.#boot}`
  }

  /** Recovers, perhaps after some recoveries that were broken off, and checks what is there. */
  open(): Recovered {
    const recovered = this.#recoverAtLast()
    checkRecovered(this, recovered)
    this.ledger.settle(recovered)
    return recovered
  }

  crash(kind: Crash): void {
    this.crashes++
    const { disk } = this
    disk.refusal = null
    disk.failCallAt = Infinity
    disk[kind]()
    if (kind === 'kill') return
    this.ledger.losePower()
    this.#boot++
  }

  /** By so much the clock goes on; the kernel writes back what is old. */
  passTime(ms: number): void {
    this.timeMs += ms
    if (this.timeMs - this.#writtenBackMs < WRITE_BACK_MS) return
    this.#writtenBackMs = this.timeMs
    this.disk.syncAll()
  }

  /** What stands in the log now; the positions lie in one file. */
  logBytes(from: number, to: number): Buffer {
    const start = this.#startOf(from)
    return this.disk.readFile(this.#pathOf(start)).subarray(from - start, to - start)
  }

  /** What of it a power failure leaves. */
  durableBytes(from: number, to: number): Buffer {
    const start = this.#startOf(from)
    return this.disk.durableFile(this.#pathOf(start)).subarray(from - start, to - start)
  }

  hasFile(position: number): boolean {
    return this.disk.exists(this.#pathOf(this.#startOf(position)))
  }

  get times(): CheckpointTimes {
    return this.core.readCheckpoint(this.disk, ROOT)
  }

  #startOf(position: number): number {
    return position - (position % this.sizes.fileSize)
  }

  #pathOf(start: number): string {
    return `${ROOT}/commitlog/${logFileName(start)}`
  }

  #recoverAtLast(): Recovered {
    for (;;) {
      const { disk, random } = this
      if (random.oneIn(3)) disk.failAt = disk.changes + random.below(RECOVERY_CHANGES)
      try {
        return this.#recover()
      } catch (error) {
        if (!(error instanceof PowerFailure)) throw error
        this.crash(random.pick(['kill', 'losePower']))
      } finally {
        disk.failAt = Infinity
      }
    }
  }

  #openIndex(end: number): void {
    this.core.dropDistrusted(this.disk, {
      root: ROOT,
      directory: `${ROOT}/index`,
      format: INDEX_FORMAT,
      kind: this.lastKind,
      durableTimestamp: this.times.index,
      end,
    })
  }

  /** As BrokerStore opens a store. */
  #recover(): Recovered {
    const { core, disk, boot, sizes } = this
    const deleted = new core.DeletedTopics(disk, ROOT)
    const lastStop = core.readLastStop(disk, ROOT, boot)
    const options = {
      root: ROOT,
      logDirectory: `${ROOT}/commitlog`,
      logFileSize: sizes.fileSize,
      queues: { root: `${ROOT}/consumequeue`, fileSize: sizes.queueFileSize },
      lastStop,
      checkCrc: true,
      times: this.times,
      deletedBelow: deleted.below,
    }
    // With what threads have read ahead, or without; which one is not drawn: a seed stays what it was.
    const recovered =
      disk.changes % 2 === 0
        ? core.recover(disk, options)
        : recoverDigested(core, disk, options, SPAN_LENGTH)
    deleted.keepWithin(recovered)
    this.lastKind = lastStop.kind
    if (this.hasIndex) this.#openIndex(recovered.end)
    core.beginRun(disk, ROOT, boot)
    return recovered
  }
}
