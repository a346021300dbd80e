import type { Disk } from '../base/disk.ts'
import { ConsumeQueue, queueDirectory, type QueuePlace } from '../store/consume-queue.ts'
import { DescriptorCache } from '../store/descriptor-cache.ts'

const DESCRIPTORS_MAX = 4096

/** The consume queues that one thread reads, opened when first asked for. */
export class TopicQueues {
  readonly #place: QueuePlace
  readonly #disk: Disk
  readonly #descriptors: DescriptorCache
  readonly #byRow = new Map<number, ConsumeQueue>()

  constructor(place: QueuePlace, disk: Disk) {
    this.#place = place
    this.#disk = disk
    this.#descriptors = new DescriptorCache(disk, { max: DESCRIPTORS_MAX, isReadOnly: true })
  }

  get(topic: string, queueId: number, row: number): ConsumeQueue {
    let queue = this.#byRow.get(row)
    if (queue === undefined) {
      const directory = queueDirectory(this.#place, topic, queueId)
      const { fileSize } = this.#place
      queue = new ConsumeQueue(directory, {
        fileSize,
        disk: this.#disk,
        descriptors: this.#descriptors,
      })
      this.#byRow.set(row, queue)
    }
    return queue
  }

  /** The topic is deleted: closes its files. */
  forget(rows: readonly number[]): void {
    for (const row of rows) {
      const queue = this.#byRow.get(row)
      if (queue === undefined) continue
      this.#descriptors.closeUnder(queue.directory)
      this.#byRow.delete(row)
    }
  }

  closeAll(): void {
    this.#descriptors.closeAll()
  }
}
