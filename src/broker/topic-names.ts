import { ResponseError } from '../protocol/response-error.ts'

/** Longest topic a client may create or send to (Apache 5.3.3, TopicValidator). */
export const TOPIC_LENGTH_MAX = 127
/** Longest group (Apache 5.3.3, Validators). */
export const GROUP_LENGTH_MAX = 255
/**
 * Longest topic the broker makes itself: the retry topic of a long group. Its length would fit in
 * the record's two bytes, but Apache's store takes no more than this.
 */
export const RETRY_TOPIC_LENGTH_MAX = 255

export const RETRY_PREFIX = '%RETRY%'
export const DEAD_LETTER_PREFIX = '%DLQ%'
export const SYSTEM_PREFIX = 'rmq_sys_'
export const SYSTEM_GROUP_PREFIX = 'CID_RMQ_SYS_'

/** The topic whose permission and queue count an auto-created topic gets. */
export const TEMPLATE_TOPIC = 'TBW102'
export const SCHEDULE_TOPIC = 'SCHEDULE_TOPIC_XXXX'
export const HALF_TOPIC = 'RMQ_SYS_TRANS_HALF_TOPIC'
export const HALF_OP_TOPIC = 'RMQ_SYS_TRANS_OP_HALF_TOPIC'
export const CHECK_MAX_TIME_TOPIC = 'TRANS_CHECK_MAX_TIME_TOPIC'
export const SELF_TEST_TOPIC = 'SELF_TEST_TOPIC'
export const BENCHMARK_TOPIC = 'BenchmarkTest'
export const OFFSET_MOVED_TOPIC = 'OFFSET_MOVED_EVENT'
export const TRACE_TOPIC = 'RMQ_SYS_TRACE_TOPIC'
export const CHECKPOINT_TOPIC = 'CHECKPOINT_TOPIC'
export const TIMER_TOPIC = 'rmq_sys_wheel_timer'

/** Topics no client may send to (Apache 5.3.3, TopicValidator). */
export const SEND_FORBIDDEN: ReadonlySet<string> = new Set([
  SCHEDULE_TOPIC,
  HALF_TOPIC,
  HALF_OP_TOPIC,
  CHECK_MAX_TIME_TOPIC,
  SELF_TEST_TOPIC,
  OFFSET_MOVED_TOPIC,
])

/** System topics of every broker, whatever its name. */
export const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  ...SEND_FORBIDDEN,
  TEMPLATE_TOPIC,
  BENCHMARK_TOPIC,
  TRACE_TOPIC,
  CHECKPOINT_TOPIC,
])

const ILLEGAL = /[^%|a-zA-Z0-9_-]/
const ALLOWED = 'letters, digits and % | _ - are allowed'

/** Whether a character is in it that neither topics nor groups may have. */
export function hasIllegalCharacter(name: string): boolean {
  return ILLEGAL.test(name)
}

/** Why clients may not use this topic name, with what is allowed; null when they may. */
export function topicNameFault(topic: string): string | null {
  if (topic.trim() === '') {
    return `The specified topic is blank: 1 to ${TOPIC_LENGTH_MAX} characters are allowed.`
  }
  if (hasIllegalCharacter(topic)) {
    return `The specified topic[${shown(topic)}] contains illegal characters: only ${ALLOWED}.`
  }
  if (topic.length <= TOPIC_LENGTH_MAX) return null
  return `The specified topic[${shown(topic)}] is longer than topic max length ${TOPIC_LENGTH_MAX}: it has ${topic.length} characters.`
}

/** Why a group may not be called so, with what is allowed; null when it may. */
export function groupNameFault(group: string): string | null {
  if (group.trim() === '') {
    return `The specified group is blank: 1 to ${GROUP_LENGTH_MAX} characters are allowed.`
  }
  if (hasIllegalCharacter(group)) {
    return `The specified group[${shown(group)}] contains illegal characters: only ${ALLOWED}.`
  }
  if (group.length <= GROUP_LENGTH_MAX) return null
  return `The specified group[${shown(group)}] is longer than group max length ${GROUP_LENGTH_MAX}: it has ${group.length} characters.`
}

/** Throws INVALID_PARAMETER for a name that clients may not use. */
export function checkTopicName(topic: string): void {
  const fault = topicNameFault(topic)
  if (fault !== null) throw new ResponseError('INVALID_PARAMETER', fault)
}

/** The topic that holds a group's messages until they are tried again. */
export function retryTopic(group: string): string {
  return RETRY_PREFIX + group
}

export function deadLetterTopic(group: string): string {
  return DEAD_LETTER_PREFIX + group
}

/** The topics POP keeps its retries in, for one group and topic (Apache 5.3.3, KeyBuilder). */
export function popRetryTopics(group: string, topic: string): string[] {
  return [`${RETRY_PREFIX}${group}_${topic}`, `${RETRY_PREFIX}${group}+${topic}`]
}

export function isSystemGroup(group: string): boolean {
  return group.startsWith(SYSTEM_GROUP_PREFIX)
}

/** A name from the network as it may stand in a remark: never longer than any name may be. */
export function shown(name: string): string {
  return name.length <= GROUP_LENGTH_MAX ? name : `${name.slice(0, GROUP_LENGTH_MAX)}…`
}
