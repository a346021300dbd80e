import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { readCheckpoint } from '../../src/store/checkpoint.ts'
import { readUnit, UNIT_LENGTH } from '../../src/store/consume-queue.ts'
import { DeletedTopics } from '../../src/store/deleted-topics.ts'
import { readLastStop } from '../../src/store/last-stop.ts'
import { logFileName } from '../../src/store/log-files.ts'
import type { QueueState } from '../../src/store/queue-recovery.ts'
import { recover, type Recovered, type RecoveryOptions } from '../../src/store/recovery.ts'

export type RecoverOptions = Partial<RecoveryOptions> & {
  root: string
  logFileSize: number
  queueFileSize: number
  disk?: Disk
  /** Since when the machine runs. */
  boot?: string
}

export const BOOT = 'first-boot'

/** As a broker does it at its start, with what stands in the folder. */
export function recoverFolder(options: RecoverOptions): Recovered {
  const { root, disk = systemDisk, queueFileSize, boot = BOOT } = options
  return recover(disk, {
    logDirectory: join(root, 'commitlog'),
    queues: { root: join(root, 'consumequeue'), fileSize: queueFileSize },
    lastStop: readLastStop(disk, root, boot),
    checkCrc: true,
    times: readCheckpoint(disk, root),
    deletedBelow: new DeletedTopics(disk, root).below,
    ...options,
  })
}

/** A queue in the form of a golden store, with the entries from `min` on. */
export interface ReadQueue {
  topic: string
  queueId: number
  min: number
  next: number
  units: [number, number, number][]
}

export function readQueues(queues: readonly QueueState[]): ReadQueue[] {
  return queues
    .map(({ topic, queueId, min, next, queue }) => {
      const bytes = Buffer.alloc(UNIT_LENGTH)
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      const units = Array.from({ length: next - min }, (_, nth): [number, number, number] => {
        const unit = { position: -1, length: -1, tagsCode: -1 }
        if (queue.read(min + nth, 1, bytes) === 1) readUnit(unit, view, 0)
        return [unit.position, unit.length, unit.tagsCode]
      })
      return { topic, queueId, min, next, units }
    })
    .toSorted(inOrder)
}

export function queueOf(
  recovered: Pick<Recovered, 'queues'>,
  topic: string,
  queueId: number,
): ReadQueue {
  return readQueues(recovered.queues.filter((q) => q.topic === topic && q.queueId === queueId))[0]!
}

export function inOrder(a: ReadQueue, b: ReadQueue): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.queueId - b.queueId
}

/** What stands in the log's files from `position` on, to the end of the file that holds it. */
export function logBytes(root: string, fileSize: number, position: number): Buffer {
  const start = position - (position % fileSize)
  return readFileSync(join(root, 'commitlog', logFileName(start))).subarray(position - start)
}
