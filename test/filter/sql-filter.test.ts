import { describe, expect, test } from 'vitest'
import { SqlError } from '../../src/filter/sql-error.ts'
import { SqlFilter } from '../../src/filter/sql-filter.ts'

const MESSAGE: Readonly<Record<string, string>> = {
  a: '5',
  b: 'abc',
  c: 'TRUE',
  d: '2.5',
  e: "it's",
  $x_1: '-3',
}

function matches(expression: string): boolean {
  return SqlFilter.of(expression).matches((name) => MESSAGE[name] ?? null)
}

test.each([
  'a = 5',
  'a = 5L',
  "a = '5'",
  'a <> 6',
  'a > 4 AND a < 6',
  'a >= 5 and a <= 5',
  'a BETWEEN 5 AND 7',
  'a between -1 and 5.5',
  'a NOT BETWEEN 6 AND 7',
  "b = 'abc'",
  "b <> 'x'",
  "b IN ('x', 'abc')",
  "b NOT IN ('x')",
  'b IS NOT NULL',
  'z IS NULL',
  "b CONTAINS 'bc'",
  "b NOT CONTAINS 'x'",
  "b STARTSWITH 'ab' and b ENDSWITH 'c'",
  'c = TRUE',
  'd > 2.4',
  'd < a',
  'NOT (a = 6)',
  'a = 6 OR a = 5',
  'TRUE',
  "e = 'it''s'",
  '$x_1 = -3',
  '-$x_1 IS NULL',
  '+a = 5',
  'a = 5 -- the rest is a comment\n',
  'a /* five */ = 5',
  'z > 1 OR a = 5',
  'a = 5 AND (z IS NULL OR b = 5)',
])('%s matches', (expression) => expect(matches(expression)).toBe(true))

test.each([
  'a = 6',
  'a <> 5',
  'z = 1',
  'z <> 1',
  'z > 1',
  'NOT (z > 1)',
  'NOT (z = 1)',
  "z IN ('x')",
  "z NOT IN ('x')",
  "z NOT CONTAINS 'x'",
  "b CONTAINS ''",
  'b > 1',
  'NOT (b > 1)',
  'b = 5 OR a = 5',
  'd > 2',
  'd = 2',
  'b < a',
  'b',
  'c',
  'z',
  'FALSE',
  'NULL',
  "a = 5 AND b = 'x'",
  'not a = 6', // (NOT a) = 6, as in Apache's grammar
])('%s does not match', (expression) => expect(matches(expression)).toBe(false))

test('no text takes long to be no number', () => {
  const filter = SqlFilter.of('n > 1.5 OR n = 2')
  expect(filter.matches(() => `${'1'.repeat(32_000)}x`)).toBe(false)
  expect(filter.matches(() => `${' '.repeat(32_000)}x`)).toBe(false)
})

describe('what is no expression is named with its place:', () => {
  test.each([
    ['', 1],
    ['a =', 4],
    ['a = = 5', 5],
    ['a ~ 5', 3],
    ["a = 'open", 5],
    ['(a = 5', 7],
    ['a = 5)', 6],
    ['a BETWEEN 7 AND 5', 11],
    ['a = NULL', 5],
    ["a > 'x'", 5],
    ['a > TRUE', 5],
    ['5', 1],
    ["'text'", 1],
    ['a IN (5)', 7],
    ['5 IN (5)', 1],
    ['a NOT 5', 7],
    ['a LIKE 5', 3],
    ['a + 5', 3],
    [`${'('.repeat(70)}a = 5${')'.repeat(70)}`, 65],
    [`a = 5 ${'OR a = 5 '.repeat(2000)}`, 10_001],
    [`a=5 ${'OR a=5 '.repeat(600)}`, 3501],
    ['0'.repeat(10_000), 2001],
    [`a = 1${'0'.repeat(50)}`, 5],
  ])('%s', (expression, position) => {
    expect(() => SqlFilter.of(expression)).toThrow(SqlError)
    try {
      SqlFilter.of(expression)
    } catch (error) {
      expect((error as SqlError).position).toBe(position)
    }
  })
})
