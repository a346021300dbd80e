import type { SubscriptionData } from '../protocol/bodies/heartbeat.ts'

/** What a network worker must know of a topic to take sends and answer pulls. */
export interface TopicChange {
  kind: 'topic'
  topic: string
  perm: number
  readQueueNums: number
  writeQueueNums: number
  /** Age from which messages are not delivered any more; 0: never. */
  ttlMs: number
  /** A message with the key of one that is no older than this is not stored again; 0: it is. */
  dedupWindowMs: number
  /** Row of each queue, by queueId. */
  rows: number[]
}

/** One change of topics, groups or subscriptions, as main publishes it to the other threads. */
export type MetadataChange =
  | TopicChange
  | { kind: 'topicGone'; topic: string }
  | { kind: 'group'; group: string; consumeEnable: boolean }
  | { kind: 'groupGone'; group: string }
  | { kind: 'resets'; group: string; queues: string[] }
  | { kind: 'subscriptions'; group: string; subscriptions: SubscriptionData[] }
