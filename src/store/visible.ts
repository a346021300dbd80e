import type { LogShared } from './log-memory.ts'

/**
 * How far anyone but the sender may look, as a function that is cheap to call: `flushed` with
 * SYNC_FLUSH, else `written`. What was seen once then never comes to mean another message.
 */
export function visibleOf(shared: LogShared, isSyncFlush: boolean): () => number {
  const position = isSyncFlush ? shared.flushed : shared.written
  return () => position.value()
}
