import { setTimeout as pause } from 'node:timers/promises'
import type { Call } from './command.ts'

/** Timers wait no longer: in ms they are 32 bits wide. */
export const INTERVAL_MAX_S = 2_000_000

/** Once; with -i again every so many seconds, until it is stopped. */
export async function repeat({ options, stopped }: Call, once: () => Promise<void>): Promise<void> {
  const seconds = options.integer('i', 0, { min: 1, max: INTERVAL_MAX_S })
  for (;;) {
    await once()
    if (seconds === 0 || stopped.aborted) return
    await pause(seconds * 1000, undefined, { signal: stopped }).catch(() => undefined)
    if (stopped.aborted) return
  }
}
