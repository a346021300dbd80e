import fc from 'fast-check'
import { test } from 'vitest'
import { transactionProperty } from './transaction-model.ts'

test('an outcome that was answered for is never lost nor doubled, whatever crashes between', async () => {
  await fc.assert(transactionProperty, { numRuns: 300 })
})
