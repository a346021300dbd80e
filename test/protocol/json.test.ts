import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quoteJson } from '../../src/protocol/json-quote.ts'
import { JsonError, parseJson } from '../../src/protocol/json.ts'
import type { JsonValue } from '../../src/protocol/json.ts'
import { goldenBodies } from './golden.ts'

/** As JSON.parse has it: maps as objects. */
function plain(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]))
}

describe('standard JSON', () => {
  test('reads as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'grapheme' }), (text) => {
        expect(JSON.stringify(plain(parseJson(text)))).toBe(
          JSON.stringify(
            JSON.parse(text, (_, value: unknown) => (Object.is(value, -0) ? 0 : value)),
          ),
        )
      }),
    )
  })

  test('may have blanks anywhere', () => {
    expect(plain(parseJson(' {\n\t"a" : [ 1 ,\r\n 2 ] } '))).toEqual({ a: [1, 2] })
  })

  test('has escapes, Unicode, surrogate pairs', () => {
    expect(parseJson(String.raw`"\"\\\/\b\f\n\r\t\u4e2d\uD83D\uDE00\u0001"`)).toBe(
      '"\\/\b\f\n\r\t中😀\u0001',
    )
  })

  test('keeps integers exact up to 64 bits', () => {
    expect(parseJson('[9007199254740991,9007199254740992,-9223372036854775808]')).toEqual([
      9007199254740991,
      9007199254740992n,
      -9223372036854775808n,
    ])
    expect(parseJson('[9223372036854775808,1.5,-0,1e3]')).toEqual([
      9223372036854775808, 1.5, 0, 1000,
    ])
  })

  test('takes the last of two equal keys', () => {
    expect(plain(parseJson('{"a":1,"a":2}'))).toEqual({ a: 2 })
  })
})

describe("fastjson's JSON", () => {
  test('has unquoted numbers for keys', () => {
    expect(plain(parseJson('{0:"a:1",12:"b:2",-1:"c"}'))).toEqual({
      0: 'a:1',
      12: 'b:2',
      '-1': 'c',
    })
  })

  test('has objects for keys', () => {
    const table = parseJson('{{"queueId":0,"topic":"t"}:5}') as Map<JsonValue, JsonValue>
    expect([...table].map(([key, value]) => [plain(key), value])).toEqual([
      [{ queueId: 0, topic: 't' }, 5],
    ])
  })

  test.each(Object.entries(goldenBodies))('is read: %s', (_, { text }) => {
    expect(parseJson(text)).toBeInstanceOf(Map)
  })

  test('is what quoteJson writes', () => {
    const all = Array.from({ length: 0x30 }, (_, code) => String.fromCharCode(code)).join('')
    expect(quoteJson(`${all}\\/'\u007f\u0080\u009f\u00a0é\u2028\u2029中😀`)).toBe(
      String.raw`"\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000B\f\r\u000E\u000F` +
        String.raw`\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F` +
        String.raw` !\"#$%&'()*+,-./\\/'\u007F\u0080\u009F` +
        '\u00a0é' +
        String.raw`\u2028\u2029` +
        '中😀"',
    )
  })

  test('quoted comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(parseJson(quoteJson(text))).toBe(text)
      }),
    )
  })
})

