import type { Handlers } from '../../net/handlers.ts'
import { ConsumeTimeSpans } from '../../protocol/bodies/consume-stats.ts'
import { GroupList, GroupSubscription } from '../../protocol/bodies/group-list.ts'
import { TopicList } from '../../protocol/bodies/topic-list.ts'
import {
  QueryConsumeTimeSpan,
  QuerySubscriptionByConsumer,
  QueryTopicsByConsumer,
} from '../../protocol/requests/query.ts'
import { QueryTopicConsumeByWho } from '../../protocol/requests/topic.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { shown } from '../topic-names.ts'

const MINUTE_MS = 60_000

/** Who consumes what, and how far. */
export function registerConsumerHandlers(handlers: Handlers, context: BrokerContext): void {
  const { clients, offsets, address: brokerAddr } = context
  handlers
    .on(QueryTopicConsumeByWho, ({ topic }) => {
      // Apache 5.3.3 lists the topic itself instead of the groups that are online: a mistake of its table.
      const groupList = [...new Set([...clients.subscribers(topic), ...offsets.groupsOf(topic)])]
      return { body: GroupList.encode({ groupList }) }
    })
    .on(QueryTopicsByConsumer, ({ group }) => ({
      body: TopicList.encode({ brokerAddr, topicList: offsets.topicsOf(group) }),
    }))
    .on(QuerySubscriptionByConsumer, ({ group, topic }) => {
      const subscriptionData = clients.consumers(group)?.subscriptions.get(topic)
      return { body: GroupSubscription.encode({ group, subscriptionData, topic }) }
    })
    .on(QueryConsumeTimeSpan, async ({ topic, group }) => {
      const queues = context.topics.get(topic)?.writeQueueNums
      if (queues === undefined)
        throw new ResponseError('TOPIC_NOT_EXIST', `topic[${shown(topic)}] not exist`)
      const ids = Array.from({ length: queues }, (_, queueId) => queueId)
      const consumeTimeSpanSet = await Promise.all(
        ids.map((queueId) => timeSpan(context, { topic, queueId, group })),
      )
      return { body: ConsumeTimeSpans.encode({ consumeTimeSpanSet }) }
    })
}

async function timeSpan(
  { config, store, offsets, clock }: BrokerContext,
  { topic, queueId, group }: { topic: string; queueId: number; group: string },
): Promise<ConsumeTimeSpans['consumeTimeSpanSet'][number]> {
  const end = store.maxOffset(topic, queueId) ?? 0
  const committed = offsets.get(group, topic, queueId) ?? 0
  const timeAt = (offset: number) => store.storeTimeAt(topic, queueId, offset)
  const minTimeStamp = await store.earliestStoreTime(topic, queueId)
  const nextTime = committed < end ? await timeAt(committed) : -1
  const consumeTimeStamp = committed > 0 ? await timeAt(committed - 1) : minTimeStamp
  const maxTimeStamp = await timeAt(end - 1)
  return {
    consumeTimeStamp,
    consumeTimeStampStr: timeText(consumeTimeStamp),
    delayTime: nextTime < 0 ? 0 : clock.now() - nextTime,
    maxTimeStamp,
    maxTimeStampStr: timeText(maxTimeStamp),
    messageQueue: { brokerName: config.brokerName, queueId, topic },
    minTimeStamp,
    minTimeStampStr: timeText(minTimeStamp),
  }
}

/** Apache 5.3.3, UtilAll.YYYY_MM_DD_HH_MM_SS_SSS. */
function timeText(ms: number): string {
  const date = new Date(ms)
  const local = new Date(ms - date.getTimezoneOffset() * MINUTE_MS).toISOString()
  return local.slice(0, -1).replace('T', '#').replace('.', ':')
}
