import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DueSet } from '../../../src/broker/pop/due-set.ts'

const operation = fc.record({
  kind: fc.constantFrom('add', 'delete', 'take'),
  ms: fc.integer({ min: 0, max: 3000 }),
  count: fc.integer({ min: 1, max: 5 }),
})

test('gives what is due, the earliest first, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const set = new DueSet<number>()
      let there: { item: number; ms: number }[] = []
      for (const [item, { kind, ms, count }] of operations.entries()) {
        if (kind === 'add') {
          set.add(item, ms)
          there.push({ item, ms })
        } else if (kind === 'delete') {
          const gone = there.shift()
          if (gone !== undefined) set.delete(gone.item, gone.ms)
        } else {
          const due = there
            .filter((each) => stepOf(each.ms) <= ms)
            .toSorted((one, other) => stepOf(one.ms) - stepOf(other.ms))
            .slice(0, count)
          expect(set.take(ms, count)).toEqual(due.map((each) => each.item))
          there = there.filter((each) => !due.includes(each))
        }
        expect(set.nextMs).toBe(Math.min(...there.map((each) => stepOf(each.ms))))
      }
    }),
  )
})

test('takes as many times as there are things', () => {
  const set = new DueSet<number>()
  for (let nth = 0; nth < 200_000; nth++) set.add(nth, nth * 50)
  set.delete(0, 0)
  expect(set.nextMs).toBe(50)
  expect(set.take(Infinity, 2)).toEqual([1, 2])
  expect(set.nextMs).toBe(150)
})

test('forgets times at which nothing is left', () => {
  const set = new DueSet<number>()
  for (let nth = 0; nth < 1000; nth++) {
    set.add(nth, 5000)
    set.delete(nth, 5000)
  }
  expect(set.nextMs).toBe(Infinity)
  set.add(1, 5000)
  expect(set.take(5000)).toEqual([1])
  expect(set.nextMs).toBe(Infinity)
})

function stepOf(ms: number): number {
  return Math.ceil(ms / 50) * 50
}
