import fc from 'fast-check'
import { test } from 'vitest'
import { lockProperty } from './lock-model.ts'

test('a queue has one owner at a time, while it renews its lock', () => {
  fc.assert(lockProperty, { numRuns: 300 })
})
