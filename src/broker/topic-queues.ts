import type { Disk } from '../base/disk.ts'
import { ConsumeQueue, queueDirectory, type QueuePlace } from '../store/consume-queue.ts'
import { DescriptorCache } from '../store/descriptor-cache.ts'
import { UnitReader } from '../store/unit-reader.ts'

const DESCRIPTORS_MAX = 4096

/** The consume queues that one thread reads, opened when first asked for. */
export class TopicQueues {
  readonly #place: QueuePlace
  readonly #disk: Disk
  readonly #descriptors: DescriptorCache
  readonly #byRow = new Map<number, UnitReader>()

  constructor(place: QueuePlace, disk: Disk) {
    this.#place = place
    this.#disk = disk
    this.#descriptors = new DescriptorCache(disk, { max: DESCRIPTORS_MAX, isReadOnly: true })
  }

  get(topic: string, queueId: number, row: number): UnitReader {
    let reader = this.#byRow.get(row)
    if (reader === undefined) {
      reader = new UnitReader(this.#open(topic, queueId))
      this.#byRow.set(row, reader)
    }
    return reader
  }

  #open(topic: string, queueId: number): ConsumeQueue {
    const { fileSize } = this.#place
    const options = { fileSize, disk: this.#disk, descriptors: this.#descriptors }
    return new ConsumeQueue(queueDirectory(this.#place, topic, queueId), options)
  }

  /** Closes files whose entries all lie below their queue's `min`: they are about to go. */
  closeBelowMin(minOf: (row: number) => number): void {
    for (const [row, { queue }] of this.#byRow) queue.closeBelow(minOf(row))
  }

  /** The topic is deleted: closes its files. */
  forget(rows: readonly number[]): void {
    for (const row of rows) {
      const reader = this.#byRow.get(row)
      if (reader === undefined) continue
      this.#descriptors.closeUnder(reader.queue.directory)
      this.#byRow.delete(row)
    }
  }

  closeAll(): void {
    this.#descriptors.closeAll()
  }
}
