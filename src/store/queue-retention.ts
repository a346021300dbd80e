import { dirname, join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { ConsumeQueue, queueDirectory, UNIT_LENGTH, type QueuePlace } from './consume-queue.ts'
import { DescriptorCache } from './descriptor-cache.ts'
import { isMissing } from './disk-error.ts'
import type { LogShared } from './log-memory.ts'
import { QueueMin } from './queue-min.ts'
import type { RowsChange } from './topic-rows.ts'

/** Queues looked at in one go, and the pause then, in ms: there may be tens of thousands. */
const SLICE = 32
const SLICE_PAUSE_MS = 5
const DESCRIPTORS_MAX = 64
const NAME = /^\d{20}$/

interface KnownQueue {
  topic: string
  queueId: number
  row: number
  directory: string
}

export interface QueueRetentionParts {
  shared: LogShared
  disk: Disk
  queues: QueuePlace
  /** Changes of topics that main has published, oldest first. */
  takeChanges: () => readonly RowsChange[]
}

/** What retention does to the queues, in steps: each yields how long to pause, in ms. */
export class QueueRetention {
  readonly #parts: QueueRetentionParts
  readonly #descriptors: DescriptorCache
  readonly #min = new QueueMin()
  readonly #topics = new Map<string, readonly number[]>()

  constructor(parts: QueueRetentionParts) {
    this.#parts = parts
    this.#descriptors = new DescriptorCache(parts.disk, { max: DESCRIPTORS_MAX, isReadOnly: true })
  }

  /** What main has told of topics; now and then, so that it does not pile up. */
  applyChanges(): void {
    for (const { topic, rows } of this.#parts.takeChanges()) {
      if (rows.length === 0) this.#topics.delete(topic)
      else this.#topics.set(topic, rows)
    }
  }

  /**
   * Every queue's `min` is at or above `minPosition` when it ends. Only its entries tell the next
   * offset of a queue whose messages are all gone: with `mustSync` they are made durable.
   */
  *moveMins(minPosition: number, mustSync: boolean): Generator<number, void> {
    const { rows } = this.#parts.shared
    let looked = 0
    try {
      for (const { directory, row } of this.#queuesWhere(
        (each) => rows.min(each) < rows.max(each),
      )) {
        const queue = this.#open(directory)
        if (this.#moveMin(queue, row, minPosition) && mustSync) {
          this.#sync(queue, row)
          yield 0
        }
        if (++looked % SLICE === 0) yield SLICE_PAUSE_MS
      }
    } finally {
      this.#descriptors.closeAll()
    }
  }

  /**
   * Removes files whose entries all lie below their queue's `min`, but never a queue's last one: it
   * tells the next start where the offsets go on (Apache 5.3.3, too).
   */
  *removeFiles(pauseMs: number): Generator<number, void> {
    const { shared, queues } = this.#parts
    const perFile = queues.fileSize / UNIT_LENGTH
    let looked = 0
    for (const found of this.#queuesWhere((row) => shared.rows.min(row) >= perFile)) {
      for (const path of this.#filesBelowMin(found)) {
        this.#parts.disk.remove(path)
        yield pauseMs
      }
      if (++looked % SLICE === 0) yield SLICE_PAUSE_MS
    }
  }

  #queuesWhere(isWanted: (row: number) => boolean): KnownQueue[] {
    this.applyChanges()
    const found: KnownQueue[] = []
    for (const [topic, rows] of this.#topics) {
      for (const [queueId, row] of rows.entries()) {
        if (!isWanted(row)) continue // most queues of a broker are empty
        const directory = queueDirectory(this.#parts.queues, topic, queueId)
        found.push({ topic, queueId, row, directory })
      }
    }
    return found
  }

  #open(directory: string): ConsumeQueue {
    const { disk, queues } = this.#parts
    const options = { fileSize: queues.fileSize, disk, descriptors: this.#descriptors }
    return new ConsumeQueue(directory, options)
  }

  /** True when the queue has no message left, and had some. */
  #moveMin(queue: ConsumeQueue, row: number, minPosition: number): boolean {
    const { rows } = this.#parts.shared
    const span = { from: rows.min(row), to: rows.max(row) }
    const min = this.#min.find(queue, span, minPosition)
    if (min > span.from) rows.publishMin(row, min)
    return min === span.to
  }

  /** Its last entry, and all names on the way to it. */
  #sync(queue: ConsumeQueue, row: number): void {
    const { shared, disk, queues } = this.#parts
    const last = shared.rows.max(row) - 1
    const { directory } = queue
    const names = [directory, dirname(directory), queues.root, dirname(queues.root)]
    ifThere(() => {
      queue.sync(last, last)
      for (const name of names) disk.syncDirectory(name)
    })
  }

  /** First what is there, then whose it is: a topic of that name may have been made anew meanwhile. */
  #filesBelowMin({ topic, queueId, directory }: KnownQueue): string[] {
    const { shared, queues } = this.#parts
    const names = this.#list(directory)
    if (names.length < 2) return []
    this.applyChanges()
    const row = this.#topics.get(topic)?.[queueId]
    if (row === undefined) return []
    const end = shared.rows.min(row) * UNIT_LENGTH
    const gone = names.slice(0, -1).filter((name) => Number(name) + queues.fileSize <= end)
    return gone.map((name) => join(directory, name))
  }

  #list(directory: string): string[] {
    const names: string[] = []
    ifThere(() => {
      for (const { name } of this.#parts.disk.list(directory)) if (NAME.test(name)) names.push(name)
    })
    return names.toSorted()
  }
}

/** Main removes the folder of a topic that is deleted: then there is nothing to do. */
function ifThere(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
