import { join } from 'node:path'
import { UNIT_LENGTH, readUnit, type Unit } from '../store/consume-queue.ts'
import type { DescriptorCache } from '../store/descriptor-cache.ts'
import type { Disk } from '../base/disk.ts'
import { logFileName } from '../store/log-files.ts'
import type { QueueFiles } from './store-map.ts'

/** Entries read at once: messages of one queue follow each other, and there are many queues. */
const BLOCK_UNITS = 200
/** As long a piece of the queue stands for no entries as its file is missing or too short. */
const NONE = 0

/** Reads entries of one queue at growing offsets. */
export class QueueCursor {
  readonly files: QueueFiles
  readonly #disk: Disk
  readonly #descriptors: DescriptorCache
  readonly #bytes = Buffer.alloc(BLOCK_UNITS * UNIT_LENGTH)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset)
  #from = 0
  #count = NONE

  constructor(disk: Disk, files: QueueFiles, descriptors: DescriptorCache) {
    this.#disk = disk
    this.files = files
    this.#descriptors = descriptors
  }

  /** The first offset that the files have room for. */
  get first(): number {
    return (this.files.starts[0] ?? 0) / UNIT_LENGTH
  }

  /** Whether there are bytes of an entry at this offset, which is then in `unit`. */
  read(offset: number, unit: Unit): boolean {
    if (!Number.isSafeInteger(offset) || offset < 0) return false
    if (offset < this.#from || offset >= this.#from + this.#count) this.#load(offset)
    if (offset >= this.#from + this.#count) return false
    readUnit(unit, this.#view, (offset - this.#from) * UNIT_LENGTH)
    return true
  }

  /** The third field of the entry that was read last, exact. */
  wideCodeAt(offset: number): bigint {
    return this.#view.getBigInt64((offset - this.#from) * UNIT_LENGTH + 12)
  }

  /** The name of the file that holds an entry. */
  pathOf(offset: number): string {
    const { directory, fileSize } = this.files
    const at = offset * UNIT_LENGTH
    return join(directory, logFileName(at - (at % fileSize)))
  }

  #load(offset: number): void {
    const { starts, fileSize, directory } = this.files
    const at = offset * UNIT_LENGTH
    const start = at - (at % fileSize)
    this.#from = offset
    this.#count = NONE
    if (!starts.includes(start)) return
    const read = this.#disk.pread(this.#descriptors.get(join(directory, logFileName(start))), {
      buffer: this.#bytes,
      offset: 0,
      length: Math.min(this.#bytes.length, start + fileSize - at),
      position: at - start,
    })
    this.#count = Math.floor(read / UNIT_LENGTH)
  }
}
