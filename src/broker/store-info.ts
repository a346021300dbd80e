import { Fault } from '../store/log-memory.ts'
import { bytesText, capacityText } from './stats-info.ts'
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
