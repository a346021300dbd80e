import { expect, test } from 'vitest'
import { delayLevels, delaysIn } from '../../src/config/delay-levels.ts'

const setting = delayLevels({ doc: 'Delays.' })

test("Apache's default has 18 levels, from a second to two hours", () => {
  const delays = delaysIn(setting.default as string)
  expect(delays).toHaveLength(18)
  expect([delays[0], delays[4], delays[17]]).toEqual([1000, 60_000, 7_200_000])
})

test('days are known, and one level is enough', () => {
  expect(delaysIn(setting.parse('2d')!)).toEqual([172_800_000])
})

test.each([
  '',
  '1',
  '5x',
  '1s  5s',
  '1s,5s',
  '-1s',
  '1.5s',
  '1234567890s',
  '1s '.repeat(300).trim(),
])('%j is refused', (text) => {
  expect(setting.parse(text)).toBeUndefined()
})
