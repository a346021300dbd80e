/**
 * Interleaves the threads of the shared-memory core as seeds decide, and checks what they leave.
 *
 *    node test/sim/run.ts [--seed SEED | --seeds N --from SEED] [--scenario NAME]
 *                         [--mutation NAME | --mutations]
 *
 * The scenario `store` is a whole store with crashes, the others are parts of the core.
 * Prints a line per scenario; ends with 1 after the first failure, with the seed that replays it.
 * With --mutations it says instead how each mutation is found out.
 */
import { parseArgs } from 'node:util'
import { describeFailure, explore, type Exploration, type Failure } from './explore.ts'
import { failureOf, MUTATIONS } from './mutations.ts'
import { SCENARIOS } from './scenarios/all.ts'
import { STORE_MUTATIONS } from './mutations-of-stores.ts'
import { loadStepped } from './stepped-modules.ts'
import { exploreStore } from './store/explore-store.ts'
import { storeFailureOf } from './store/store-mutation.ts'
import { STORE } from './store/store-run.ts'
import { loadStore } from './store/store-scale.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
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
const ofStore = STORE_MUTATIONS.find(({ name }) => name === values.mutation)
const stepped = loadStepped(mutation?.edits)
const store = loadStore(ofStore?.edits)
const wanted = values.scenario ?? mutation?.scenario ?? (ofStore && STORE)
const range =
  values.seed === undefined
    ? { from: Number(values.from), count: Number(values.seeds), more: 50 }
    : { from: Number(values.seed), count: 1 }

for (const scenario of SCENARIOS) {
  if (isWanted(scenario.name)) say(scenario.name, () => explore(scenario, stepped, range))
}
if (isWanted(STORE)) say(STORE, () => exploreStore(store, range))

function isWanted(name: string): boolean {
  return wanted === undefined || wanted === name
}

function say(name: string, run: () => Exploration & { crashes?: number }): void {
  const startedAt = performance.now()
  const { runs, steps, crashes, failure } = run()
  if (failure !== null) {
    console.error(describeFailure(failure))
    process.exit(1)
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const crashed = crashes === undefined ? '' : `${crashes} crashes, `
  console.log(`${name}: ${runs} seeds from ${range.from}, ${crashed}${steps} steps, ${seconds} s`)
}

function sayMutations(): void {
  for (const each of STORE_MUTATIONS) sayFound(each.name, STORE, storeFailureOf(each))
  for (const mutation of MUTATIONS) {
    sayFound(mutation.name, mutation.scenario, failureOf(mutation))
  }
}

function sayFound(name: string, scenario: string, failure: Failure | null): void {
  const how = failure === null ? 'NOT FOUND' : `seed ${failure.seed}: ${failure.error.message}`
  console.log(`${name} (${scenario}) ${how}`)
}
