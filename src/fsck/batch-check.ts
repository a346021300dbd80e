import type { Disk } from '../base/disk.ts'
import { DescriptorCache } from '../store/descriptor-cache.ts'
import { BatchCursor } from './batch-cursor.ts'
import { BATCH_UNIT_LENGTH } from './batch-unit.ts'
import { Findings, Part } from './finding.ts'
import type { QueueAsked, QueueChecked } from './queue-check.ts'
import { shownPath, type StoreMap } from './store-map.ts'

/** One queue of the batch kind: its entries follow each other in the log and in their offsets. */
export function checkBatchQueue(disk: Disk, map: StoreMap, asked: QueueAsked): QueueChecked {
  const { queue, minPosition, matched } = asked
  const findings = new Findings()
  const descriptors = new DescriptorCache(disk, { max: 8, isReadOnly: true })
  const cursor = new BatchCursor(disk, queue, descriptors)
  const { topic, queueId } = queue
  const file = shownPath(map.root, queue.directory)
  let [units, present, next] = [0, 0, -1]
  let lastPosition = -1
  const first = (queue.starts[0] ?? 0) / BATCH_UNIT_LENGTH
  for (let unit = cursor.read(first); unit !== null; unit = cursor.read(first + units)) {
    const { position, base, count } = unit
    if (position <= lastPosition || (next !== -1 && base !== next)) {
      const text = `the entry says position ${position} and messages from ${base} on, behind ${lastPosition} and ${next}`
      findings.add({ part: Part.QUEUE, file, topic, queueId, offset: base, text })
    }
    if (position >= minPosition) present++
    lastPosition = position
    next = base + count
    units++
  }
  descriptors.closeAll()
  if (present !== matched) {
    const text = `${present} entries, and ${matched} messages of the log agree with theirs`
    findings.add({ part: Part.QUEUE, file, topic, queueId, text })
  }
  return { units, misnamed: [], found: findings.found() }
}
