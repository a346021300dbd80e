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
} from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** What a consumer wants of a topic. */
export const SubscriptionData = body(
  'SubscriptionData',
  record({
    classFilterMode: orElse(bool, false),
    /** Java hashes of the tags; empty when everything is wanted. */
    codeSet: orElse(list(int), []),
    /** TAG or SQL92. */
    expressionType: orElse(text, 'TAG'),
    /** As typed: `*`, `A || B`, or an SQL92 condition. */
    subString: orElse(text, '*'),
    /** The larger one wins. Milliseconds from Java, nanoseconds from Go. */
    subVersion: orElse(stamp, 0),
    tagsSet: orElse(list(text), []),
    topic: text,
  }),
)
export type SubscriptionData = BodyOf<typeof SubscriptionData>

/** Enums in Apache's order: C++ clients send the numbers. */
export const consumeFromWhere = oneOf(
  'CONSUME_FROM_LAST_OFFSET',
  'CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST',
  'CONSUME_FROM_MIN_OFFSET',
  'CONSUME_FROM_MAX_OFFSET',
  'CONSUME_FROM_FIRST_OFFSET',
  'CONSUME_FROM_TIMESTAMP',
)
export const consumeType = oneOf('CONSUME_ACTIVELY', 'CONSUME_PASSIVELY', 'CONSUME_POP')
export const messageModel = oneOf('BROADCASTING', 'CLUSTERING')

export const ConsumerData = body(
  'ConsumerData',
  record({
    consumeFromWhere: orElse(consumeFromWhere, 'CONSUME_FROM_LAST_OFFSET'),
    consumeType: orElse(consumeType, 'CONSUME_PASSIVELY'),
    groupName: text,
    messageModel: orElse(messageModel, 'CLUSTERING'),
    subscriptionDataSet: orElse(list(SubscriptionData), []),
    unitMode: orElse(bool, false),
  }),
)
export type ConsumerData = BodyOf<typeof ConsumerData>

export const ProducerData = body('ProducerData', record({ groupName: text }))
export type ProducerData = BodyOf<typeof ProducerData>

/** Everything a client does, sent to every broker every 30 s. */
export const HeartbeatData = body(
  'HeartbeatData',
  record({
    clientID: text,
    consumerDataSet: orElse(list(ConsumerData), []),
    /** 0: a heartbeat of the first version. */
    heartbeatFingerprint: orElse(int, 0),
    producerDataSet: orElse(list(ProducerData), []),
    /** The subscriptions are left out, because the broker has those of this fingerprint. */
    withoutSub: orElse(bool, false),
  }),
)
export type HeartbeatData = BodyOf<typeof HeartbeatData>

export const CheckClientBody = body(
  'CheckClientRequestBody',
  record({
    clientId: text,
    group: text,
    namespace: optional(text),
    subscriptionData: SubscriptionData,
  }),
)
export type CheckClientBody = BodyOf<typeof CheckClientBody>

export const ConsumerList = body(
  'GetConsumerListByGroupResponseBody',
  record({ consumerIdList: orElse(list(text), []) }),
)
export type ConsumerList = BodyOf<typeof ConsumerList>
