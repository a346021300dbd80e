/** What a client holds of a message that it popped, and shows to acknowledge it (Apache 5.3.3, ExtraInfoUtil). */

/** Which topic the message was popped from: its own, or the retry topic of the group in one of two forms. */
export const RetryFlag = { NORMAL: '0', RETRY_V1: '1', RETRY_V2: '2' } as const

/** Stands for the queue of the revive topic when the message was popped in order: then nothing is in there. */
export const ORDERLY_REVIVE_QUEUE = 999

export interface PopReceipt {
  /** Where the check point begins that the message belongs to. */
  startOffset: number
  popTime: number
  invisibleTime: number
  reviveQueueId: number
  retryFlag: string
  brokerName: string
  queueId: number
  queueOffset: number
}

const RETRY_PREFIX = '%RETRY%'
const FIELDS_MIN = 6

export function receiptText(receipt: PopReceipt): string {
  const { startOffset, popTime, invisibleTime, reviveQueueId, retryFlag, brokerName } = receipt
  const of = `${startOffset} ${popTime} ${invisibleTime} ${reviveQueueId} ${retryFlag} ${brokerName}`
  return `${of} ${receipt.queueId} ${receipt.queueOffset}`
}

/** Null when it is none. Queue and offset may be missing, and are -1 then: old clients name them elsewhere. */
export function readReceipt(text: string): PopReceipt | null {
  const parts = text.split(' ')
  if (parts.length < FIELDS_MIN) return null
  const numbers = [0, 1, 2, 3].map((nth) => Number(parts[nth]))
  const [queueId, queueOffset] = [Number(parts[6] ?? -1), Number(parts[7] ?? -1)]
  if (![...numbers, queueId, queueOffset].every(Number.isSafeInteger)) return null
  const [startOffset, popTime, invisibleTime, reviveQueueId] = numbers as [
    number,
    number,
    number,
    number,
  ]
  const [retryFlag, brokerName] = [parts[4]!, parts[5]!]
  return {
    startOffset,
    popTime,
    invisibleTime,
    reviveQueueId,
    retryFlag,
    brokerName,
    queueId,
    queueOffset,
  }
}

/** The retry topic of a group for a topic. V2 tells the two names apart, V1 is what Apache makes by default. */
export function popRetryTopic(group: string, topic: string, isV2: boolean): string {
  return `${RETRY_PREFIX}${group}${isV2 ? '+' : '_'}${topic}`
}

export function retryFlagOf(topic: string): string {
  if (!topic.startsWith(RETRY_PREFIX)) return RetryFlag.NORMAL
  return topic.includes('+') ? RetryFlag.RETRY_V2 : RetryFlag.RETRY_V1
}

/** The topic that a message with this flag lies in. */
export function poppedTopic(topic: string, group: string, retryFlag: string): string {
  if (retryFlag === RetryFlag.RETRY_V1) return popRetryTopic(group, topic, false)
  if (retryFlag === RetryFlag.RETRY_V2) return popRetryTopic(group, topic, true)
  return topic
}

/** The topic whose retries these are; any other topic is its own. */
export function normalTopic(topic: string, group: string): string {
  const prefix = `${RETRY_PREFIX}${group}`
  if (!topic.startsWith(`${prefix}+`) && !topic.startsWith(`${prefix}_`)) return topic
  return topic.slice(prefix.length + 1)
}
