import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DirtyBits } from '../../src/ring/dirty-bits.ts'

const ROWS = 2500

function newBits(rows = ROWS): DirtyBits {
  return new DirtyBits(DirtyBits.allocate(rows), rows)
}

test('rows that were added are taken, each once, whatever the order', () => {
  const bits = newBits()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: ROWS - 1 })), (rows) => {
      for (const row of rows) bits.add(row)
      const taken = [7]
      expect(bits.take(taken)).toBe(new Set(rows).size)
      expect(taken.shift()).toBe(7) // what was there stays
      expect(new Set(taken)).toEqual(new Set(rows))
      expect(bits.take([])).toBe(0)
    }),
  )
})

test.each([1, 31, 32, 33, 1023, 1024, 1025])('all of %i rows have a place', (rows) => {
  const bits = newBits(rows)
  for (let row = 0; row < rows; row++) bits.add(row)
  const taken: number[] = []
  expect(bits.take(taken)).toBe(rows)
  expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row))
})
