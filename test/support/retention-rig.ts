/** A store of small files that old ones are deleted of, and what a test looks at. */
import type { RetentionOptions } from '../../src/store/retention.ts'
import { Random } from '../sim/random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { StoreRig } from './store-rig.ts'

export const FILE = 4096
export const HOUR = 3_600_000
const NOON = new Date(2026, 2, 10, 12, 30).getTime()
export const FOUR = new Date(2026, 2, 20, 4, 30).getTime()
export const ROOT = '/store'

export function diskOf(seed = 1): SimulatedDisk {
  return new SimulatedDisk(new Random(seed))
}

export function rigOn(disk: SimulatedDisk, retention: Partial<RetentionOptions> = {}): StoreRig {
  const rig = new StoreRig({ root: ROOT, disk, retention })
  rig.clock.time = NOON
  for (const topic of ['Old', 'New']) rig.createTopic(topic, 2)
  return rig
}

/** Messages until `files` more log files are full and one is begun. */
export function fill(rig: StoreRig, files: number, topic = 'New'): void {
  const { appended } = rig.shared
  const end = Math.ceil((appended.value() + 1) / FILE) * FILE + (files - 1) * FILE
  while (appended.value() <= end) {
    rig.append({ topic, body: 'b'.repeat(300) })
    rig.settle()
  }
}

export function logFilesOn(disk: SimulatedDisk): number[] {
  return filesOn(disk, `${ROOT}/commitlog`)
}

export function filesOn(disk: SimulatedDisk, directory: string): number[] {
  const names = disk.list(directory).filter(({ isDirectory }) => !isDirectory)
  return names.map(({ name }) => Number(name)).toSorted((a, b) => a - b)
}

export function minOf(rig: StoreRig, topic: string): number {
  return rig.shared.rows.min(rig.row(topic, 0))
}

export function maxOf(rig: StoreRig, topic: string): number {
  return rig.shared.rows.max(rig.row(topic, 0))
}

/** Percent of the disk in use, whatever the store takes. */
export function fillDisk(disk: SimulatedDisk, percent: number): void {
  disk.usage = () => ({ used: percent, usable: 100 - percent })
}
