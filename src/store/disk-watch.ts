import type { Disk } from '../base/disk.ts'

/** Where the log and the queues lie: often one disk, and then the figures are the same. */
export interface WatchedPaths {
  log: string
  queues: string
}

export interface DiskFill {
  logPercent: number
  queuesPercent: number
  /** The larger one. */
  percent: number
}

/** Looks how full the disks of a store are. */
export class DiskWatch {
  readonly #disk: Disk
  readonly #paths: WatchedPaths

  constructor(disk: Disk, paths: WatchedPaths) {
    this.#disk = disk
    this.#paths = paths
  }

  look(): DiskFill {
    const logPercent = this.#percentOf(this.#paths.log)
    const queuesPercent = this.#percentOf(this.#paths.queues)
    return { logPercent, queuesPercent, percent: Math.max(logPercent, queuesPercent) }
  }

  /** Rounded up, of what we could have at all (Apache 5.3.3, UtilAll.getDiskPartitionSpaceUsedPercent). */
  #percentOf(path: string): number {
    const { used, usable } = this.#disk.usage(path)
    return used + usable === 0 ? 0 : Math.ceil((used * 100) / (used + usable))
  }
}
