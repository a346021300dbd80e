import { body, double, int, list, objectMap, orElse, record, text, bool } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** One queue of a topic on one broker. */
export const MessageQueue = body(
  'MessageQueue',
  record({ brokerName: text, queueId: int, topic: text }),
)
export type MessageQueue = BodyOf<typeof MessageQueue>

/** Of LOCK_BATCH_MQ and UNLOCK_BATCH_MQ. */
export const LockBatchBody = body(
  'LockBatchRequestBody',
  record({
    clientId: text,
    consumerGroup: text,
    mqSet: orElse(list(MessageQueue), []),
    onlyThisBroker: orElse(bool, false),
  }),
)
export type LockBatchBody = BodyOf<typeof LockBatchBody>

/** The queues that are locked for the client now. */
export const LockBatchReply = body(
  'LockBatchResponseBody',
  record({ lockOKMQSet: orElse(list(MessageQueue), []) }),
)
export type LockBatchReply = BodyOf<typeof LockBatchReply>

const topicOffset = record({ lastUpdateTimestamp: int, maxOffset: int, minOffset: int })

/** How far each queue of a topic reaches. */
export const TopicStatsTable = body(
  'TopicStatsTable',
  record({
    offsetTable: orElse(objectMap(MessageQueue, topicOffset), new Map()),
    topicPutTps: orElse(double, 0),
  }),
)
export type TopicStatsTable = BodyOf<typeof TopicStatsTable>
