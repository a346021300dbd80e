import { expect, test } from 'vitest'
import { fewProblems } from '../../src/log/few-problems.ts'

test('a flood of problems is cut to twenty in ten seconds, and the rest is counted', () => {
  const said: string[] = []
  let now = 0
  const report = fewProblems(
    (problem) => said.push(problem),
    () => now,
  )
  for (let nth = 0; nth < 100; nth++) report(`problem ${nth}`, null)
  expect(said).toHaveLength(20)
  now = 10_000
  report('another', null)
  expect(said.slice(20)).toEqual(['80 more problems like the last ones were not logged', 'another'])
})
