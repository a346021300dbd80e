import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'

type Clients = readonly (readonly [string, ConsumerRunningInfo])[]

export interface RebalanceFaults {
  /** Consumers of a group that disagree take each other's subscription away. */
  isSameSubscription: boolean
  /** What they disagree about: topic and expression, and who wants that. Empty when they agree. */
  differences: Difference[]
  /** A queue that two consumers have; null when there is none. */
  problem: string | null
}

export interface Difference {
  wants: string
  clients: string[]
}

/** Whether the consumers of a group fit together, from what they say of themselves. */
export function rebalanceFaults(clients: Clients): RebalanceFaults {
  const wanted = clients.flatMap(([clientId, info]) =>
    subscriptionsOf(info).map((wants) => ({ wants, clientId })),
  )
  const differences = [...Map.groupBy(wanted, ({ wants }) => wants)]
    .filter(([, who]) => who.length < clients.length)
    .map(([wants, who]) => ({ wants, clients: who.map(({ clientId }) => clientId) }))
  return {
    isSameSubscription: differences.length === 0,
    differences,
    problem: doubledQueue(clients),
  }
}

function subscriptionsOf({ subscriptionSet }: ConsumerRunningInfo): string[] {
  const texts = subscriptionSet.map(({ topic, expressionType, subString }) =>
    [topic, expressionType === 'TAG' ? '' : expressionType, subString].filter(Boolean).join(' '),
  )
  return [...new Set(texts)]
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
