import { statfsSync } from 'node:fs'
import { Fault } from '../store/log-memory.ts'
import type { BrokerStore } from './broker-store.ts'

const FAULTS = { [Fault.NONE]: 'none', [Fault.NO_SPACE]: 'noSpace', [Fault.FENCED]: 'fenced' }

/** What the store says of itself in GET_BROKER_RUNTIME_INFO, by Apache's keys; ours start with ringmq. */
export function storeInfo(store: BrokerStore): [string, string][] {
  const { shared, places } = store
  const written = shared.written.value()
  const disk = shared.diskPercent()
  const capacity = capacityText(places.logDirectory)
  return [
    ['commitLogMinOffset', String(shared.minPosition.value())],
    ['commitLogMaxOffset', String(shared.appended.value())],
    ['dispatchBehindBytes', String(Math.max(0, written - shared.dispatched.value()))],
    ['remainHowManyDataToFlush', bytesText(shared.appended.value() - shared.flushed.value())],
    ['earliestMessageTimeStamp', String(store.earliestStoreTime())],
    ['commitLogDiskRatio', String(disk.log / 100)],
    [`commitLogDiskRatio_${places.logDirectory}`, String(disk.log / 100)],
    ['consumeQueueDiskRatio', String(disk.queues / 100)],
    ['ringmqStoreFault', FAULTS[shared.fault() as keyof typeof FAULTS]],
    ['ringmqStorePath', places.root],
    ...(capacity === null ? [] : [['commitLogDirCapacity', capacity] as [string, string]]),
  ]
}

/** `Total : 252.0 GiB, Free : 239.1 GiB.` Null when there is no such folder. */
function capacityText(folder: string): string | null {
  try {
    const { bsize, blocks, bavail } = statfsSync(folder)
    return `Total : ${bytesText(blocks * bsize)}, Free : ${bytesText(bavail * bsize)}.`
  } catch {
    return null
  }
}

/** `6.2 KiB`, `0 B` (Apache 5.3.3, MixAll.humanReadableByteCount). */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const exponent = Math.min(6, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** exponent).toFixed(1)} ${'KMGTPE'[exponent - 1]}iB`
}
