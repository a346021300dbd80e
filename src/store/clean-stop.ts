import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { replaceFile } from './replace-file.ts'

/** Exists while a broker runs on the store (Apache 5.3.3): if it is there at the start, the stop was not clean. */
const ABORT_FILE = 'abort'
const STOP_FILE = 'ringmq-clean-stop'

/**
 * What a clean stop tells the next start, which then need not look at the last file of the log from
 * its beginning. Believed only when log and queues agree with it: Apache may have had the store since.
 */
export interface CleanStop {
  /** End of the log. */
  end: number
  /** Store time of the last record, ms. */
  timestamp: number
  /** Queues with entries, and the entries of all together. */
  queues: number
  entries: number
}

export function wasStoppedCleanly(disk: Disk, root: string): boolean {
  return !disk.exists(join(root, ABORT_FILE))
}

/** Null unless the last to stop cleanly was one of ours. */
export function readCleanStop(disk: Disk, root: string): CleanStop | null {
  const path = join(root, STOP_FILE)
  if (!disk.exists(path)) return null
  try {
    const stop = JSON.parse(disk.readFile(path).toString()) as CleanStop
    const { end, timestamp, queues, entries } = stop
    return [end, timestamp, queues, entries].every(Number.isSafeInteger) ? stop : null
  } catch {
    return null // no JSON: recovery takes the long way
  }
}

/** From now on a stop is not clean. Durable before anything is appended. */
export function beginRun(disk: Disk, root: string): void {
  replaceFile(disk, join(root, ABORT_FILE), Buffer.from(String(process.pid)))
  disk.remove(join(root, STOP_FILE))
}

/** Everything else is durable by now. */
export function endRun(disk: Disk, root: string, stop: CleanStop): void {
  replaceFile(disk, join(root, STOP_FILE), Buffer.from(`${JSON.stringify(stop)}\n`))
  disk.remove(join(root, ABORT_FILE))
  disk.syncDirectory(root)
}
