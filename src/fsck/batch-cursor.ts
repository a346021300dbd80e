import { join } from 'node:path'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import type { DescriptorCache } from '../store/descriptor-cache.ts'
import { logFileName } from '../store/log-files.ts'
import { BATCH_UNIT_LENGTH, readBatchUnit, type BatchUnit } from './batch-unit.ts'
import type { QueueFiles } from './store-map.ts'

/** Entries of a queue of the batch kind, found by the position of their record: they lie in its order. */
export class BatchCursor {
  readonly files: QueueFiles
  readonly #disk: Disk
  readonly #descriptors: DescriptorCache
  readonly #bytes = Buffer.alloc(BATCH_UNIT_LENGTH)
  readonly #view = viewOf(this.#bytes)

  constructor(disk: Disk, files: QueueFiles, descriptors: DescriptorCache) {
    this.#disk = disk
    this.files = files
    this.#descriptors = descriptors
  }

  /** The entry of the record at `position`; null when there is none. */
  find(position: number): BatchUnit | null {
    const { starts, fileSize } = this.files
    if (starts.length === 0) return null
    let low = starts[0]! / BATCH_UNIT_LENGTH
    let high = (starts.at(-1)! + fileSize) / BATCH_UNIT_LENGTH
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const unit = this.read(middle)
      if (unit !== null && unit.position < position) low = middle + 1
      else high = middle
    }
    const unit = this.read(low)
    return unit?.position === position ? unit : null
  }

  /** The nth entry of the queue; null where there is none. */
  read(nth: number): BatchUnit | null {
    const { directory, starts, fileSize } = this.files
    const at = nth * BATCH_UNIT_LENGTH
    const start = at - (at % fileSize)
    if (!starts.includes(start)) return null
    const read = this.#disk.pread(this.#descriptors.get(join(directory, logFileName(start))), {
      buffer: this.#bytes,
      offset: 0,
      length: BATCH_UNIT_LENGTH,
      position: at - start,
    })
    return read === BATCH_UNIT_LENGTH ? readBatchUnit(this.#view, 0) : null
  }
}
