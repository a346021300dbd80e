import type { Handlers } from '../../net/handlers.ts'
import {
  GetAllConsumerOffset,
  GetEarliestMsgStoretime,
  GetMaxOffset,
  GetMinOffset,
  QueryConsumerOffset,
  SearchOffsetByTimestamp,
  UpdateConsumerOffset,
} from '../../protocol/requests/offset.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { shown } from '../topic-names.ts'

export function registerOffsetHandlers(handlers: Handlers, context: BrokerContext): void {
  const { offsets, store } = context
  handlers
    .on(UpdateConsumerOffset, (header) => {
      const { consumerGroup, topic, queueId } = header
      if (context.resets.has(consumerGroup, topic, queueId)) {
        return { header: {}, remark: 'Offset has been previously reset' }
      }
      commit(context, header)
      return { header: {} }
    })
    .on(QueryConsumerOffset, async (header) => ({
      header: { offset: await committedOffset(context, header) },
    }))
    .on(GetAllConsumerOffset, () => ({ body: Buffer.from(offsets.toText()) }))
    .on(GetMaxOffset, ({ topic, queueId }) => ({
      header: { offset: store.maxOffset(topic, queueId) ?? 0 },
    }))
    .on(GetMinOffset, ({ topic, queueId }) => ({
      header: { offset: store.minOffset(topic, queueId) ?? 0 },
    }))
    .on(SearchOffsetByTimestamp, async ({ topic, queueId, timestamp, boundaryType }) => ({
      header: { offset: await store.offsetByTime(topic, queueId, timestamp, boundaryType) },
    }))
    .on(GetEarliestMsgStoretime, async ({ topic, queueId }) => ({
      header: { timestamp: await store.earliestStoreTime(topic, queueId) },
    }))
}

/** Only for what exists, so that the table cannot grow by what anybody sends. */
function commit(
  { groups, topics, offsets }: BrokerContext,
  header: HeaderOf<typeof UpdateConsumerOffset>,
): void {
  const { consumerGroup, topic, queueId, commitOffset } = header
  if (groups.get(consumerGroup) === undefined) {
    throw new ResponseError(
      'SUBSCRIPTION_GROUP_NOT_EXIST',
      `Group ${shown(consumerGroup)} not exist!`,
    )
  }
  const config = topics.get(topic)
  if (config === undefined) {
    throw new ResponseError('TOPIC_NOT_EXIST', `Topic ${shown(topic)} not exist!`)
  }
  const count = Math.max(config.readQueueNums, config.writeQueueNums)
  if (queueId < 0 || queueId >= count) {
    const remark = `queueId is ${queueId}, it must be from 0 to ${count - 1} in topic ${topic}`
    throw new ResponseError('INVALID_PARAMETER', remark)
  }
  if (commitOffset < 0) {
    throw new ResponseError(
      'INVALID_PARAMETER',
      `commitOffset is ${commitOffset}, it must be 0 or more`,
    )
  }
  offsets.commit(consumerGroup, topic, queueId, commitOffset)
}

/**
 * The committed offset, or 0 for a queue that is young: a new group then starts at its beginning, even
 * with CONSUME_FROM_LAST_OFFSET. Throws QUERY_NOT_FOUND: the client decides where to start.
 */
async function committedOffset(
  { offsets, store }: BrokerContext,
  header: HeaderOf<typeof QueryConsumerOffset>,
): Promise<number> {
  const { consumerGroup, topic, queueId, setZeroIfNotFound } = header
  const offset = offsets.get(consumerGroup, topic, queueId)
  if (offset !== null) return offset
  if (setZeroIfNotFound === false) {
    throw notFound('do not set to zero, maybe this group boot first')
  }
  const isYoung = store.minOffset(topic, queueId) === 0
  if (isYoung && (await store.isInMemory(topic, queueId, 0))) return 0
  throw notFound('maybe this group consumer boot first')
}

function notFound(why: string): ResponseError {
  return new ResponseError('QUERY_NOT_FOUND', `Not found, ${why}`)
}
