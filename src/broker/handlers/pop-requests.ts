import type { Handlers } from '../../net/handlers.ts'
import type { RemotingClient } from '../../net/remoting-client.ts'
import type { BrokerContext } from '../broker-context.ts'
import { ClusterQueues } from '../cluster-queues.ts'
import type { Pops } from '../pop/pops.ts'
import { registerAssignmentHandlers } from './assignments.ts'
import { registerPopAckHandlers } from './pop-acks.ts'
import { registerPopHandlers } from './pop.ts'

/** All that consumers by POP ask for. `client` asks name servers; `report` as for Handlers. */
export function registerPopRequests(
  handlers: Handlers,
  { context, pops, client }: { context: BrokerContext; pops: Pops; client: RemotingClient },
  report: (problem: string, error: unknown) => void,
): void {
  const { config, clock } = context
  registerPopHandlers(handlers, context, pops, report)
  registerPopAckHandlers(handlers, context, pops)
  const queues = new ClusterQueues(client, config, clock)
  registerAssignmentHandlers(handlers, context, (topic) => queues.of(topic))
}
