import { SqlError } from '../../filter/sql-error.ts'
import type { SubscriptionGroupConfig } from '../../protocol/bodies/subscription-group.ts'
import type { TopicConfig } from '../../protocol/bodies/topic-config.ts'
import { popRetryTopic } from '../../protocol/pop-receipt.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { INVISIBLE_MAX_MS } from '../pop/pop-request.ts'
import { Permission } from '../system-topics.ts'
import { filterOf, type MessageFilter } from '../tag-filter.ts'
import { RETRY_TOPIC_LENGTH_MAX, shown } from '../topic-names.ts'

/** Messages of one pop (Apache 5.3.3). */
const MESSAGES_MAX = 32

interface Place {
  consumerGroup: string
  topic: string
  queueId: number
}

/** What each request to consume by POP must name: a topic, a queue of it or -1, a group. Throws ResponseError. */
export async function checkPlace(
  context: BrokerContext,
  { consumerGroup, topic, queueId }: Place,
  doing: string,
): Promise<{ topic: TopicConfig; group: SubscriptionGroupConfig }> {
  const { config } = context
  if ((config.brokerPermission & Permission.READ) === 0) {
    const why = `the broker[${config.brokerIP1}] ${doing} message is forbidden`
    throw new ResponseError('NO_PERMISSION', why)
  }
  const known = await checkPopTopic(context, topic)
  if ((known.perm & Permission.READ) === 0) {
    const why = `the topic[${topic}] ${doing} message is forbidden`
    throw new ResponseError('NO_PERMISSION', why)
  }
  if (queueId < -1 || queueId >= known.readQueueNums) {
    const why = `queueId[${queueId}] is illegal, topic:[${topic}] topicConfig.readQueueNums:[${known.readQueueNums}] it must be -1, or from 0 to ${known.readQueueNums - 1}`
    throw new ResponseError('INVALID_PARAMETER', why)
  }
  const group = await context.groups.findOrCreate(consumerGroup)
  if (group === null) {
    const why = `subscription group [${shown(consumerGroup)}] does not exist`
    throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', why)
  }
  if (!group.consumeEnable) {
    const why = `subscription group no permission, ${consumerGroup}: its consumeEnable is false`
    throw new ResponseError('NO_PERMISSION', why)
  }
  return { topic: known, group }
}

/** A light queue that is not there yet may be waited for. Throws ResponseError. */
async function checkPopTopic(context: BrokerContext, topic: string): Promise<TopicConfig> {
  const { topics } = context
  const isNew = topics.get(topic) === undefined && topics.light.isOurs(topic)
  if (isNew) await topics.light.ensure([topic])
  return checkTopic(context, topic)
}

export function checkTopic({ topics }: BrokerContext, topic: string): TopicConfig {
  const known = topics.get(topic)
  if (known !== undefined) return known
  throw new ResponseError(
    'TOPIC_NOT_EXIST',
    `topic[${shown(topic)}] not exist, apply first please!`,
  )
}

/** Throws ResponseError: nothing is kept for groups that are not there. */
export function checkGroup({ groups }: BrokerContext, group: string): void {
  if (groups.get(group) !== undefined) return
  const why = `subscription group [${shown(group)}] does not exist`
  throw new ResponseError('SUBSCRIPTION_GROUP_NOT_EXIST', why)
}

/** Throws ResponseError. */
export function checkAmount(
  { maxMsgNums, invisibleTime }: { maxMsgNums: number; invisibleTime: number },
  { consumerGroup, topic }: { consumerGroup: string; topic: string },
): void {
  checkCount(maxMsgNums)
  checkInvisibleTime(invisibleTime)
  if (popRetryTopic(consumerGroup, topic, false).length <= RETRY_TOPIC_LENGTH_MAX) return
  const why = `the names of group ${shown(consumerGroup)} and topic ${shown(topic)} are too long together for a retry topic, which has ${RETRY_TOPIC_LENGTH_MAX} characters at most`
  throw new ResponseError('INVALID_PARAMETER', why)
}

export function checkCount(maxMsgNums: number): void {
  if (maxMsgNums >= 1 && maxMsgNums <= MESSAGES_MAX) return
  const why = `maxMsgNums is ${maxMsgNums}, it must be from 1 to ${MESSAGES_MAX}`
  throw new ResponseError('INVALID_PARAMETER', why)
}

export function checkInvisibleTime(invisibleTime: number): void {
  if (invisibleTime >= 0 && invisibleTime <= INVISIBLE_MAX_MS) return
  const why = `invisibleTime is ${invisibleTime}, it must be from 0 to ${INVISIBLE_MAX_MS} ms`
  throw new ResponseError('INVALID_PARAMETER', why)
}

/** Of `expType` and `exp`. Throws ResponseError. */
export function popFilter(
  { config }: BrokerContext,
  { expType, exp }: { expType?: string | undefined; exp?: string | undefined },
): MessageFilter {
  const type = expType === undefined || expType === '' ? 'TAG' : expType
  if (type !== 'TAG' && (type !== 'SQL92' || !config.enablePropertyFilter)) {
    const why = `The broker does not support consumer to filter message by ${shown(type)}`
    throw new ResponseError('SUBSCRIPTION_PARSE_FAILED', why)
  }
  try {
    return filterOf(type, exp)
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const why = `parse the consumer's subscription failed: ${error.message}`
    throw new ResponseError('SUBSCRIPTION_PARSE_FAILED', why)
  }
}
