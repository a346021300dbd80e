import type { MessageQueue } from '../protocol/bodies/message-queue.ts'

/** Who asks, among whom, for what. */
export interface Asker {
  clientId: string
  /** Sorted; clients are told apart by text. */
  clientIds: readonly string[]
}

/** How the queues of a topic are shared out; null: nobody knows that strategy. */
export type Strategy = (asker: Asker, queues: readonly MessageQueue[]) => MessageQueue[]

/** Those of Apache 5.3.3's broker. */
export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map([
  ['AVG', inBlocks],
  ['AVG_BY_CIRCLE', byCircle],
])

/** Neighbouring queues go to one client; the first clients get one more when it does not divide. */
function inBlocks({ clientId, clientIds }: Asker, queues: readonly MessageQueue[]): MessageQueue[] {
  const index = clientIds.indexOf(clientId)
  if (index === -1) return []
  const [count, more] = [
    Math.floor(queues.length / clientIds.length),
    queues.length % clientIds.length,
  ]
  const start = index * count + Math.min(index, more)
  return queues.slice(start, start + count + (index < more ? 1 : 0))
}

function byCircle({ clientId, clientIds }: Asker, queues: readonly MessageQueue[]): MessageQueue[] {
  const index = clientIds.indexOf(clientId)
  return index === -1 ? [] : queues.filter((_, nth) => nth % clientIds.length === index)
}

/** For POP: with `shareCount` other clients each queue is shared, or with all of them: then it is queue -1. */
export function sharedQueues(
  strategy: Strategy,
  { clientId, clientIds }: Asker,
  queues: readonly MessageQueue[],
  shareCount: number,
): MessageQueue[] {
  if (shareCount <= 0 || shareCount >= clientIds.length - 1) return wholeBrokers(queues)
  const index = clientIds.indexOf(clientId)
  if (index === -1) return []
  if (clientIds.length > queues.length) return [queues[index % queues.length]!]
  const neighbours = Array.from({ length: shareCount + 1 }, (_, nth) => {
    return clientIds[(index + nth) % clientIds.length]!
  })
  const shares = neighbours.flatMap((each) => strategy({ clientId: each, clientIds }, queues))
  return distinct(shares)
}

function wholeBrokers(queues: readonly MessageQueue[]): MessageQueue[] {
  return distinct(queues.map((queue) => ({ ...queue, queueId: -1 })))
}

function distinct(queues: readonly MessageQueue[]): MessageQueue[] {
  return [
    ...new Map(queues.map((queue) => [`${queue.brokerName}@${queue.queueId}`, queue])).values(),
  ]
}

/** As Java sorts queues: by topic, broker, number. */
export function sortedQueues(queues: readonly MessageQueue[]): MessageQueue[] {
  return queues.toSorted((one, other) => {
    if (one.brokerName !== other.brokerName) return one.brokerName < other.brokerName ? -1 : 1
    return one.queueId - other.queueId
  })
}
