import { basename, dirname, join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { systemDisk } from '../base/disk.ts'
import { Checkpoint, NO_TIMES } from '../store/checkpoint.ts'
import { DescriptorCache } from '../store/descriptor-cache.ts'
import { checksumFile } from '../store/file-checksum.ts'
import { LogFiles, logFileName } from '../store/log-files.ts'
import { LogScan, type RecordVisitor } from '../store/log-scan.ts'
import { listManifests, removeManifest, writeManifest } from '../store/manifest.ts'
import { QueueFiller } from '../store/queue-filler.ts'
import { QueueRecovery } from '../store/queue-recovery.ts'
import { QueueStates } from '../store/queue-states.ts'
import type { Report } from './fsck.ts'
import { Part, type Place } from './finding.ts'
import { IndexBuilder } from './index-builder.ts'
import { formatOf } from './index-shape.ts'
import { renamed } from './misnamed.ts'
import { queueKey } from './queue-match.ts'
import { readOnlyDisk } from './read-only-disk.ts'
import type { StoreMap } from './store-map.ts'

const DESCRIPTORS_MAX = 1024

/** What was done. */
export interface Repaired {
  /** Where the old files are; null when none were moved. */
  aside: string | null
  queues: number
  index: boolean
  manifests: number
  /** What cannot be made anew, in words. */
  skipped: string[]
}

export interface RepairOptions {
  nowMs: number
  /** Of delay levels 1, 2, …; Apache's default without. */
  delaysMs?: readonly number[]
}

/**
 * Makes derived files anew from the log, which is not touched: queues with findings, the index,
 * manifests, the checkpoint. Old files are kept in `<store>/ringmq-fsck-<ms>/`. The store is locked.
 */
export async function repairStore(
  map: StoreMap,
  report: Report,
  options: RepairOptions,
): Promise<Repaired> {
  return new Repair(systemDisk, map, report, options).run()
}

class Repair {
  readonly #disk: Disk
  readonly #map: StoreMap
  readonly #report: Report
  readonly #nowMs: number
  readonly #delaysMs: readonly number[] | undefined
  readonly #aside: string
  readonly #skipped: string[] = []
  #isMoved = false

  constructor(disk: Disk, map: StoreMap, report: Report, options: RepairOptions) {
    this.#disk = disk
    this.#map = map
    this.#report = report
    this.#nowMs = options.nowMs
    this.#delaysMs = options.delaysMs
    this.#aside = join(map.root, `ringmq-fsck-${options.nowMs}`)
  }

  async run(): Promise<Repaired> {
    const queues = this.#rebuildQueues()
    const index = this.#rebuildIndex()
    const manifests = await this.#makeManifests()
    this.#resetCheckpoint()
    for (const part of [Part.LOG, Part.CONFIG, Part.FILE]) this.#skip(part)
    const aside = this.#isMoved ? this.#aside : null
    return { aside, queues, index, manifests, skipped: this.#skipped }
  }

  #rebuildQueues(): number {
    const wanted = new Set(
      this.#of(Part.QUEUE).map(({ topic, queueId }) => queueKey(topic!, queueId!)),
    )
    for (const { topic, queueId } of this.#map.batchQueues) {
      if (!wanted.delete(queueKey(topic, queueId))) continue
      this.#skipped.push(`batchconsumequeue/${topic}/${queueId} cannot be made anew`)
    }
    if (wanted.size === 0) return 0
    if (this.#map.queues.every(({ starts }) => starts.length === 0)) {
      // How long their files must be is known to the configuration alone.
      this.#skipped.push('no queue has a file: the next start makes them all anew')
      return 0
    }
    for (const { topic, queueId, directory } of this.#map.queues) {
      if (wanted.has(queueKey(topic, queueId))) this.#moveAside(directory)
    }
    this.#fill(wanted)
    return wanted.size
  }

  #fill(wanted: ReadonlySet<string>): void {
    const { deletedBelow, queues } = this.#map
    const { fileSize } = queues[0]!
    const place = { root: join(this.#map.root, 'consumequeue'), fileSize }
    const descriptors = new DescriptorCache(this.#disk, { max: DESCRIPTORS_MAX })
    const recovery = new QueueRecovery(this.#disk, place, descriptors)
    const states = new QueueStates()
    const batchTopics = new Set<string>()
    const filler = new QueueFiller(recovery, states, {
      place,
      deletedBelow,
      minPosition: 0,
      batchTopics,
      hasLightQueues: true,
      delaysMs: this.#delaysMs,
      isWanted: (topic, queueId) => wanted.has(queueKey(topic, queueId)),
    })
    this.#scan((record, bytes) => filler.take(record, bytes))
    filler.flush()
    for (const { queue, first, next } of states.all()) if (next > first) queue.sync(first, next - 1)
    descriptors.closeAll()
  }

  /** All of it: its files follow each other. */
  #rebuildIndex(): boolean {
    if (this.#of(Part.INDEX).length === 0) return false
    const directory = join(this.#map.root, 'index')
    const sizes = this.#map.indexFiles.map((name) => this.#sizeOf(join(directory, name)))
    for (const name of this.#map.indexFiles) this.#moveAside(join(directory, name))
    const format = sizes.map(formatOf).find((each) => each !== null)
    if (format === undefined) {
      this.#skipped.push('the index had no usual format: RingMQ makes it anew when it runs')
      return false
    }
    const builder = new IndexBuilder(this.#disk, directory, { format, nowMs: this.#nowMs })
    this.#scan((record, bytes, position) => builder.take(record, bytes, position))
    builder.close()
    return true
  }

  /** Of every file that a blank closes, and of what the last one holds: whatever changes later is seen. */
  async #makeManifests(): Promise<number> {
    const { root, log } = this.#map
    const known = new Set(listManifests(this.#disk, root))
    const damaged = new Set(this.#of(Part.MANIFEST).map(({ file }) => basename(file)))
    const torn = new Set(this.#of(Part.LOG).map(({ file }) => basename(file)))
    let made = 0
    for (const start of log.starts) {
      const file = logFileName(start)
      const length = Math.min(log.fileSize, this.#report.end - start)
      if (torn.has(file) || length <= 0) continue // nobody knows what it was
      if (known.has(file) && !damaged.has(file)) continue
      const crc32c = await checksumFile(this.#disk, join(log.directory, file), { length, share: 1 })
      if (crc32c === -1) continue
      if (known.has(file)) this.#moveAside(join(root, 'ringmq-manifest', file))
      writeManifest(this.#disk, root, { file, length, crc32c, madeMs: this.#nowMs })
      made++
    }
    for (const file of known) {
      if (!log.starts.includes(Number(file))) removeManifest(this.#disk, root, file)
    }
    return made
  }

  /** Without times a start reads the whole log: that is always right. */
  #resetCheckpoint(): void {
    const places = this.#of(Part.CHECKPOINT)
    if (places.length === 0) return
    for (const { file } of places) this.#moveAside(join(this.#map.root, file))
    const checkpoint = new Checkpoint(this.#disk, this.#map.root)
    checkpoint.write(NO_TIMES)
    checkpoint.close()
  }

  #skip(part: Part): void {
    const count = this.#of(part).reduce((sum, place) => sum + place.count, 0)
    if (count > 0) this.#skipped.push(`findings in ${part} files left as they are: ${count}`)
  }

  #of(part: Part): Place[] {
    return this.#report.places.filter((place) => place.part === part)
  }

  /** Every message, with the name that its entry gives it where its own is damaged. */
  #scan(visit: RecordVisitor): void {
    const { log } = this.#map
    const misnamed = new Map(this.#report.misnamed.map((each) => [each.position, each]))
    const take: RecordVisitor = (record, bytes, position) => {
      const entry = misnamed.get(position)
      if (entry === undefined) return visit(record, bytes, position)
      const right = renamed(record, bytes, entry)
      visit(right.record, right.bytes, position)
    }
    const files = new LogFiles(readOnlyDisk, log)
    for (const start of log.starts) {
      const options = { checkCrc: true, timestamp: 0, isMiddle: () => true }
      new LogScan(files, options).run(start, start + log.fileSize, take)
    }
    files.closeAll()
  }

  #moveAside(path: string): void {
    if (!this.#disk.exists(path)) return
    const target = join(this.#aside, path.slice(this.#map.root.length + 1))
    this.#disk.makeDirectory(dirname(target))
    this.#disk.rename(path, target)
    this.#isMoved = true
  }

  #sizeOf(path: string): number {
    const descriptor = this.#disk.openRead(path)
    const size = this.#disk.size(descriptor)
    this.#disk.close(descriptor)
    return size
  }
}
