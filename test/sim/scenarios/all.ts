import type { Scenario } from '../simulation.ts'
import { brokenThread } from './broken-thread.ts'
import { dirtyRows } from './dirty-rows.ts'
import { faults } from './faults.ts'
import { heldPulls } from './held-pulls.ts'
import { log } from './log.ts'
import { locks } from './locks.ts'
import { poison } from './poison.ts'
import { positions } from './positions.ts'
import { reclaim } from './reclaim.ts'
import { rings } from './rings.ts'
import { signals } from './signals.ts'

export const SCENARIOS: readonly Scenario[] = [
  positions,
  locks,
  signals,
  dirtyRows,
  rings,
  heldPulls,
  faults,
  poison,
  brokenThread,
  reclaim,
  log,
]
