import type { Clock } from '../base/clock.ts'
import type { Log } from '../log/log.ts'
import type { ExpiryTimer } from './expiry-timer.ts'
import type { KvConfig } from './kv-config.ts'
import type { LiveConfig } from './live-config.ts'
import type { RouteTable } from './route-table.ts'

/** What the handlers of a name server work on. */
export interface Parts {
  readonly table: RouteTable
  readonly kv: KvConfig
  readonly config: LiveConfig
  readonly expiry: ExpiryTimer
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly log: Log
}
