import type { Failure } from '../explore.ts'
import type { Edit } from '../stepped-modules.ts'
import { runStore } from './store-run.ts'
import { loadStore } from './store-scale.ts'

/** Something taken away from the store's sources that must be there. */
export interface StoreMutation {
  /** What is done to the sources. */
  name: string
  edits: readonly Edit[]
  /** A seed that shows it; when it does no more, others are looked for. */
  seed?: number
}

/** Some minute of one processor. */
const SEEDS = 5000

/** How whole stores find it out; null when they do not. The seed that is known is tried first. */
export function storeFailureOf({ edits, seed = 1 }: StoreMutation): Failure | null {
  const stepped = loadStore(edits)
  for (const each of [seed, ...Array.from({ length: SEEDS }, (_, nth) => nth + 1)]) {
    const { failure } = runStore(stepped, each)
    if (failure !== null) return failure
  }
  return null
}
