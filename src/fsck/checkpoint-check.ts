import { join } from 'node:path'
import type { Disk } from '../base/disk.ts'
import { readCheckpoint } from '../store/checkpoint.ts'
import { Part, type Findings } from './finding.ts'
import type { StoreMap } from './store-map.ts'

const LENGTH = 4096
const FIELDS_LENGTH = 40
/** How far a checkpoint may be ahead of what is on the disk (Apache 5.3.3). */
const SLACK_MS = 3000

/** What the checkpoint claims must not be more than there is. */
export function checkCheckpoint(
  disk: Disk,
  { root }: StoreMap,
  log: { end: number; lastTimestamp: number },
  findings: Findings,
): void {
  const path = join(root, 'checkpoint')
  const tell = (text: string) => findings.add({ part: Part.CHECKPOINT, file: 'checkpoint', text })
  if (!disk.exists(path)) return // a start without it reads the whole log
  const bytes = disk.readFile(path)
  if (bytes.length !== LENGTH) tell(`has ${bytes.length} bytes, not ${LENGTH}`)
  if (bytes.subarray(FIELDS_LENGTH).some((byte) => byte !== 0)) {
    tell('has something behind its fields, where zeros must be')
  }
  const { confirmed, masterFlushed, ...times } = readCheckpoint(disk, root)
  for (const [name, time] of Object.entries(times)) {
    if (time < 0) tell(`its time of ${name} is negative`)
    else if (time > log.lastTimestamp + SLACK_MS) {
      tell(`its time of ${name}, ${time}, is behind the last message's, ${log.lastTimestamp}`)
    }
  }
  if (confirmed < 0 || confirmed > log.end)
    tell(`confirms ${confirmed}, the log ends at ${log.end}`)
  if (masterFlushed < 0) tell('the position of the master is negative')
}
