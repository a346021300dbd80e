import { setTimeout as pause } from 'node:timers/promises'
import { decodeMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import type { LogShared } from '../store/log-memory.ts'
import type { MessageQueries } from './message-queries.ts'
import { SCHEDULE_TOPIC, TIMER_TOPIC } from './topic-names.ts'
import type { Half } from './transactions.ts'

/** How often is looked whether the index has come to the end of what the last run stored. */
const PAUSE_MS = 10

/**
 * Whether the last run has stored the message of this half message. By the index: it has the key of the half, and
 * says where that is. After a crash the index may be behind for a while: then the answer waits, for a message
 * that is committed twice is delivered twice. Without an index nobody knows: false.
 */
export function committedBefore(
  shared: Pick<LogShared, 'appended' | 'indexed'>,
  queries: Pick<MessageQueries, 'byKey'>,
  hasIndex: boolean,
): (half: Half) => Promise<boolean> {
  const end = shared.appended.value() // when a broker starts: all that earlier runs have stored
  return async (half) => {
    if (!hasIndex) return false
    while (shared.indexed.value() < end) await pause(PAUSE_MS, undefined, { ref: false })
    return isStored(half, queries)
  }
}

/** When it was to come later, it was stored where it waits for that first. */
async function isStored(half: Half, queries: Pick<MessageQueries, 'byKey'>): Promise<boolean> {
  const { properties, position, storeTimestamp: begin } = half
  const key = properties.get(MessageProperty.UNIQ_KEY) ?? ''
  const isIt = (bytes: Buffer): boolean =>
    decodeMessage(bytes).preparedTransactionOffset === position
  const home = properties.get(MessageProperty.REAL_TOPIC) ?? ''
  for (const topic of [home, SCHEDULE_TOPIC, TIMER_TOPIC]) {
    const { records } = await queries.byKey({ topic, key, begin, max: 64, end: Infinity })
    if (records.some(isIt)) return true
  }
  return false
}
