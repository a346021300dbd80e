import { explore, type Failure } from './explore.ts'
import { DISPATCH_MUTATIONS } from './mutations-dispatch.ts'
import { LOG_MUTATIONS } from './mutations-log.ts'
import { RECLAIM_MUTATIONS } from './mutations-reclaim.ts'
import { RING_MUTATIONS } from './mutations-ring.ts'
import { WORD_MUTATIONS } from './mutations-word.ts'
import type { Mutation } from './mutation.ts'
import { SCENARIOS } from './scenarios/all.ts'
import { loadStepped } from './stepped-modules.ts'

/** A mutation shows itself within so many seeds, but for those that name their own number. */
const SEEDS = 3000

export const MUTATIONS: readonly Mutation[] = [
  ...WORD_MUTATIONS,
  ...RING_MUTATIONS,
  ...RECLAIM_MUTATIONS,
  ...LOG_MUTATIONS,
  ...DISPATCH_MUTATIONS,
]

/** How the simulator finds it out; null when it does not. The seed that is known is tried first. */
export function failureOf({
  scenario: name,
  edits,
  seed,
  within = SEEDS,
}: Mutation): Failure | null {
  const scenario = SCENARIOS.find((known) => known.name === name)!
  const stepped = loadStepped(edits)
  const known = explore(scenario, stepped, { from: seed, count: 1 }).failure
  return known ?? explore(scenario, stepped, { from: 1, count: within }).failure
}
