import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { queueText } from './queue-scan.ts'

/** A queue with messages at hand of which none was consumed for this long is stuck (Apache 5.3.3, ConsumerRunningInfo). */
const STUCK_MS = 60_000

type Queue = ConsumerRunningInfo['mqTable'][number]

/** What keeps a push consumer from consuming, a sentence for each of its queues where something does; `now` in ms. */
export function stuckQueues(
  clientId: string,
  { properties, mqTable }: ConsumerRunningInfo,
  now: number,
): string[] {
  if (properties.get('PROP_CONSUME_TYPE') !== 'CONSUME_PASSIVELY') return []
  const isOrderly = properties.get('PROP_CONSUMEORDERLY') === 'true'
  return mqTable.flatMap((queue) => {
    const why = isOrderly ? whyNotLocked(queue, now) : whyNotConsumed(queue, now)
    return why === null ? [] : [`${clientId} ${queueText(queue[0])} ${why}`]
  })
}

function whyNotLocked([, info]: Queue, now: number): string | null {
  if (!info.locked) return `can't lock for a while, ${now - info.lastLockTimestamp}ms`
  const isGivenBack = !info.droped || info.tryUnlockTimes === 0
  return isGivenBack ? null : `unlock ${info.tryUnlockTimes} times, still failed`
}

function whyNotConsumed([, info]: Queue, now: number): string | null {
  const ms = now - info.lastConsumeTimestamp
  if (ms <= STUCK_MS || info.cachedMsgCount === 0) return null
  return `can't consume for a while, maybe blocked, ${ms}ms`
}
