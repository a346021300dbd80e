import type { Handlers } from '../../net/handlers.ts'
import { TopicStatsTable, type MessageQueue } from '../../protocol/bodies/message-queue.ts'
import {
  TopicConfig,
  TopicConfigList,
  TopicConfigWrapper,
} from '../../protocol/bodies/topic-config.ts'
import { TopicList } from '../../protocol/bodies/topic-list.ts'
import type { HeaderOf } from '../../protocol/request.ts'
import {
  DeleteTopicInBroker,
  GetAllTopicConfig,
  GetSystemTopicListFromBroker,
  GetTopicConfig,
  GetTopicStatsInfo,
  UpdateAndCreateTopic,
  UpdateAndCreateTopicList,
} from '../../protocol/requests/topic.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { BrokerContext } from '../broker-context.ts'
import { firstVersion } from '../data-version.ts'
import { changeAttributes } from '../topic-attributes.ts'
import { decodeBody } from './body.ts'
import { checkTopicName, popRetryTopics, shown } from '../topic-names.ts'

/** Queues of one topic: each has a row in shared memory, and files once it has messages. */
const TOPIC_QUEUES_MAX = 16_384
/** Bits of a permission that a topic may have. */
const PERMISSION_MAX = 7

export function registerTopicHandlers(handlers: Handlers, context: BrokerContext): void {
  const { topics } = context
  handlers
    .on(UpdateAndCreateTopic, async (header) => {
      checkChangeable(context, header.topic)
      await topics.put(toTopicConfig(context, header))
    })
    .on(UpdateAndCreateTopicList, async (_, { request }) => {
      const { topicConfigList } = decodeBody(TopicConfigList, request.body)
      const configs = topicConfigList.map((each) => checkedTopic(context, each))
      for (const config of configs) await topics.put(config)
    })
    .on(DeleteTopicInBroker, async ({ topic }) => {
      checkChangeable(context, topic)
      await deleteTopic(context, topic)
    })
    .on(GetAllTopicConfig, () => ({ header: {}, body: allTopics(context) }))
    .on(GetTopicConfig, ({ topic }) => ({ body: TopicConfig.encode(known(context, topic)) }))
    .on(GetSystemTopicListFromBroker, () => ({
      body: TopicList.encode({ topicList: [...topics.systemNames] }),
    }))
    .on(GetTopicStatsInfo, async ({ topic }) => ({ body: await topicStats(context, topic) }))
}

/** Throws INVALID_PARAMETER for names that clients may not use, and for system topics. */
function checkChangeable({ topics }: BrokerContext, topic: string): void {
  checkTopicName(topic)
  if (!topics.isSystem(topic)) return
  const remark = `The topic[${topic}] is conflict with system topic: only other topics can be changed.`
  throw new ResponseError('INVALID_PARAMETER', remark)
}

/** Attributes of a list are changes (`+a` to `b`), as those of a single topic are. */
function checkedTopic(context: BrokerContext, config: TopicConfig): TopicConfig {
  checkChangeable(context, config.topicName)
  const { topicName: topic, attributes, ...kept } = config
  const changes = [...attributes].map(([name, value]) => (value === '' ? name : `${name}=${value}`))
  const header = { ...kept, topic, attributes: changes.join(',') || undefined }
  return toTopicConfig(context, { ...header, defaultTopic: '', force: false })
}

function toTopicConfig(
  { topics }: BrokerContext,
  header: HeaderOf<typeof UpdateAndCreateTopic>,
): TopicConfig {
  const { topic, perm, topicFilterType, topicSysFlag, order } = header
  const { readQueueNums, writeQueueNums } = header
  checkRange('readQueueNums', readQueueNums, TOPIC_QUEUES_MAX)
  checkRange('writeQueueNums', writeQueueNums, TOPIC_QUEUES_MAX)
  checkRange('perm', perm, PERMISSION_MAX)
  const before = topics.get(topic)?.attributes ?? null
  const attributes = changeAttributes(before, header.attributes)
  return {
    topicName: topic,
    readQueueNums,
    writeQueueNums,
    perm,
    topicFilterType,
    topicSysFlag,
    order,
    attributes,
  }
}

function checkRange(name: string, value: number, max: number): void {
  if (value >= 0 && value <= max) return
  throw new ResponseError('INVALID_PARAMETER', `${name} is ${value}, it must be from 0 to ${max}`)
}

/** With all that hangs on it: offsets, order locks, request modes, and what POP kept to be tried again. */
async function deleteTopic(context: BrokerContext, topic: string): Promise<void> {
  const { topics, offsets, resets, modes } = context
  resets.removeTopic(topic)
  await modes.removeTopic(topic)
  for (const group of offsets.groupsOf(topic)) {
    for (const retry of popRetryTopics(group, topic)) await deleteOne(context, retry)
  }
  await deleteOne(context, topic)
  if (topics.get(topic) === undefined) offsets.removeTopic(topic)
}

async function deleteOne({ topics, locks, clients }: BrokerContext, topic: string): Promise<void> {
  if (!(await topics.delete(topic))) return
  locks.removeTopic(topic)
  clients.forgetBeats() // it may be a retry topic: the next heartbeat of its group makes it again
}

function allTopics({ topics, startedAt }: BrokerContext): Uint8Array {
  return TopicConfigWrapper.encode({
    dataVersion: topics.dataVersion,
    mappingDataVersion: firstVersion(startedAt),
    topicConfigTable: new Map(topics.all),
    topicQueueMappingDetailMap: new Map(),
    topicQueueMappingInfoMap: new Map(),
  })
}

function known({ topics }: BrokerContext, topic: string): TopicConfig {
  const config = topics.get(topic)
  if (config !== undefined) return config
  throw new ResponseError('TOPIC_NOT_EXIST', `No topic in this broker. topic: ${shown(topic)}`)
}

async function topicStats(context: BrokerContext, topicName: string): Promise<Uint8Array> {
  const topic = known(context, topicName)
  const count = Math.max(topic.readQueueNums, topic.writeQueueNums)
  const ids = Array.from({ length: count }, (_, queueId) => queueId)
  const offsetTable = await Promise.all(
    ids.map((queueId) => queueStats(context, topicName, queueId)),
  )
  return TopicStatsTable.encode({ offsetTable, topicPutTps: 0 })
}

async function queueStats(
  { config, store }: BrokerContext,
  topic: string,
  queueId: number,
): Promise<[MessageQueue, { lastUpdateTimestamp: number; maxOffset: number; minOffset: number }]> {
  const minOffset = store.minOffset(topic, queueId) ?? 0
  const maxOffset = store.maxOffset(topic, queueId) ?? 0
  const hasMessages = maxOffset > minOffset
  const lastUpdateTimestamp = hasMessages
    ? Math.max(0, await store.storeTimeAt(topic, queueId, maxOffset - 1))
    : 0
  const queue = { brokerName: config.brokerName, queueId, topic }
  return [queue, { lastUpdateTimestamp, maxOffset, minOffset }]
}
