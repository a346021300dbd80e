import {
  body,
  bool,
  int,
  list,
  oneOf,
  optional,
  orElse,
  record,
  stamp,
  text,
  textMap,
} from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { DataVersion } from './data-version.ts'

const groupRetryPolicy = record({
  customizedRetryPolicy: optional(record({ next: orElse(list(int), []) })),
  exponentialRetryPolicy: optional(record({ initial: int, max: int, multiplier: int })),
  type: orElse(oneOf('EXPONENTIAL', 'CUSTOMIZED'), 'CUSTOMIZED'),
})

const simpleSubscription = record({
  expression: text,
  expressionType: orElse(text, 'TAG'),
  topic: text,
  version: orElse(stamp, 0),
})

/** A consumer group on one broker. Defaults as in Apache 5.3.3, SubscriptionGroupConfig. */
export const SubscriptionGroupConfig = body(
  'SubscriptionGroupConfig',
  record({
    attributes: orElse(textMap(text), new Map()),
    brokerId: orElse(int, 0),
    consumeBroadcastEnable: orElse(bool, true),
    consumeEnable: orElse(bool, true),
    consumeFromMinEnable: orElse(bool, true),
    consumeMessageOrderly: orElse(bool, false),
    consumeTimeoutMinute: orElse(int, 15),
    groupName: text,
    groupRetryPolicy: orElse(groupRetryPolicy, new Map()),
    groupSysFlag: orElse(int, 0),
    notifyConsumerIdsChangedEnable: orElse(bool, true),
    retryMaxTimes: orElse(int, 16),
    retryQueueNums: orElse(int, 1),
    subscriptionDataSet: optional(list(simpleSubscription)),
    whichBrokerWhenConsumeSlowly: orElse(int, 1),
  }),
)
export type SubscriptionGroupConfig = BodyOf<typeof SubscriptionGroupConfig>

/** All consumer groups of a broker. */
export const SubscriptionGroupWrapper = body(
  'SubscriptionGroupWrapper',
  record({
    dataVersion: orElse(DataVersion, new Map()),
    /** Group to topic to bits of what is forbidden. */
    forbiddenTable: optional(textMap(textMap(int))),
    subscriptionGroupTable: orElse(textMap(SubscriptionGroupConfig), new Map()),
  }),
)
export type SubscriptionGroupWrapper = BodyOf<typeof SubscriptionGroupWrapper>

/** Groups to create or to change at once. */
export const SubscriptionGroupList = body(
  'SubscriptionGroupList',
  record({ groupConfigList: orElse(list(SubscriptionGroupConfig), []) }),
)
export type SubscriptionGroupList = BodyOf<typeof SubscriptionGroupList>
