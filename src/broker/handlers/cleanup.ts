import type { Handlers } from '../../net/handlers.ts'
import {
  CleanExpiredConsumeQueue,
  CleanUnusedTopic,
  DeleteExpiredCommitLog,
} from '../../protocol/requests/broker.ts'
import { RetentionAsk } from '../../store/log-memory.ts'
import type { BrokerContext } from '../broker-context.ts'
import { isLightQueue } from '../../protocol/light-queues.ts'

/** What an administrator may ask of retention. Answered at once, done by the flush thread. */
export function registerCleanupHandlers(handlers: Handlers, context: BrokerContext): void {
  const { store } = context
  handlers
    .on(DeleteExpiredCommitLog, () => store.askRetention(RetentionAsk.DELETE_EXPIRED))
    .on(CleanExpiredConsumeQueue, () => store.askRetention(RetentionAsk.CLEAN_QUEUES))
    .on(CleanUnusedTopic, () => removeUnused(context))
}

/** Light message queues have no configuration of their own (Apache 5.3.3 leaves them, too). */
async function removeUnused({ store, topics, log }: BrokerContext): Promise<void> {
  for (const topic of store.storedTopics()) {
    if (topics.get(topic) !== undefined || isLightQueue(topic)) continue
    log.info({ topic }, 'queues of a topic that has no configuration are removed')
    await store.removeTopic(topic)
  }
}
