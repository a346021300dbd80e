import { beforeEach, describe, expect, test } from 'vitest'
import { Floor, floorsAreAbove } from '../../src/ring/floor.ts'
import { SharedPosition } from '../../src/ring/position.ts'

const GIB = 2 ** 30
/** Positions whose low words are positive, negative and around zero. */
const POSITIONS = [1000, 2 ** 31 - 3, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 5 * 2 ** 32 + 1]

let words: Int32Array
let floor: Floor
let reclaimed: SharedPosition

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64))
  reclaimed = new SharedPosition(words, 4)
  floor = new Floor(words, 0, reclaimed)
  floor.clear()
})

function isAbove(position: number): boolean {
  return floorsAreAbove(words, { first: 0, step: 1, count: 1, position })
}

describe.each(POSITIONS)('around position %i', (position) => {
  beforeEach(() => reclaimed.publish(position))

  test('a floor holds from what is reclaimed on', () => {
    expect(floor.guard(position)).toBe(true)
    expect(floor.guard(position + 500)).toBe(true)
    expect(floor.guard(position - 1)).toBe(false)
  })

  test('a floor that does not hold is not left behind', () => {
    floor.guard(position - 1)
    expect(isAbove(position + 10)).toBe(true)
  })

  test('a floor is in the way of whoever reclaims beyond it, until it is lifted or cleared', () => {
    floor.guard(position + 100)
    expect(isAbove(position + 99)).toBe(true)
    expect(isAbove(position + 102)).toBe(false)
    floor.lift(position + 200)
    expect(isAbove(position + 102)).toBe(true)
    expect(isAbove(position + 202)).toBe(false)
    floor.clear()
    expect(isAbove(position + 202)).toBe(true)
  })

  test.each([1, 2, 2.5, 3, 3.99, 4, 6, 8])('a floor %f GiB behind never holds', (distance) => {
    expect(floor.guard(position - distance * GIB)).toBe(false)
  })
})
