/** Topics that a broker has of itself. Source: Apache 5.3.3, golden topics.json and TopicConfigManager. */
import { delaysIn } from '../config/delay-levels.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import {
  BENCHMARK_TOPIC,
  HALF_OP_TOPIC,
  HALF_TOPIC,
  OFFSET_MOVED_TOPIC,
  SCHEDULE_TOPIC,
  SELF_TEST_TOPIC,
  SYSTEM_PREFIX,
  SYSTEM_TOPICS,
  TEMPLATE_TOPIC,
  TIMER_TOPIC,
} from './topic-names.ts'

/** Bits of a topic's permission. */
export const Permission = { INHERIT: 1, WRITE: 2, READ: 4, READ_WRITE: 6, ALL: 7 } as const

/** Queues of delay levels: level n waits in queue n - 1. Apache has so many whatever `messageDelayLevel` says. */
const DELAY_QUEUES = 18
const BENCHMARK_QUEUES = 1024
const CLUSTER_TOPIC_QUEUES = 16
/** POP's checkpoints (`reviveQueueNum`). */
const REVIVE_QUEUES = 8

/** What decides which system topics there are. */
export interface Identity {
  readonly brokerClusterName: string
  readonly brokerName: string
  readonly autoCreateTopicEnable: boolean
  readonly defaultTopicQueueNums: number
  readonly clusterTopicEnable: boolean
  readonly brokerTopicEnable: boolean
  readonly traceTopicEnable: boolean
  readonly msgTraceTopicName: string
  readonly messageDelayLevel: string
}

/** A topic with as many queues to read as to write. */
export function topicConfig(topicName: string, queues: number, perm: number): TopicConfig {
  return {
    topicName,
    readQueueNums: queues,
    writeQueueNums: queues,
    perm,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    attributes: new Map(),
  }
}

/** The system topics that must exist at boot. */
export function systemTopics(identity: Identity): TopicConfig[] {
  const { brokerClusterName: cluster, brokerName: broker } = identity
  const { INHERIT, READ_WRITE, ALL } = Permission
  const levels = delaysIn(identity.messageDelayLevel).length
  const topics = [
    topicConfig(SELF_TEST_TOPIC, 1, READ_WRITE),
    topicConfig(BENCHMARK_TOPIC, BENCHMARK_QUEUES, READ_WRITE),
    topicConfig(cluster, CLUSTER_TOPIC_QUEUES, identity.clusterTopicEnable ? ALL : INHERIT),
    topicConfig(broker, 1, identity.brokerTopicEnable ? ALL : INHERIT),
    topicConfig(OFFSET_MOVED_TOPIC, 1, READ_WRITE),
    topicConfig(SCHEDULE_TOPIC, Math.max(DELAY_QUEUES, levels), READ_WRITE),
    topicConfig(replyTopic(cluster), 1, READ_WRITE),
    topicConfig(reviveTopic(cluster), REVIVE_QUEUES, READ_WRITE),
    topicConfig(memberTopic(broker), 1, INHERIT),
    topicConfig(HALF_TOPIC, 1, READ_WRITE),
    topicConfig(HALF_OP_TOPIC, 1, READ_WRITE),
    topicConfig(TIMER_TOPIC, 1, READ_WRITE),
  ]
  if (identity.autoCreateTopicEnable) {
    topics.push(topicConfig(TEMPLATE_TOPIC, identity.defaultTopicQueueNums, ALL))
  }
  if (identity.traceTopicEnable) {
    topics.push(topicConfig(identity.msgTraceTopicName, 1, READ_WRITE))
  }
  return topics
}

/** Names that clients may not create, change or delete. Those with SYSTEM_PREFIX are system topics too. */
export function systemTopicNames(identity: Identity): ReadonlySet<string> {
  const topics = systemTopics(identity).map(({ topicName }) => topicName)
  return new Set([...SYSTEM_TOPICS, ...topics])
}

export function isSystemTopic(names: ReadonlySet<string>, topic: string): boolean {
  return names.has(topic) || topic.startsWith(SYSTEM_PREFIX)
}

/** Answers of request-reply messages. */
export function replyTopic(cluster: string): string {
  return `${cluster}_REPLY_TOPIC`
}

/** POP's checkpoints and acknowledgements. */
export function reviveTopic(cluster: string): string {
  return `${SYSTEM_PREFIX}REVIVE_LOG_${cluster}`
}

function memberTopic(broker: string): string {
  return `${SYSTEM_PREFIX}SYNC_BROKER_MEMBER_${broker}`
}
