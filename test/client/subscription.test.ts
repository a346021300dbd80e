import { expect, test } from 'vitest'
import { isWanted, subscription, subscriptionData } from '../../src/client/subscription.ts'

test('a star and an empty expression want everything', () => {
  for (const expression of ['*', '', ' ']) {
    const all = subscription('Orders', expression, 1)
    expect(all.expression).toBe('*')
    expect(isWanted(all, undefined)).toBe(true)
    expect(isWanted(all, 'TagA')).toBe(true)
  }
})

test('tags are split at || and trimmed, and the expression is kept as typed', () => {
  const some = subscription('Orders', ' TagA||TagB ||  ', 1)
  expect([...some.tags]).toEqual(['TagA', 'TagB'])
  expect(some.expression).toBe(' TagA||TagB ||  ')
  expect(subscriptionData(some).codeSet[0]).toBe(2598919)
})

test('a tag that only shares the hash is not wanted', () => {
  const some = subscription('Orders', 'Aa', 1)
  const codes = subscriptionData(subscription('Orders', 'BB', 1)).codeSet
  expect(subscriptionData(some).codeSet).toEqual(codes)
  expect(isWanted(some, 'Aa')).toBe(true)
  expect(isWanted(some, 'BB')).toBe(false)
  expect(isWanted(some, undefined)).toBe(false)
})

test('an expression without any tag is refused by name', () => {
  expect(() => subscription('Orders', ' || ', 1)).toThrow(/topic Orders.*TagA \|\| TagB/)
})

test('an SQL92 condition is left to the broker', () => {
  const some = subscription('Orders', { sql: 'price > 10' }, 1)
  expect(some).toMatchObject({ expressionType: 'SQL92', expression: 'price > 10' })
  expect(isWanted(some, 'any')).toBe(true)
})
