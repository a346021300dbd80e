import { join } from 'node:path'
import { UNIT_LENGTH, type QueuePlace } from './consume-queue.ts'
import { indexDirectory } from './index-files.ts'

/** Where the parts of a store lie, and how long its files are. */
export interface StorePlaces {
  root: string
  logDirectory: string
  logFileSize: number
  queues: QueuePlace
  indexDirectory: string
}

/** What of the configuration decides over places; keys by Apache's names. */
export interface StorePathConfig {
  storePathRootDir: string
  storePathCommitLog: string
  mappedFileSizeCommitLog: number
  mappedFileSizeConsumeQueue: number
}

export function storePlaces(config: StorePathConfig): StorePlaces {
  const queueFileSize = Math.ceil(config.mappedFileSizeConsumeQueue / UNIT_LENGTH) * UNIT_LENGTH
  return {
    root: config.storePathRootDir,
    logDirectory: config.storePathCommitLog,
    logFileSize: config.mappedFileSizeCommitLog,
    queues: { root: join(config.storePathRootDir, 'consumequeue'), fileSize: queueFileSize },
    indexDirectory: indexDirectory(config.storePathRootDir),
  }
}
