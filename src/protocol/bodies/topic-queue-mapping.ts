import { body, bool, int, list, numberMap, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** Which logical queues of a static topic a broker holds. We only hand it on. */
export const TopicQueueMappingInfo = body(
  'TopicQueueMappingInfo',
  record({
    bname: text,
    currIdMap: orElse(numberMap(int), new Map()),
    dirty: orElse(bool, false),
    epoch: orElse(int, 0),
    scope: orElse(text, '__global__'),
    topic: text,
    totalQueues: orElse(int, 0),
  }),
)
export type TopicQueueMappingInfo = BodyOf<typeof TopicQueueMappingInfo>

const mappingItem = record({
  bname: text,
  endOffset: orElse(int, -1),
  gen: orElse(int, 0),
  logicOffset: orElse(int, 0),
  queueId: int,
  startOffset: orElse(int, 0),
  timeOfEnd: orElse(int, -1),
  timeOfStart: orElse(int, -1),
})

/** The same with the history of each queue. */
export const TopicQueueMappingDetail = body(
  'TopicQueueMappingDetail',
  record({
    bname: text,
    currIdMap: orElse(numberMap(int), new Map()),
    dirty: orElse(bool, false),
    epoch: orElse(int, 0),
    hostedQueues: orElse(numberMap(list(mappingItem)), new Map()),
    scope: orElse(text, '__global__'),
    topic: text,
    totalQueues: orElse(int, 0),
  }),
)
export type TopicQueueMappingDetail = BodyOf<typeof TopicQueueMappingDetail>
