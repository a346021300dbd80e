import {
  body,
  bool,
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
import { SubscriptionData } from './heartbeat.ts'
import { MessageQueue } from './message-queue.ts'

/** Of one queue that a client consumes. Names by Apache 5.3.3, ProcessQueueInfo; times in ms. */
const processQueue = record({
  cachedMsgCount: orElse(int, 0),
  cachedMsgMaxOffset: orElse(int, 0),
  cachedMsgMinOffset: orElse(int, 0),
  cachedMsgSizeInMiB: orElse(int, 0),
  commitOffset: orElse(int, 0),
  droped: orElse(bool, false),
  lastConsumeTimestamp: orElse(int, 0),
  lastLockTimestamp: orElse(int, 0),
  lastPullTimestamp: orElse(int, 0),
  locked: orElse(bool, false),
  transactionMsgCount: orElse(int, 0),
  transactionMsgMaxOffset: orElse(int, 0),
  transactionMsgMinOffset: orElse(int, 0),
  tryUnlockTimes: orElse(int, 0),
})

const popQueue = record({
  droped: orElse(bool, false),
  lastPopTimestamp: orElse(int, 0),
  waitAckCount: orElse(int, 0),
})

/** Of one topic: round trips in ms, and messages per second. */
const consumeStatus = record({
  consumeFailedMsgs: orElse(int, 0),
  consumeFailedTPS: orElse(double, 0),
  consumeOKTPS: orElse(double, 0),
  consumeRT: orElse(double, 0),
  pullRT: orElse(double, 0),
  pullTPS: orElse(double, 0),
})

/** What a consumer says of itself. */
export const ConsumerRunningInfo = body(
  'ConsumerRunningInfo',
  record({
    jstack: optional(text),
    mqPopTable: orElse(objectMap(MessageQueue, popQueue), new Map()),
    mqTable: orElse(objectMap(MessageQueue, processQueue), new Map()),
    properties: orElse(textMap(text), new Map()),
    statusTable: orElse(textMap(consumeStatus), new Map()),
    subscriptionSet: orElse(list(SubscriptionData), []),
    userConsumerInfo: orElse(textMap(text), new Map()),
  }),
)
export type ConsumerRunningInfo = BodyOf<typeof ConsumerRunningInfo>

const offsets = objectMap(MessageQueue, int)

/** Offsets of one client (from it), or of all clients of a group by their ids (from a broker). */
export const ConsumerStatus = body(
  'GetConsumerStatusBody',
  record({
    consumerTable: orElse(textMap(offsets), new Map()),
    messageQueueTable: orElse(offsets, new Map()),
  }),
)
export type ConsumerStatus = BodyOf<typeof ConsumerStatus>
