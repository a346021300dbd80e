import { expect, test } from 'vitest'
import { POSITION_WORDS, SharedPosition } from '../../src/ring/position.ts'

const VALUES = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 3 * 2 ** 32 + 5, 2 ** 53 - 1]

test('a position is what was published last, up to the last safe integer', () => {
  const position = new SharedPosition(new Int32Array(POSITION_WORDS), 0)
  for (const value of VALUES) {
    position.publish(value)
    expect(position.value()).toBe(value)
    expect(position.peek()).toBe(value)
  }
})

test('a position that its mover left half moved is given up', () => {
  const words = new Int32Array(new SharedArrayBuffer(POSITION_WORDS * 4))
  words[0] = 1
  expect(() => new SharedPosition(words, 0).value()).toThrow('half moved')
})
