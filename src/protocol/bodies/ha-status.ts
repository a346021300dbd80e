import { body, bool, int, list, optional, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

const slave = record({
  addr: text,
  /** Bytes that it lacks. */
  diff: int,
  inSync: bool,
  slaveAckOffset: int,
  transferFromWhere: int,
  transferredByteInSecond: int,
})

const following = record({
  lastReadTimestamp: orElse(int, 0),
  lastWriteTimestamp: orElse(int, 0),
  masterAddr: optional(text),
  masterFlushOffset: orElse(int, 0),
  maxOffset: orElse(int, 0),
  transferredByteInSecond: orElse(int, 0),
})

/** What a broker says of replication: a master of its slaves, a slave of its own following. */
export const HaStatus = body(
  'HARuntimeInfo',
  record({
    haClientRuntimeInfo: optional(following),
    haConnectionInfo: orElse(list(slave), []),
    inSyncSlaveNums: orElse(int, 0),
    master: bool,
    masterCommitLogMaxOffset: orElse(int, 0),
  }),
)
export type HaStatus = BodyOf<typeof HaStatus>
