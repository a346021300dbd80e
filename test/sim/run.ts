/**
 * Interleaves the threads of the shared-memory core as seeds decide, and checks what they leave.
 *
 *    node test/sim/run.ts [--seeds N] [--from SEED] [--scenario NAME] [--mutation NAME | --mutations]
 *
 * Prints a line per scenario; ends with 1 after the first failure, with the seed that replays it.
 * With --mutations it says instead how each mutation is found out.
 */
import { parseArgs } from 'node:util'
import { describeFailure, explore } from './explore.ts'
import { failureOf, MUTATIONS } from './mutations.ts'
import { SCENARIOS } from './scenarios/all.ts'
import { loadStepped } from './stepped-modules.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    scenario: { type: 'string' },
    mutation: { type: 'string' },
    mutations: { type: 'boolean', default: false },
  },
})
if (values.mutations) {
  sayMutations()
  process.exit()
}

const mutation = MUTATIONS.find(({ name }) => name === values.mutation)
const stepped = loadStepped(mutation?.edits)
const wanted = values.scenario ?? mutation?.scenario
const scenarios = SCENARIOS.filter(({ name }) => wanted === undefined || name === wanted)

for (const scenario of scenarios) {
  const startedAt = performance.now()
  const range = { from: Number(values.from), count: Number(values.seeds), more: 50 }
  const { runs, steps, failure } = explore(scenario, stepped, range)
  if (failure !== null) {
    console.error(describeFailure(failure))
    process.exit(1)
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${scenario.name}: ${runs} seeds from ${values.from}, ${steps} steps, ${seconds} s`)
}

function sayMutations(): void {
  for (const mutation of MUTATIONS) {
    const failure = failureOf(mutation)
    const how = failure === null ? 'NOT FOUND' : `seed ${failure.seed}: ${failure.error.message}`
    console.log(`${mutation.name} (${mutation.scenario}) ${how}`)
  }
}
