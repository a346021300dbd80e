import type { Handlers } from '../../net/handlers.ts'
import { QueryConsumeQueueReply } from '../../protocol/bodies/consume-queue.ts'
import { HaStatus } from '../../protocol/bodies/ha-status.ts'
import {
  GetBrokerEpochCache,
  GetBrokerHaStatus,
  QueryConsumeQueue,
} from '../../protocol/requests/diagnostics.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { shown } from '../topic-names.ts'

/** Entries in one answer: main reads them one by one. */
const ENTRIES_MAX = 1024

/** What administrators look at when something is wrong. */
export function registerDiagnosticsHandlers(handlers: Handlers, context: BrokerContext): void {
  handlers
    .on(QueryConsumeQueue, (header) => ({
      body: QueryConsumeQueueReply.encode(entriesOf(context, header)),
    }))
    .on(GetBrokerHaStatus, () => ({ body: HaStatus.encode(haStatus(context)) }))
    .on(GetBrokerEpochCache, () => {
      throw new ResponseError('SYSTEM_ERROR', 'this request only for controllerMode ')
    })
}

/** Apache 5.3.3, AdminBrokerProcessor; beyond the end it answers without a body, we without entries. */
function entriesOf(
  { store, clients }: BrokerContext,
  { topic, queueId, index, count, consumerGroup }: HeaderOf<typeof QueryConsumeQueue>,
): QueryConsumeQueueReply {
  const [min, max] = [store.minOffset(topic, queueId), store.maxOffset(topic, queueId)]
  if (min === null || max === null) {
    throw new ResponseError('SYSTEM_ERROR', `${queueId}@${shown(topic)} is not exist!`)
  }
  const reply: QueryConsumeQueueReply = { maxQueueIndex: max, minQueueIndex: min, queueData: [] }
  const end = Math.min(max, index + Math.min(count, ENTRIES_MAX))
  for (let offset = Math.max(min, index); offset < end; offset++) {
    const unit = store.unitAt(topic, queueId, offset)
    if (unit === null) continue
    const { position: physicOffset, length: physicSize, tagsCode } = unit
    reply.queueData.push({ physicOffset, physicSize, tagsCode, eval: false })
  }
  if (consumerGroup === undefined) return reply
  const subscriptionData = clients.consumers(consumerGroup)?.subscriptions.get(topic)
  const offline = `${shown(consumerGroup)}@${shown(topic)} is not online!`
  return { ...reply, subscriptionData, filterData: subscriptionData ? 'null' : offline }
}

/** This version has no slaves. */
function haStatus({ store }: BrokerContext): HaStatus {
  return {
    haConnectionInfo: [],
    inSyncSlaveNums: 0,
    master: true,
    masterCommitLogMaxOffset: store.endPosition(),
  }
}
