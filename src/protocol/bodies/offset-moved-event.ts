import { body, int, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { MessageQueue } from './message-queue.ts'

/** Body of a message in OFFSET_MOVED_EVENT: a consumer asked for an offset that was not there any more. Of brokers before 5.0. */
export const OffsetMovedEvent = body(
  'OffsetMovedEvent',
  record({ consumerGroup: text, messageQueue: MessageQueue, offsetNew: int, offsetRequest: int }),
)
export type OffsetMovedEvent = BodyOf<typeof OffsetMovedEvent>
