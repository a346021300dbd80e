import type { Timers } from './timers.ts'

/** Timers in GET_BROKER_RUNTIME_INFO, by Apache's keys and in its formats; zeros without any. */
export function* timerInfo(timers: Timers | null): Iterable<readonly [string, string]> {
  const service = timers?.service ?? null
  const speeds = service?.speeds.perSecond() ?? { enqueued: 0, dequeued: 0 }
  yield ['timerReadBehind', String(Math.floor((service?.lateMs ?? 0) / 1000))]
  yield ['timerOffsetBehind', String(service?.behind ?? 0)]
  yield ['timerCongestNum', String(Math.max(0, service?.pending ?? 0))]
  yield ['timerEnqueueTps', speeds.enqueued.toFixed(1)]
  yield ['timerDequeueTps', speeds.dequeued.toFixed(1)]
}
