import { body, int, list, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** Where in the log the terms of the masters of a group begin, under a controller. */
export const EpochCache = body(
  'EpochEntryCache',
  record({
    brokerId: int,
    brokerName: text,
    clusterName: text,
    epochList: orElse(list(record({ endOffset: int, epoch: int, startOffset: int })), []),
    maxOffset: orElse(int, 0),
  }),
)
export type EpochCache = BodyOf<typeof EpochCache>
