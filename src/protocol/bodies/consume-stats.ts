import {
  body,
  double,
  int,
  list,
  objectMap,
  optional,
  orElse,
  record,
  text,
  textMap,
} from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { MessageQueue } from './message-queue.ts'

const offsetWrapper = record({
  /** The offset that the next message will have. */
  brokerOffset: int,
  /** The offset that the group wants next. */
  consumerOffset: int,
  /** Store time in ms of the last message it has consumed; 0 without one. */
  lastTimestamp: int,
  /** How far it has pulled. */
  pullOffset: orElse(int, 0),
})

/** How far a group has come in each queue. */
export const ConsumeStats = body(
  'ConsumeStats',
  record({
    consumeTps: orElse(double, 0),
    offsetTable: orElse(objectMap(MessageQueue, offsetWrapper), new Map()),
  }),
)
export type ConsumeStats = BodyOf<typeof ConsumeStats>

/** How far every group of a broker has come: one map per group, which holds its topics. */
export const ConsumeStatsList = body(
  'ConsumeStatsList',
  record({
    brokerAddr: optional(text),
    consumeStatsList: orElse(list(textMap(list(ConsumeStats))), []),
    totalDiff: orElse(int, 0),
    totalInflightDiff: orElse(int, 0),
  }),
)
export type ConsumeStatsList = BodyOf<typeof ConsumeStatsList>

const queueTimeSpan = record({
  /** Store time of the last message that the group has consumed. */
  consumeTimeStamp: int,
  /** The times once more, for people: `2026-11-24#23:19:12:920`, in the zone of the broker. */
  consumeTimeStampStr: optional(text),
  /** How long the next message has waited for the group; 0 when there is none. */
  delayTime: int,
  maxTimeStamp: int,
  maxTimeStampStr: optional(text),
  messageQueue: MessageQueue,
  minTimeStamp: int,
  minTimeStampStr: optional(text),
})

/** Store times of each queue of a topic: first, last, and how far a group has come. All in ms. */
export const ConsumeTimeSpans = body(
  'QueryConsumeTimeSpanBody',
  record({ consumeTimeSpanSet: orElse(list(queueTimeSpan), []) }),
)
export type ConsumeTimeSpans = BodyOf<typeof ConsumeTimeSpans>
