import { expect, test } from 'vitest'
import { PRE_BLANK_LENGTH, UNIT_LENGTH, writeUnit } from '../../src/store/consume-queue.ts'
import { UnitBlock } from '../../src/broker/unit-block.ts'
import { viewOf } from '../../src/base/bytes.ts'

/** A queue whose nth entry is for position 100 n; of `gone` entries there is no file any more. */
function block(gone = 0) {
  const reads: [number, number][] = []
  const units = new UnitBlock((offset, count, target) => {
    reads.push([offset, count])
    if (offset < gone) return 0
    for (let nth = 0; nth < count; nth++) {
      const length = offset + nth === 7 ? PRE_BLANK_LENGTH : 50
      const unit = { position: 100 * (offset + nth), length, tagsCode: 1 }
      writeUnit(viewOf(target), nth * UNIT_LENGTH, unit)
    }
    return count
  })
  return { units, reads }
}

test('entries that are asked for in turn are read together, and none beyond the last', () => {
  const { units, reads } = block()
  for (let offset = 0; offset < 100; offset++) {
    const unit = units.at(offset, 100)
    expect(unit?.position).toBe(offset === 7 ? undefined : 100 * offset)
  }
  expect(reads).toEqual([
    [0, 64],
    [64, 36],
  ])
})

test('what was not there yet is read when it is', () => {
  const { units } = block()
  expect(units.at(3, 3)).toBeNull()
  expect(units.at(3, 4)?.position).toBe(300)
  expect(units.at(4, 4)).toBeNull()
  expect(units.at(4, 5)?.position).toBe(400)
})

test('entries that are gone are none, and those behind them are read', () => {
  const { units } = block(10)
  expect(units.at(2, 20)).toBeNull()
  expect(units.at(12, 20)?.position).toBe(1200)
})
