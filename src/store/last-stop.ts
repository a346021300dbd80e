import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { Checkpoint, readCheckpoint } from './checkpoint.ts'
import { replaceFile } from './replace-file.ts'

/**
 * Exists while a broker runs on the store (Apache 5.3.3): if it is there at the start, the stop was
 * not clean. Apache writes its pid and looks at nothing but the file's existence; we write more.
 */
export const ABORT_FILE = 'abort'
export const STOP_FILE = 'ringmq-clean-stop'

/** What a start may rely on. */
export const StopKind = {
  /** Everything is as it was left. */
  CLEAN: 'CLEAN',
  /** Our process died, the machine did not: whatever was written is there. */
  KILLED: 'KILLED',
  /** The machine stopped, or Apache died: what was not synced may be missing. */
  UNKNOWN: 'UNKNOWN',
} as const
export type StopKind = (typeof StopKind)[keyof typeof StopKind]

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

export interface LastStop {
  kind: StopKind
  /** Null unless the last to stop cleanly was one of ours. */
  clean: CleanStop | null
}

/** `boot` is the machine's boot id: another one means that it was off, or lost its power. */
export function readLastStop(disk: Disk, root: string, boot: string): LastStop {
  const abort = join(root, ABORT_FILE)
  if (disk.exists(abort)) {
    const isOurs = disk.readFile(abort).toString().endsWith(markOf(boot))
    return { kind: isOurs ? StopKind.KILLED : StopKind.UNKNOWN, clean: null }
  }
  const stop = readStopFile(disk, root)
  if (stop === null) return { kind: StopKind.CLEAN, clean: null }
  return stop.boot === boot
    ? { kind: StopKind.CLEAN, clean: stop }
    : { kind: StopKind.UNKNOWN, clean: null }
}

/** Before recovery changes anything: broken off, the next one must not take the store for clean. */
export function beginRecovery(disk: Disk, root: string): void {
  const path = join(root, ABORT_FILE)
  if (!disk.exists(path)) replaceFile(disk, path, Buffer.from(String(process.pid)))
}

/** Before entries are made that the checkpoint says are there: broken off, all are made anew. */
export function beginRebuild(disk: Disk, root: string): void {
  const times = readCheckpoint(disk, root)
  const checkpoint = new Checkpoint(disk, root)
  checkpoint.write({ ...times, logics: 0 }) // not `physic`: it tells how far the log was flushed
  checkpoint.close()
  replaceFile(disk, join(root, ABORT_FILE), Buffer.from(String(process.pid)))
}

/** From now on a stop is not clean. Durable before anything is appended. */
export function beginRun(disk: Disk, root: string, boot: string): void {
  replaceFile(disk, join(root, ABORT_FILE), Buffer.from(process.pid + markOf(boot)))
  disk.remove(join(root, STOP_FILE))
}

/** The log is durable by now. */
export function endRun(disk: Disk, root: string, stop: CleanStop & { boot: string }): void {
  replaceFile(disk, join(root, STOP_FILE), Buffer.from(`${JSON.stringify(stop)}\n`))
  disk.remove(join(root, ABORT_FILE))
  disk.syncDirectory(root)
}

function markOf(boot: string): string {
  return ` ringmq ${boot}\n`
}

export function readStopFile(disk: Disk, root: string): (CleanStop & { boot: string }) | null {
  const path = join(root, STOP_FILE)
  if (!disk.exists(path)) return null
  try {
    const stop = JSON.parse(disk.readFile(path).toString()) as CleanStop & { boot: string }
    const { end, timestamp, queues, entries } = stop
    return [end, timestamp, queues, entries].every(Number.isSafeInteger) ? stop : null
  } catch {
    return null // no JSON: recovery takes the long way
  }
}
