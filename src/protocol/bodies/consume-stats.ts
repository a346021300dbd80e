import { body, double, int, objectMap, orElse, record } from '../json-shape.ts'
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
