import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { systemDisk } from '../../src/base/disk.ts'
import { Checkpoint, NO_TIMES } from '../../src/store/checkpoint.ts'
import { beginRun, endRun } from '../../src/store/last-stop.ts'
import { UNIT_LENGTH, writeUnit } from '../../src/store/consume-queue.ts'
import { logFileName } from '../../src/store/log-files.ts'
import type { Recovered } from '../../src/store/recovery.ts'
import { LogBuilder } from './log-builder.ts'
import { BOOT, queueOf, recoverFolder, type RecoverOptions } from './recovered-store.ts'
import { tempFolder } from './temp-folder.ts'

export const FILE = 4096
export const UNITS_PER_FILE = 10
/** Messages of `someStore`. */
export const TOTAL = 73

/** A store in a folder of its own, written as if a broker had run on it. */
export class TestStore {
  readonly root = join(tempFolder(), 'store')
  readonly log: LogBuilder

  constructor(log = new LogBuilder({ fileSize: FILE })) {
    this.log = log
    mkdirSync(this.root)
  }

  get logDirectory(): string {
    return join(this.root, 'commitlog')
  }

  queueFile(topic: string, queueId: number, firstUnit = 0): string {
    const name = logFileName(firstUnit * UNIT_LENGTH)
    return join(this.root, 'consumequeue', topic, String(queueId), name)
  }

  /** A store that was stopped cleanly before is so again afterwards. */
  recover(options: Partial<RecoverOptions> = {}): Recovered {
    const sizes = { logFileSize: this.log.fileSize, queueFileSize: UNITS_PER_FILE * UNIT_LENGTH }
    const abort = join(this.root, 'abort')
    const wasAborted = existsSync(abort)
    const recovered = recoverFolder({ root: this.root, ...sizes, ...options })
    if (!wasAborted) rmSync(abort, { force: true })
    return recovered
  }

  /** The log in its files, and every entry in its queue. */
  writeAll(): this {
    this.log.write(this.logDirectory)
    this.recover()
    return this
  }

  /** As Apache leaves it that did not stop cleanly. */
  markAborted(): this {
    writeFileSync(join(this.root, 'abort'), '1')
    return this
  }

  /** As our own broker leaves it that is killed; with another boot id, that loses its power. */
  markKilled(boot = BOOT): this {
    beginRun(systemDisk, this.root, boot)
    return this
  }

  checkpoint(ms: number): this {
    const checkpoint = new Checkpoint(systemDisk, this.root)
    checkpoint.write({ ...NO_TIMES, physic: ms, logics: ms })
    checkpoint.close()
    return this
  }

  /** As our own broker leaves it. */
  stopCleanly(): this {
    const states = this.recover().queues.filter(({ next }) => next > 0)
    const timestamp = this.log.records.at(-1)!.storeTimestamp
    const entries = states.reduce((sum, { next }) => sum + next, 0)
    const stop = { end: this.log.end, timestamp, queues: states.length, entries, boot: BOOT }
    endRun(systemDisk, this.root, stop)
    return this.checkpoint(timestamp)
  }

  expectWhole(recovered: Recovered): void {
    const pairs = new Map(
      this.log.records.map(({ topic, queueId }) => [`${topic}/${queueId}`, { topic, queueId }]),
    )
    for (const { topic, queueId } of pairs.values()) {
      expect(queueOf(recovered, topic, queueId).units).toEqual(this.log.unitsOf(topic, queueId))
    }
    expect(recovered.queues.length).toBe(pairs.size)
    expect(recovered.end).toBe(this.log.end)
  }
}

/** Messages of three queues over several files; one of them is only at the front. */
export function someStore(count = TOTAL - 3): TestStore {
  const store = new TestStore()
  store.log.addMany(3, () => ({ topic: 'Early' }))
  store.log.addMany(count, (nth) => ({ topic: 'Topic', queueId: nth % 2, body: 'x'.repeat(nth) }))
  return store
}

/** Where a store's last message has its entry. */
export function lastEntry(store: TestStore): { offset: number; path: string } {
  const { topic, queueId, queueOffset } = store.log.records.at(-1)!
  const unit = queueOffset % UNITS_PER_FILE
  return { offset: unit * UNIT_LENGTH, path: store.queueFile(topic, queueId, queueOffset - unit) }
}

export function putUnit(path: string, at: number, unit: Parameters<typeof writeUnit>[2]): void {
  const bytes = Buffer.alloc(UNIT_LENGTH)
  writeUnit(new DataView(bytes.buffer, bytes.byteOffset), 0, unit)
  const descriptor = systemDisk.open(path)
  systemDisk.pwrite(descriptor, { buffer: bytes, offset: 0, length: UNIT_LENGTH, position: at })
  systemDisk.close(descriptor)
}
