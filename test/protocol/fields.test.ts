import { describe, expect, test } from 'vitest'
import { bool, i32, i64, millis, oneOfText, stamp, text } from '../../src/protocol/fields.ts'

describe('i32', () => {
  test.each([
    ['0', 0],
    ['-2147483648', -2147483648],
    ['2147483647', 2147483647],
    ['+7', 7],
    ['-0', 0],
  ])('reads %s', (written, value) => {
    expect(i32('k').read(written)).toBe(value)
  })

  test.each(['', '2147483648', '-2147483649', '1.0', '1e3', ' 1', '0x1', 'NaN', '9'.repeat(20)])(
    'refuses %j',
    (written) => {
      expect(i32('k').read(written)).toBeUndefined()
    },
  )
})

describe('i64', () => {
  test('reads what is exact in a number', () => {
    expect(i64('k').read('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    expect(i64('k').read('-9007199254740991')).toBe(Number.MIN_SAFE_INTEGER)
  })

  test.each(['9007199254740992', '9223372036854775807', '9'.repeat(100_000)])(
    'refuses what is not: %s',
    (written) => {
      expect(i64('k').read(written)).toBeUndefined()
    },
  )
})

describe('millis', () => {
  test('takes the largest long for never', () => {
    expect(millis('k').read('9223372036854775807')).toBe(Number.MAX_SAFE_INTEGER)
    expect(millis('k').read('-9223372036854775808')).toBe(Number.MIN_SAFE_INTEGER)
    expect(millis('k').read('9223372036854775808')).toBeUndefined()
  })
})

describe('stamp', () => {
  test('reads nanoseconds as the nearest number', () => {
    expect(stamp('k').read('1700000000123456789')).toBe(Number('1700000000123456789'))
  })

  test('is written within int64, however it was rounded', () => {
    const last = stamp('k').read('9223372036854775807')!
    expect(stamp('k').write(last)).toBe('9223372036854775807')
    expect(stamp('k').write(1700000000000)).toBe('1700000000000')
  })
})

describe('bool', () => {
  test('is true for true in any case, false for everything else', () => {
    const read = (written: string) => bool('k').read(written)
    expect(['true', 'TRUE', 'True'].map(read)).toEqual([true, true, true])
    expect(['false', '1', 'yes'].map(read)).toEqual([false, false, false])
  })
})

describe('oneOfText', () => {
  test('reads its words in any case and no others', () => {
    const boundary = oneOfText('k', 'LOWER', 'UPPER')
    expect(boundary.read('upper')).toBe('UPPER')
    expect(boundary.read('MIDDLE')).toBeUndefined()
    expect(boundary.allowed).toBe('LOWER or UPPER')
  })
})

test('text is any text', () => {
  expect(text('k').read('')).toBe('')
})
