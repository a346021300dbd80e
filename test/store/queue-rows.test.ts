import { expect, test } from 'vitest'
import { Rows } from '../../src/ring/rows.ts'
import { QueueRows, TooManyQueuesError } from '../../src/store/queue-rows.ts'

test('a topic that does not fit takes no rows from those that do', () => {
  const rows = new QueueRows(new Rows(Rows.allocate(4)))
  rows.ensure('A', 1)
  expect(() => rows.ensure('Big', 4)).toThrow(TooManyQueuesError)
  expect(() => rows.ensure('A', 5)).toThrow(/maxQueues=4/)
  expect(rows.of('Big')).toBeUndefined()
  rows.ensure('B', 3)
  expect([rows.of('A'), rows.of('B')]).toEqual([[0], [1, 2, 3]])
})