describe('a reference', () => {
  test.each([
    ['to a member', '{"a":{"x":1},"b":{"$ref":"$.a"}}', { a: { x: 1 }, b: { x: 1 } }],
    ['to an element', '{"a":[1,{"x":1}],"b":{"$ref":"$.a[1]"}}', { a: [1, { x: 1 }], b: { x: 1 } }],
    [
      'below a number key',
      '{"a":{5:{"x":1}},"b":{"$ref":"$.a[5]"}}',
      { a: { 5: { x: 1 } }, b: { x: 1 } },
    ],
    [
      'through a key with special characters',
      String.raw`{"%R%a-b.c[0] d":{"x":1},"b":[{"$ref":"$.\\%R\\%a\\-b\\.c\\[0\\]\\ d"}]}`,
      { '%R%a-b.c[0] d': { x: 1 }, b: [{ x: 1 }] },
    ],
    [
      'to what holds a reference itself',
      '{"a":{"x":1},"b":{"a":{"$ref":"$.a"}},"c":{"$ref":"$.b"}}',
      { a: { x: 1 }, b: { a: { x: 1 } }, c: { a: { x: 1 } } },
    ],
  ])('%s stands for what is there', (_, text, value) => {
    expect(plain(parseJson(text))).toEqual(value)
  })

  test.each([
    ['to nothing', '{"a":{"$ref":"$.b"}}'],
    ['to a number', '{"b":1,"a":{"$ref":"$.b"}}'],
    ['forward', '{"a":{"$ref":"$.b"},"b":{"x":1}}'],
    ['to the root, a cycle', '{"a":{"$ref":"$"}}'],
    ['to its parent, a cycle', '{"a":{"b":{"$ref":"$.a"}}}'],
    ['to its parent by name', '{"a":{"b":{"$ref":".."}}}'],
    ['that is no path', '{"a":{},"b":{"$ref":"$a"}}'],
    ['to a prototype', '{"a":{"$ref":"$.__proto__"}}'],
  ])('%s is refused', (_, text) => {
    expect(() => parseJson(text)).toThrow(JsonError)
  })

  test('to references to references does not grow beyond what is allowed', () => {
    const bomb = ['"a0":[1,2,3,4,5,6,7,8]']
    for (let i = 1; i < 20; i++) {
      const reference = `{"$ref":"$.a${i - 1}"}`
      bomb.push(`"a${i}":[${Array(8).fill(reference).join()}]`)
    }
    expect(() => parseJson(`{${bomb.join()}}`)).toThrow('too many values by $ref')
  })

  test('is one only when alone in its object', () => {
    expect(plain(parseJson('{"a":{"$ref":"$.b","x":1},"b":{"$ref":5}}'))).toEqual({
      a: { $ref: '$.b', x: 1 },
      b: { $ref: 5 },
    })
  })
})

describe('JSON from somebody hostile', () => {
  test.each([
    '',
    ' ',
    '{',
    '}',
    '[1',
    '[1,',
    '[1,]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '{[1]:1}',
    '"abc',
    '"abc\\',
    '"\\x41"',
    '"\\u12"',
    'tru',
    'nul',
    '1 2',
    '01x',
    '.5',
    '-',
    '+1',
    '{"a":1}x',
    `1${'0'.repeat(1000)}`,
  ])('like %j is refused', (text) => {
    expect(() => parseJson(text)).toThrow(JsonError)
  })

  test('of any bytes reads or is refused, nothing else', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .string({ unit: fc.constantFrom(...'{}[]",:\\u0-1ae. $ref'.split('')) })
        .map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(bytes, (text) => {
        try {
          parseJson(text)
        } catch (error) {
          expect(error).toBeInstanceOf(JsonError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['[', '{"a":', '{{0:'])('nested by %s a million times is refused', (opening) => {
    expect(() => parseJson(opening.repeat(1_000_000))).toThrow('nested deeper than 64')
  })

  test.each(['{}', '[]', '0', '""'])('with millions of %s is refused', (value) => {
    const text = `[${`${value},`.repeat((16 << 20) / (value.length + 1))}0]`
    expect(() => parseJson(text)).toThrow('too many values')
  })

  test('with __proto__ for a key has a member of that name', () => {
    const value = parseJson('{"__proto__":{"polluted":true}}') as Map<string, JsonValue>
    expect([...value.keys()]).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  test('with a lying tail of a number does not take long', () => {
    expect(() => parseJson('9'.repeat(1 << 20))).toThrow('the word at 0 is too long')
  })
})

test('strings do not keep the text alive that they come from', () => {
  // Held by their short strings, the texts would be 300 MiB.
  const kept = Array.from({ length: 300 }, () => {
    const [name] = parseJson(
      Buffer.from(`["a name of some length",${' '.repeat(1 << 20)}1]`),
    ) as string[]
    return name
  })
  expect(new Set(kept).size).toBe(1)
  expect(process.memoryUsage().heapUsed).toBeLessThan(250 << 20)
})
