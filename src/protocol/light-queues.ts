/**
 * Light queues (Apache's LMQ): a message may stand in many of them besides its own queue. Their names
 * come with it, in property INNER_MULTI_DISPATCH; the broker that stores it writes its offset in each
 * into INNER_MULTI_QUEUE_OFFSET. Source: Apache 5.3.3, MixAll, LmqDispatch, ConsumeQueue.
 */
export const LIGHT_QUEUE_PREFIX = '%LMQ%'

const SEPARATOR = ','

export function isLightQueue(topic: string): boolean {
  return topic.startsWith(LIGHT_QUEUE_PREFIX)
}

/** Whether entries of other queues are made of a record that is stored in this topic. */
export function mayStandElsewhere(topic: string): boolean {
  return (
    !topic.startsWith('%RETRY%') && !topic.startsWith('rmq_sys_') && topic !== 'SCHEDULE_TOPIC_XXXX'
  )
}

/** As Java splits: empty pieces at the end are none. */
export function lightList(value: string): string[] {
  const pieces = value.split(SEPARATOR)
  while (pieces.at(-1) === '') pieces.pop()
  return pieces
}

export function lightText(items: readonly (string | number)[]): string {
  return items.join(SEPARATOR)
}
