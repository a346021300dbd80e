import type { Exploration, Failure } from '../explore.ts'
import type { Stepped } from '../stepped-modules.ts'
import { runStore } from './store-run.ts'

/** The same as `explore`, for stores: `crashes` says how often their processes or machines went. */
export function exploreStore(
  stepped: Stepped,
  { from, count, more = 0 }: { from: number; count: number; more?: number },
): Exploration & { crashes: number } {
  let [runs, steps, crashes, end] = [0, 0, 0, from + count]
  let shortest: Failure | null = null
  for (let seed = from; seed < end; seed++) {
    const run = runStore(stepped, seed)
    runs++
    steps += run.steps
    crashes += run.crashes
    if (run.failure === null) continue
    if (shortest === null) end = seed + 1 + more
    if (shortest === null || run.failure.steps < shortest.steps) shortest = run.failure
  }
  return { runs, steps, crashes, failure: shortest }
}
