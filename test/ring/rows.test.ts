import { expect, test } from 'vitest'
import { Rows } from '../../src/ring/rows.ts'

const OFFSETS = [1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7]

function newRows(count = 3): Rows {
  return new Rows(Rows.allocate(count))
}

test('a row keeps next, max and min apart, from each other and from other rows', () => {
  const rows = newRows()
  for (const offset of OFFSETS) {
    rows.publishNext(1, offset + 2)
    rows.publishMax(1, offset + 1)
    rows.publishMin(1, offset)
    expect([rows.next(1), rows.max(1), rows.min(1)]).toEqual([offset + 2, offset + 1, offset])
  }
  for (const row of [0, 2]) {
    expect([rows.next(row), rows.max(row), rows.min(row), rows.takeWaiters(row)]).toEqual([
      0, 0, 0, 0,
    ])
  }
})

test('waiters are told once, all 32 of them', () => {
  const rows = newRows()
  rows.setWaiter(2, 0)
  rows.setWaiter(2, 5)
  expect(rows.takeWaiters(2)).toBe((1 << 5) | 1)
  expect(rows.takeWaiters(2)).toBe(0)
  for (let worker = 0; worker < 32; worker++) rows.setWaiter(2, worker)
  expect(rows.takeWaiters(2)).toBe(-1)
})

test('there are as many rows as were asked for', () => {
  expect(newRows(5).capacity).toBe(5)
})
