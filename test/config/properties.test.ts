import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { formatProperties, parseProperties } from '../../src/config/properties.ts'

function pairs(content: string): [string, string][] {
  return parseProperties(content).map(({ key, value }) => [key, value])
}

describe('a properties file reads as Java reads it', () => {
  test.each([
    ['blanks around = are dropped', ' a  =  b', [['a', 'b']]],
    ['blanks after the value are kept', 'a=b ', [['a', 'b ']]],
    [
      ': and a blank separate like =',
      'a:b\nc d\ne = = f',
      [
        ['a', 'b'],
        ['c', 'd'],
        ['e', '= f'],
      ],
    ],
    ['# and ! start a comment at the beginning of a line', '# a=b\n  ! c=d\ne=f', [['e', 'f']]],
    ['a # after the value is part of it', 'ip=1.2.3.4 #mine', [['ip', '1.2.3.4 #mine']]],
    [
      'a line without = is a key with an empty value',
      'a\nb=',
      [
        ['a', ''],
        ['b', ''],
      ],
    ],
    [
      'a backslash at the end joins the next line',
      'a=b;\\\n   c\nd=e',
      [
        ['a', 'b;c'],
        ['d', 'e'],
      ],
    ],
    [
      'two backslashes at the end are one backslash',
      'a=b\\\\\nc=d',
      [
        ['a', 'b\\'],
        ['c', 'd'],
      ],
    ],
    ['a comment is never continued', '# a \\\nb=c', [['b', 'c']]],
    ['escapes are undone', 'a\\=b=\\t\\u0041\\q', [['a=b', '\tAq']]],
    [
      'lines end with any of \\n, \\r\\n, \\r',
      'a=1\r\nb=2\rc=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
  ])('%s', (_, content, expected) => {
    expect(pairs(content)).toEqual(expected)
  })
})

test('a property knows the line it starts on', () => {
  const found = parseProperties('# one\n\na=1\\\n2\nb=3')
  expect(found.map(({ key, line }) => [key, line])).toEqual([
    ['a', 3],
    ['b', 5],
  ])
})

test('no text makes it fail, and plain pairs are always found', () => {
  const noise = fc.string({ unit: 'binary' }).map((line) => line.replace(/\\+$/, ''))
  fc.assert(
    fc.property(noise, noise, (before, after) => {
      const found = pairs(`${before}\nkey=value\n${after}`)
      expect(found).toContainEqual(['key', 'value'])
    }),
  )
})

test('what is written is read back the same, whatever it holds', () => {
  const text = fc.string({
    unit: fc.constantFrom('\\', ' ', '=', ':', '#', '!', '\t', '\n', '\r', 'a'),
  })
  const key = text.filter((written) => written !== '')
  fc.assert(
    fc.property(fc.array(fc.tuple(key, text)), (written) => {
      expect(pairs(formatProperties(written))).toEqual(written)
    }),
  )
})

test('plain pairs are written plainly', () => {
  expect(formatProperties([['a', 'b=c;d e']])).toBe('a=b=c;d e\n')
})
