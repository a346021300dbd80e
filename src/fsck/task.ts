import { checkBatchQueue } from './batch-check.ts'
import { IndexCheck, type IndexChecked } from './index-check.ts'
import { checkManifest, type ManifestChecked } from './manifest-check.ts'
import { QueueCheck, type QueueAsked, type QueueChecked } from './queue-check.ts'
import { readOnlyDisk } from './read-only-disk.ts'
import { SegmentCheck, type SegmentChecked } from './segment-check.ts'
import type { StoreMap } from './store-map.ts'

/** A part of the check that needs no other: it can run in any thread. */
export type Task =
  | { kind: 'segment'; map: StoreMap; start: number }
  | { kind: 'queues'; map: StoreMap; asked: QueueAsked[]; isBatch: boolean }
  | { kind: 'index'; map: StoreMap; name: string }
  | { kind: 'manifest'; map: StoreMap; name: string }

export interface Results {
  segment: SegmentChecked
  queues: QueueChecked[]
  index: IndexChecked
  manifest: ManifestChecked
}

export async function runTask(task: Task): Promise<Results[Task['kind']]> {
  const { map } = task
  switch (task.kind) {
    case 'segment':
      return new SegmentCheck(readOnlyDisk, map, task.start).run()
    case 'queues':
      return task.asked.map((asked) =>
        task.isBatch
          ? checkBatchQueue(readOnlyDisk, map, asked)
          : new QueueCheck(readOnlyDisk, map, asked).run(),
      )
    case 'index':
      return new IndexCheck(readOnlyDisk, map, task.name).run()
    case 'manifest':
      return checkManifest(readOnlyDisk, map, task.name)
  }
}
