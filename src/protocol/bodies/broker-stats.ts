import { body, double, int, record } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

const item = record({
  /** Of one occasion. */
  avgpt: double,
  sum: int,
  /** A second. */
  tps: double,
})

/** How often something happened, in three windows. */
export const BrokerStatsData = body(
  'BrokerStatsData',
  record({ statsDay: item, statsHour: item, statsMinute: item }),
)
export type BrokerStatsData = BodyOf<typeof BrokerStatsData>
