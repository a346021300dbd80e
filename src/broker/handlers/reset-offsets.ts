import type { Handlers, Reply } from '../../net/handlers.ts'
import { ResetOffsetBody } from '../../protocol/bodies/consumer-offset.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import { CloneGroupOffset, InvokeBrokerToResetOffset } from '../../protocol/requests/offset.ts'
import {
  LitePullMessage,
  type PullHeader,
  PullMessage,
  type PullReply,
} from '../../protocol/requests/pull.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { shown } from '../topic-names.ts'

type ResetHeader = HeaderOf<typeof InvokeBrokerToResetOffset>

/** Moves groups, and tells their consumers with the next pull, which workers pass on to here. */
export function registerResetHandlers(handlers: Handlers, context: BrokerContext): void {
  handlers
    .on(InvokeBrokerToResetOffset, async (header) => {
      const offsetTable = await reset(context, header)
      await context.metadata.applied()
      return { body: ResetOffsetBody.encode({ offsetTable }) }
    })
    .on(CloneGroupOffset, (header) => cloneOffsets(context, header))
    .on(PullMessage, (header) => tellReset(context, header))
    .on(LitePullMessage, (header) => tellReset(context, header))
}

async function reset(
  context: BrokerContext,
  header: ResetHeader,
): Promise<ResetOffsetBody['offsetTable']> {
  const { config, offsets, resets, clients } = context
  const { topic, group } = header
  const offsetTable: ResetOffsetBody['offsetTable'] = []
  for (const queueId of queuesOf(context, header)) {
    const offset = await targetOf(context, header, queueId)
    offsetTable.push([{ brokerName: config.brokerName, queueId, topic }, offset])
  }
  const moved = offsetTable.map(([{ queueId }, offset]) => [queueId, offset] as const)
  for (const [queueId, offset] of moved) offsets.commit(group, topic, queueId, offset)
  // Nobody who is not there goes on from elsewhere.
  if (clients.consumers(group) !== null) resets.set(group, topic, moved)
  return offsetTable
}

/** Throws ResponseError for what does not exist. */
function queuesOf({ topics, groups }: BrokerContext, { topic, group, queueId }: ResetHeader) {
  const count = topics.get(topic)?.readQueueNums
  if (count === undefined)
    throw new ResponseError('TOPIC_NOT_EXIST', `Topic ${shown(topic)} does not exist`)
  if (groups.get(group) === undefined) {
    const why = `Group ${shown(group)} does not exist`
    throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', why)
  }
  if (queueId < 0) return Array.from({ length: count }, (_, nth) => nth)
  if (queueId < count) return [queueId]
  const why = `queueId is ${queueId}, it must be from 0 to ${count - 1} in topic ${shown(topic)}`
  throw new ResponseError('INVALID_PARAMETER', why)
}

/** By offset, else by time; a time below 0 is the end of the queue. */
async function targetOf(
  { store }: BrokerContext,
  { topic, queueId: only, offset, timestamp }: ResetHeader,
  queueId: number,
): Promise<number> {
  const max = store.maxOffset(topic, queueId) ?? 0
  if (only >= 0 && offset !== undefined && offset !== -1) {
    const min = store.minOffset(topic, queueId) ?? 0
    if (offset >= min && offset <= max) return offset
    const why = `Target offset ${offset} not in consume queue range [${min}-${max}]`
    throw new ResponseError('SYSTEM_ERROR', why)
  }
  return timestamp < 0 ? max : store.offsetByTime(topic, queueId, timestamp, 'LOWER')
}

function cloneOffsets(
  { groups, topics, clients, offsets }: BrokerContext,
  { srcGroup, destGroup, topic, offline }: HeaderOf<typeof CloneGroupOffset>,
): void {
  if (groups.get(destGroup) === undefined) {
    const why = `Group ${shown(destGroup)} does not exist`
    throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', why)
  }
  const subscriptions = clients.consumers(srcGroup)?.subscriptions
  for (const each of topic?.trim() ? [topic] : offsets.topicsOf(srcGroup)) {
    if (topics.get(each) === undefined) continue
    const isForeign = subscriptions !== undefined && !subscriptions.has(each)
    if (isForeign && !offline) continue
    for (const [queueId, offset] of offsets.queuesOf(srcGroup, each)) {
      offsets.commit(destGroup, each, queueId, offset)
    }
  }
}

/** A pull of a group that was moved, or that was until a moment ago. */
async function tellReset(
  { resets, store, metadata }: BrokerContext,
  { consumerGroup, topic, queueId, queueOffset }: PullHeader,
): Promise<Reply<PullReply>> {
  const offset = resets.take(consumerGroup, topic, queueId)
  await metadata.applied() // the next pull is a worker's again
  const isThere = offset === null || offset === queueOffset
  return {
    code: isThere ? 'PULL_RETRY_IMMEDIATELY' : 'PULL_OFFSET_MOVED',
    remark: 'OFFSET_RESET',
    header: {
      suggestWhichBrokerId: 0,
      nextBeginOffset: offset ?? queueOffset,
      minOffset: store.minOffset(topic, queueId) ?? 0,
      maxOffset: store.maxOffset(topic, queueId) ?? 0,
    },
  }
}
