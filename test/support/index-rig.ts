import { join } from 'node:path'
import { expect } from 'vitest'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { Checkpoint, readCheckpoint } from '../../src/store/checkpoint.ts'
import { DispatchAgent } from '../../src/store/dispatch-agent.ts'
import type { FileSource } from '../../src/store/file-source.ts'
import type { IndexFormat } from '../../src/store/index-file.ts'
import { dropDistrusted, indexDirectory, listIndexFiles } from '../../src/store/index-files.ts'
import { IndexReader, type IndexAnswer, type IndexQuery } from '../../src/store/index-reader.ts'
import { IndexTable } from '../../src/store/index-table.ts'
import { KeyIndex } from '../../src/store/key-index.ts'
import { readLastStop, StopKind } from '../../src/store/last-stop.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { StoredRecords } from '../../src/store/stored-records.ts'
import { Random } from '../sim/random.ts'
import { BOOT } from './recovered-store.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { StoreRig } from './store-rig.ts'

export const SMALL_INDEX: IndexFormat = { slots: 64, items: 256 }

export interface IndexRigOptions {
  disk?: Disk
  root?: string
  format?: IndexFormat
  boot?: string
  logFileSize?: number
  queueFileSize?: number
  windowSize?: number
  /** Milliseconds since 1970 at the start. */
  time?: number
}

/** A store with an index, in the thread of the test: nothing moves unless the test says so. */
export class IndexRig {
  readonly store: StoreRig
  readonly index: KeyIndex
  readonly agent: DispatchAgent
  readonly table: IndexTable
  readonly reader: IndexReader
  readonly records: StoredRecords
  readonly directory: string
  /** Index files that were not believed at the start. */
  readonly dropped: number
  readonly #disk: Disk
  readonly #root: string

  constructor(options: IndexRigOptions = {}) {
    const { disk = systemDisk, root = '/store', format = SMALL_INDEX, boot = BOOT } = options
    this.#disk = disk
    this.#root = root
    this.directory = indexDirectory(root)
    disk.makeDirectory(root)
    const { kind } = readLastStop(disk, root, boot)
    const durableTimestamp = readCheckpoint(disk, root).index
    const { logFileSize = 8192, queueFileSize = 2000, windowSize = 4096 } = options
    const sizes = { logFileSize, queueFileSize, windowSize, slack: windowSize / 2 }
    this.store = new StoreRig({ root, disk, boot, ...sizes })
    this.store.clock.time = options.time ?? this.store.clock.time
    const trust = { root, directory: this.directory, format, kind, durableTimestamp }
    this.dropped = dropDistrusted(disk, { ...trust, end: this.store.recovered.end })
    const { memory } = this.store
    memory.index = IndexTable.allocate(format.slots)
    this.table = new IndexTable(memory.index)
    this.store.shared.indexDurable.publish(readCheckpoint(disk, root).index)
    this.table.setExact(kind !== StopKind.KILLED)
    const shared = new LogShared(memory, Thread.DISPATCH)
    const files = new LogFiles(disk, { directory: join(root, 'commitlog'), fileSize: logFileSize })
    const { clock } = this.store
    this.index = new KeyIndex(shared, {
      disk,
      clock,
      files,
      format,
      root,
      directory: this.directory,
    })
    if (this.store.shared.rows.capacity > 0) this.store.createTopic('Topic', 1)
    const changes = [{ topic: 'Topic', rows: [this.store.row('Topic', 0)], from: 0 }]
    this.agent = new DispatchAgent(shared, {
      window: new LogWindow(shared),
      files,
      disk,
      visible: () => shared.written.value(),
      queues: { root: join(root, 'consumequeue'), fileSize: queueFileSize },
      dirty: [],
      takeChanges: () => changes.splice(0),
      index: this.index,
    })
    const main = new LogShared(memory, Thread.MAIN)
    this.records = new StoredRecords(main, {
      window: new LogWindow(main),
      files: filesOn(disk, join(root, 'commitlog')),
      fileSize: logFileSize,
      visible: () => main.written.value(),
    })
    const { table, records } = this
    this.reader = new IndexReader({ files: filesOn(disk, this.directory), format, table, records })
  }

  get files(): string[] {
    return listIndexFiles(this.#disk, this.directory)
  }

  bytesOf(name: string): Buffer {
    return this.#disk.readFile(join(this.directory, name))
  }

  /** Stored, and dispatched in so many turns. */
  send(keys: string, { unique = '', body = 'body', turns = Infinity } = {}): number {
    const pairs = [unique && `UNIQ_KEY\u0001${unique}\u0002`, keys && `KEYS\u0001${keys}\u0002`]
    const record = this.store.append({ topic: 'Topic', body, properties: pairs.join('') })
    this.store.write()
    this.store.flush()
    for (let nth = 0; nth < turns && this.agent.turn() > 0; nth++) continue
    return record.position
  }

  /** Until there is nothing more to do now. */
  run(): void {
    while (this.agent.turn() > 0) continue
  }

  query(key: string, query: Partial<IndexQuery> = {}): Promise<IndexAnswer> {
    const all = { topic: 'Topic', max: 64, begin: 0, end: Number.MAX_SAFE_INTEGER }
    return this.reader.query({ ...all, key, ...query })
  }

  /** Positions of the messages found. */
  async find(key: string, query: Partial<IndexQuery> = {}): Promise<number[]> {
    const { records } = await this.query(key, query)
    return records.map((bytes) => Number(bytes.readBigInt64BE(28)))
  }

  stop(): void {
    this.run()
    this.end()
  }

  /** A clean stop, whatever there still was to do. */
  end(): void {
    this.agent.close()
    const checkpoint = new Checkpoint(this.#disk, this.#root)
    const index = this.store.shared.indexDurable.value()
    checkpoint.write({ ...readCheckpoint(this.#disk, this.#root), index })
    checkpoint.close()
    this.store.stop()
  }
}

function filesOn(disk: Disk, directory: string): FileSource {
  return {
    names: async () => (disk.exists(directory) ? disk.list(directory).map(({ name }) => name) : []),
    open: async (name) => {
      if (!disk.exists(join(directory, name))) return null
      const descriptor = disk.openRead(join(directory, name))
      return {
        read: async (buffer, position) =>
          disk.pread(descriptor, { buffer, offset: 0, length: buffer.length, position }),
        close: async () => disk.close(descriptor),
      }
    },
  }
}

export function simulated(seed = 1): SimulatedDisk {
  return new SimulatedDisk(new Random(seed))
}

export function rigOn(disk: SimulatedDisk, options: IndexRigOptions = {}): IndexRig {
  return new IndexRig({ disk, ...options })
}

/** Like `rigOn`, with everything done that there was to do at the start. */
export function runningOn(disk: SimulatedDisk, options: IndexRigOptions = {}): IndexRig {
  const rig = rigOn(disk, options)
  rig.run()
  return rig
}

/** Sends messages with keys `k<from>` to `k<to - 1>`, 10 ms apart; returns their positions. */
export function sendKeys(rig: IndexRig, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, nth) => {
    rig.store.clock.time += 10
    return rig.send(`k${from + nth}`)
  })
}

export async function expectKeys(
  rig: IndexRig,
  positions: readonly number[],
  from = 0,
): Promise<void> {
  for (const [nth, position] of positions.entries()) {
    expect([from + nth, await rig.find(`k${from + nth}`)]).toEqual([from + nth, [position]])
  }
}
