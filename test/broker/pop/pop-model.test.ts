import fc from 'fast-check'
import { test } from 'vitest'
import { popProperty } from './pop-model.ts'

test(
  'what a client may rely on holds over any sequence of steps',
  { timeout: 60_000 },
  async () => {
    await fc.assert(popProperty, { numRuns: 100 })
  },
)
