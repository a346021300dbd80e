import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { TimerCheckFile } from './timer-check.ts'
import { TimerLog } from './timer-log.ts'
import { TimerWheel } from './timer-wheel.ts'

export interface TimerPlace {
  /** Of the store. */
  root: string
  precisionMs: number
  logFileSize: number
  wheelSlots: number
}

/** What timers have on the disk. */
export interface TimerFiles {
  readonly log: TimerLog
  readonly wheel: TimerWheel
  readonly check: TimerCheckFile
}

/** Throws StoreError when a file cannot be one of them. */
export function openTimerFiles(disk: Disk, place: TimerPlace): TimerFiles {
  const { root, precisionMs, logFileSize: fileSize, wheelSlots } = place
  const [config, wheelPath] = [join(root, 'config'), join(root, 'timerwheel')]
  disk.makeDirectory(config)
  const log = new TimerLog(disk, { directory: join(root, 'timerlog'), fileSize })
  const check = new TimerCheckFile(disk, join(config, 'timercheck'), precisionMs)
  const wheel = new TimerWheel(disk, wheelPath, wheelSlots)
  // Before it looks like a wheel that knows of all units: they must be counted in again.
  if (wheel.isNew) check.distrustSlots()
  wheel.ensureLength()
  for (const folder of [root, config]) disk.syncDirectory(folder)
  return { log, wheel, check }
}

export function closeTimerFiles({ log, wheel, check }: TimerFiles): void {
  log.close()
  wheel.close()
  check.close()
}
