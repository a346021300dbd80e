import { body, int, list, oneOf, orElse, record, text, textMap } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'
import { languageCodes } from '../language-code.ts'
import { consumeFromWhere, consumeType, messageModel, SubscriptionData } from './heartbeat.ts'

/** A client of a group, and where it calls from. */
export const Connection = body(
  'Connection',
  record({
    /** `ip:port` */
    clientAddr: text,
    clientId: text,
    language: orElse(oneOf(...languageCodes), 'OTHER'),
    /** Ordinal, see MqVersion. */
    version: orElse(int, 0),
  }),
)
export type Connection = BodyOf<typeof Connection>

/** Who consumes for a group, and what. */
export const ConsumerConnection = body(
  'ConsumerConnection',
  record({
    connectionSet: orElse(list(Connection), []),
    consumeFromWhere: orElse(consumeFromWhere, 'CONSUME_FROM_LAST_OFFSET'),
    consumeType: orElse(consumeType, 'CONSUME_PASSIVELY'),
    messageModel: orElse(messageModel, 'CLUSTERING'),
    subscriptionTable: orElse(textMap(SubscriptionData), new Map()),
  }),
)
export type ConsumerConnection = BodyOf<typeof ConsumerConnection>

export const ProducerConnection = body(
  'ProducerConnection',
  record({ connectionSet: orElse(list(Connection), []) }),
)
export type ProducerConnection = BodyOf<typeof ProducerConnection>

const producerInfo = record({
  clientId: text,
  language: orElse(oneOf(...languageCodes), 'OTHER'),
  /** When its last heartbeat came, in ms. */
  lastUpdateTimestamp: int,
  /** With the slash that Java prints before an address: `/ip:port`. */
  remoteIP: text,
  version: orElse(int, 0),
})

/** Every producer of a broker, by group. */
export const ProducerTable = body(
  'ProducerTableInfo',
  record({ data: orElse(textMap(list(producerInfo)), new Map()) }),
)
export type ProducerTable = BodyOf<typeof ProducerTable>
