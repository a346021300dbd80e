import {
  body,
  int,
  list,
  numberMap,
  objectMap,
  optional,
  orElse,
  record,
  text,
  textMap,
} from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { DataVersion } from './data-version.ts'
import { MessageQueue } from './message-queue.ts'

/** Committed offsets: `topic@group` to queue id to offset. */
export const ConsumerOffsetWrapper = body(
  'ConsumerOffsetSerializeWrapper',
  record({
    dataVersion: optional(DataVersion),
    /** Group to topics: Apache writes it beside the table it comes from. */
    groupTopicMap: optional(textMap(list(text))),
    offsetTable: orElse(textMap(numberMap(int)), new Map()),
  }),
)
export type ConsumerOffsetWrapper = BodyOf<typeof ConsumerOffsetWrapper>

/** Where each queue is now for a group. */
export const ResetOffsetBody = body(
  'ResetOffsetBody',
  record({ offsetTable: orElse(objectMap(MessageQueue, int), new Map()) }),
)
export type ResetOffsetBody = BodyOf<typeof ResetOffsetBody>

/** How far a broadcast consumer has come: a file of its client (Apache 5.3.3, OffsetSerializeWrapper). */
export const LocalOffsetTable = body(
  'OffsetSerializeWrapper',
  record({ offsetTable: orElse(objectMap(MessageQueue, int), new Map()) }),
)
export type LocalOffsetTable = BodyOf<typeof LocalOffsetTable>
