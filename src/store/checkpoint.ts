import { join } from 'node:path'
import { readSafeInt64, writeSafeInt64 } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'

const LENGTH = 4096

/** Times in ms up to which parts of the store are on the disk (Apache 5.3.3, StoreCheckpoint). */
export interface CheckpointTimes {
  physic: number
  logics: number
  index: number
  masterFlushed: number
  confirmed: number
}

export const NO_TIMES: CheckpointTimes = {
  physic: 0,
  logics: 0,
  index: 0,
  masterFlushed: 0,
  confirmed: 0,
}

function checkpointPath(root: string): string {
  return join(root, 'checkpoint')
}

/** All zero when there is none: recovery then starts at the first file. */
export function readCheckpoint(disk: Disk, root: string): CheckpointTimes {
  const path = checkpointPath(root)
  if (!disk.exists(path)) return NO_TIMES
  const bytes = disk.readFile(path)
  if (bytes.length < 40) return NO_TIMES
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    physic: readSafeInt64(view, 0),
    logics: readSafeInt64(view, 8),
    index: readSafeInt64(view, 16),
    masterFlushed: readSafeInt64(view, 24),
    confirmed: readSafeInt64(view, 32),
  }
}

/** Keeps the file open and writes it when something moved. */
export class Checkpoint {
  readonly #disk: Disk
  readonly #descriptor: number
  readonly #bytes = Buffer.alloc(LENGTH)

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#descriptor = disk.create(checkpointPath(root))
    if (disk.size(this.#descriptor) < LENGTH) disk.truncate(this.#descriptor, LENGTH)
  }

  write(times: CheckpointTimes): void {
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, LENGTH)
    const { physic, logics, index, masterFlushed, confirmed } = times
    for (const [nth, value] of [physic, logics, index, masterFlushed, confirmed].entries()) {
      writeSafeInt64(view, nth * 8, value)
    }
    const whole = { buffer: this.#bytes, offset: 0, length: LENGTH, position: 0 }
    this.#disk.pwrite(this.#descriptor, whole)
    this.#disk.fdatasync(this.#descriptor)
  }

  close(): void {
    this.#disk.close(this.#descriptor)
  }
}
