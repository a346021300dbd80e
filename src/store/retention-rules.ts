/** When log files go. Percentages are of the disk, times in ms, keys by Apache's names. */
export interface RetentionConfig {
  fileReservedTime: number
  deleteWhen: string
  diskMaxUsedSpaceRatio: number
  diskSpaceCleanForciblyRatio: number
  diskSpaceWarningLevelRatio: number
  cleanFileForciblyEnable: boolean
  maxStoreBytes: number
}

/** Why a log file was deleted. */
export type DeleteReason = 'maxStoreBytes' | 'disk' | 'age'

/** What the oldest file is judged by. */
export interface Circumstances {
  now: number
  /** How full the disk is. */
  percent: number
  /** A write or a new file was refused for lack of space. */
  isOutOfSpace: boolean
  /** Bytes of all log files, with the next one. */
  storeBytes: number
  /** Store time of the newest message of the oldest file, or later. */
  newestMs: number
  /** An administrator asked for it. */
  isAsked: boolean
}

const HOUR_MS = 3_600_000

/** The rules by which the oldest log file goes (Apache 5.3.3, CleanCommitLogService, and maxStoreBytes). */
export class RetentionRules {
  readonly #config: RetentionConfig

  constructor(config: RetentionConfig) {
    this.#config = config
  }

  /** Null: it stays. */
  reasonToDelete(what: Circumstances): DeleteReason | null {
    const { maxStoreBytes } = this.#config
    if (maxStoreBytes > 0 && what.storeBytes > maxStoreBytes) return 'maxStoreBytes'
    if (this.#isForced(what)) return 'disk'
    return this.#isExpired(what) && this.#isTime(what) ? 'age' : null
  }

  /** Sends are refused while the disk is fuller. */
  isOverLevel(percent: number): boolean {
    return percent > this.#config.diskSpaceWarningLevelRatio
  }

  #isForced({ percent, isOutOfSpace }: Circumstances): boolean {
    const { cleanFileForciblyEnable, diskSpaceCleanForciblyRatio } = this.#config
    const isFull =
      isOutOfSpace || this.isOverLevel(percent) || percent > diskSpaceCleanForciblyRatio
    return cleanFileForciblyEnable && isFull
  }

  #isExpired({ now, newestMs }: Circumstances): boolean {
    return newestMs + this.#config.fileReservedTime * HOUR_MS <= now
  }

  #isTime({ now, percent, isAsked }: Circumstances): boolean {
    if (isAsked || percent > this.#config.diskMaxUsedSpaceRatio) return true
    const hours = this.#config.deleteWhen.split(';').map(Number) // it may change at run time
    return hours.includes(new Date(now).getHours())
  }
}
