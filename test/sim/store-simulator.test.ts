/**
 * Whole stores, crashed again and again on one disk: what must hold stands in store/store-check.ts and in
 * store/store-life.ts. `npm run sim -- --scenario store --seeds 100000` looks further.
 */
import { describe, expect, test } from 'vitest'
import { describeFailure } from './explore.ts'
import { STORE_MUTATIONS } from './mutations-of-stores.ts'
import { exploreStore } from './store/explore-store.ts'
import { storeFailureOf } from './store/store-mutation.ts'
import { loadStore } from './store/store-scale.ts'

/** Some five crashes each. */
const SEEDS = 150

describe('a store keeps its promises through any crashes', () => {
  const core = loadStore()

  // Some seeds are always the same, some are new with every run.
  test.each([1, Date.now()])('from seed %d on', (from) => {
    const { failure } = exploreStore(core, { from, count: SEEDS, more: 20 })
    expect(failure === null ? '' : describeFailure(failure)).toBe('')
  })

  test('a seed replays exactly', () => {
    const [one, other] = [7, 7].map((from) => exploreStore(core, { from, count: 3 }))
    expect(one).toEqual(other)
  })
})

describe('what is there is needed: a store breaks a promise when', () => {
  test.each(STORE_MUTATIONS)('$name', (mutation) => {
    expect(storeFailureOf(mutation)).not.toBeNull()
  })
})
