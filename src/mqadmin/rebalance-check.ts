import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'

type Clients = readonly (readonly [string, ConsumerRunningInfo])[]

export interface RebalanceFaults {
  /** Consumers of a group that disagree take each other's subscription away. */
  isSameSubscription: boolean
  /** A queue that two consumers have; null when there is none. */
  problem: string | null
}

/** Whether the consumers of a group fit together, from what they say of themselves. */
export function rebalanceFaults(clients: Clients): RebalanceFaults {
  const subscriptions = new Set(clients.map(([, info]) => subscriptionText(info)))
  return { isSameSubscription: subscriptions.size <= 1, problem: doubledQueue(clients) }
}

function subscriptionText({ subscriptionSet }: ConsumerRunningInfo): string {
  const texts = subscriptionSet.map(({ topic, expressionType, subString }) =>
    JSON.stringify([topic, expressionType, subString]),
  )
  return texts.toSorted((a, b) => (a < b ? -1 : 1)).join()
}

/** Each of a broadcast group has all queues, as it should. */
function doubledQueue(clients: Clients): string | null {
  const owners = new Map<string, string>()
  for (const [clientId, { mqTable, properties }] of clients) {
    if (properties.get('messageModel') === 'BROADCASTING') continue
    for (const [{ topic, brokerName, queueId }, { droped }] of mqTable) {
      if (droped) continue
      const queue = `${topic} ${brokerName} ${queueId}`
      const other = owners.get(queue)
      if (other !== undefined) return `${queue} is consumed by ${other} and ${clientId}`
      owners.set(queue, clientId)
    }
  }
  return null
}
