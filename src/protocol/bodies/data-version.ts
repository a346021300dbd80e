import { body, int, orElse, record, stamp } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** Which state a table is in: equal when all three are. */
export const DataVersion = body(
  'DataVersion',
  record({
    counter: orElse(int, 0),
    stateVersion: orElse(stamp, 0),
    timestamp: orElse(int, 0),
  }),
)
export type DataVersion = BodyOf<typeof DataVersion>
