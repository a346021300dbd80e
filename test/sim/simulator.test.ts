/**
 * The shared-memory core, with threads that switch between any two touches of shared memory. What
 * must hold is written at the top of each scenario; `npm run sim -- --seeds 100000` looks further.
 */
import { describe, expect, test } from 'vitest'
import { describeFailure, explore } from './explore.ts'
import { failureOf, MUTATIONS } from './mutations.ts'
import { SCENARIOS } from './scenarios/all.ts'
import { loadStepped } from './stepped-modules.ts'

/** Those that take milliseconds each; the others take some ten microseconds. */
const SEEDS: Readonly<Record<string, number>> = { log: 120, rings: 150, 'broken-thread': 150 }
const SEEDS_OF_OTHERS = 500

const core = loadStepped()

describe('the shared-memory core holds in any order of steps', () => {
  // Some seeds are always the same, some are new with every run.
  test.each(SCENARIOS)('$name', (scenario) => {
    const count = SEEDS[scenario.name] ?? SEEDS_OF_OTHERS
    for (const from of [1, Date.now()]) {
      const { failure } = explore(scenario, core, { from, count, more: 50 })
      expect(failure === null ? '' : describeFailure(failure)).toBe('')
    }
  })
})

describe('what is there is needed: the simulator fails when', () => {
  test.each(MUTATIONS)('$name', (mutation) => {
    expect(failureOf(mutation)).not.toBeNull()
  })
})
