import { expect, test } from 'vitest'
import { stress } from './stress.ts'

/** A recorded run of more than 100 million is in bench/results/append-stress.json. */
test.each([
  { appenders: 2, appends: 600_000 },
  { appenders: 5, appends: 300_000 },
  { appenders: 8, appends: 200_000 },
])('$appenders real appenders leave every byte right on 4 KiB', async ({ appenders, appends }) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const { counts } = await stress({ appenders, appends, seed })
  expect(counts.appends).toBe(appends)
  expect(counts.records).toBeGreaterThan(appends) // some are batches
  expect(counts.windowReads).toBeGreaterThan(0)
  expect(counts.fileReads).toBeGreaterThan(0)
})
