import { expect, test } from 'vitest'
import { runChurn } from '../support/churn/churn-run.ts'

test('what is acknowledged is consumed, in order where promised, while members and brokers come and go', async () => {
  const pace = { seconds: 8, killMs: 3000, changeMs: 500, pauseMs: 20 }
  const { kills, shared, ordered, faults } = await runChurn({ seed: 1, members: 4, ...pace })
  expect(faults).toEqual({ lost: 0, foreign: 0, repeated: 0, disordered: 0 })
  for (const { acknowledged, consumed } of [shared, ordered]) {
    expect(acknowledged).toBeGreaterThan(0)
    expect(consumed).toBeGreaterThanOrEqual(acknowledged)
  }
  expect(kills).toBeGreaterThan(0)
}, 180_000)
