import { body, bool, int, list, optional, orElse, record, stamp, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { SubscriptionData } from './heartbeat.ts'

const entry = record({
  bitMap: optional(text),
  /** Whether the filter of the group takes it. */
  eval: orElse(bool, false),
  extendDataJson: optional(text),
  msg: optional(text),
  physicOffset: int,
  physicSize: int,
  tagsCode: stamp,
})

/** Entries of a consume queue. */
export const QueryConsumeQueueReply = body(
  'QueryConsumeQueueResponseBody',
  record({
    filterData: optional(text),
    maxQueueIndex: int,
    minQueueIndex: int,
    queueData: orElse(list(entry), []),
    subscriptionData: optional(SubscriptionData),
  }),
)
export type QueryConsumeQueueReply = BodyOf<typeof QueryConsumeQueueReply>
