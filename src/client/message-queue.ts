/** One queue of a topic on one broker: the unit that is written to, pulled from and assigned. */
export interface MessageQueue {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
}

/** Equal for equal queues. `@` is in no topic name, so different queues never meet. */
export function queueKey(queue: MessageQueue): string {
  return `${queue.topic}@${queue.queueId}@${queue.brokerName}`
}

/**
 * The order every member of a group must agree on before it can cut the queues into shares: topic,
 * broker name, queue id, texts by UTF-16 unit as Java compares them (not by locale).
 */
export function compareQueues(one: MessageQueue, other: MessageQueue): number {
  return (
    compareText(one.topic, other.topic) ||
    compareText(one.brokerName, other.brokerName) ||
    one.queueId - other.queueId
  )
}

export function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
