import type { Handlers } from '../../net/handlers.ts'
import type { BrokerContext } from '../broker-context.ts'
import { registerBrokerInfoHandlers } from './broker-info.ts'
import { registerCleanupHandlers } from './cleanup.ts'
import { registerClientHandlers } from './clients.ts'
import { registerConnectionHandlers } from './connections.ts'
import { registerConsumerHandlers } from './consumers.ts'
import { registerConsumeStatsHandlers } from './consume-stats.ts'
import { registerDiagnosticsHandlers } from './diagnostics.ts'
import { registerGroupHandlers } from './groups.ts'
import { registerLockHandlers } from './locks.ts'
import { registerOffsetHandlers } from './offsets.ts'
import { registerRelayHandlers } from './relays.ts'
import { registerResetHandlers } from './reset-offsets.ts'
import { registerTopicHandlers } from './topics.ts'

/** What the store can say of itself for GET_BROKER_RUNTIME_INFO, by Apache's keys. */
export type StoreInfo = () => Iterable<readonly [string, string]>

/** Everything the broker thread answers itself: all but sends and pulls. */
export function registerHandlers(
  handlers: Handlers,
  context: BrokerContext,
  storeInfo: StoreInfo = () => [],
): void {
  registerTopicHandlers(handlers, context)
  registerGroupHandlers(handlers, context)
  registerOffsetHandlers(handlers, context)
  registerClientHandlers(handlers, context)
  registerConnectionHandlers(handlers, context)
  registerConsumerHandlers(handlers, context)
  registerConsumeStatsHandlers(handlers, context)
  registerRelayHandlers(handlers, context)
  registerResetHandlers(handlers, context)
  registerLockHandlers(handlers, context)
  registerBrokerInfoHandlers(handlers, context, storeInfo)
  registerCleanupHandlers(handlers, context)
  registerDiagnosticsHandlers(handlers, context)
}
