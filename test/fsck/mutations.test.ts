import { expect, test } from 'vitest'
import { runMutations } from '../support/file-mutations.ts'
import { tempFolder } from '../support/temp-folder.ts'

const SEED = 20_000
const COUNT = 150

// node test/support/file-mutations.ts makes many more; bench/results/file-mutations.json has 10,000.
test(`of ${COUNT} damaged files none makes a start break or a wrong message served, and fsck finds all that change a record under a checksum`, async () => {
  const report = await runMutations({ count: COUNT, seed: SEED, folder: tempFolder() })
  expect(report.violations).toEqual([])
  expect(report.wrongServed).toBe(0)
  expect(report.recordsChanged).toBeGreaterThan(COUNT / 4)
  expect(report.recordsFound).toBe(report.recordsChanged - report.recordsUnprotected)
  expect(Object.keys(report.byKind).length).toBe(4)
})
