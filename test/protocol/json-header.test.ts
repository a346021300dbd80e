/** Node's own parser and ours: a header means the same to both, or is left to ours. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameError } from '../../src/protocol/frame.ts'
import { anyHeader, decodeJsonHeader } from '../../src/protocol/json-header.ts'

/** What a reader makes of a text: entries in their order, or that it is no header. */
function read(reader: typeof anyHeader, text: string): unknown {
  try {
    const { extFields, ...rest } = reader(Buffer.from(text))
    return { ...rest, extFields: extFields && [...extFields] }
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError)
    return 'no header'
  }
}

const names = fc.constantFrom(
  'code',
  'flag',
  'language',
  'opaque',
  'version',
  'remark',
  'extFields',
)
const keys = fc.oneof(names, fc.constantFrom('__proto__', '$ref', '0', '12', ''), fc.string())
const words = fc.oneof(
  fc.constantFrom(
    '1',
    '-1',
    '2147483648',
    '1.5',
    '1e3',
    'true',
    'null',
    '"JAVA"',
    '[]',
    '{}',
    '01',
    '',
  ),
  fc.integer().map(String),
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text)),
  fc.string().map((text) => `"${text}"`),
)
const pairs = (value: fc.Arbitrary<string>) =>
  fc
    .array(fc.tuple(keys, value), { maxLength: 6 })
    .map((all) => `{${all.map(([key, each]) => `${JSON.stringify(key)}:${each}`).join(',')}}`)

test('headers of any content are read alike', () => {
  const header = pairs(fc.oneof(words, pairs(words), pairs(pairs(words))))
  fc.assert(
    fc.property(header, (text) => {
      expect(read(decodeJsonHeader, text)).toEqual(read(anyHeader, text))
    }),
    { numRuns: 5000 },
  )
})

test.each([
  '{"code":10,"extFields":{"b":"2","a":"1"},"flag":0,"language":"GO","opaque":7,"version":479}',
  '{"code":10,"extFields":{"b":"2","7":"1","a":"x"}}',
  '{"code":10,"extFields":{"__proto__":"2"}}',
  '{"__proto__":{"code":3},"code":10}',
  '{"code":1,"code":2}',
  '{code:1}',
  '{"extFields":{0:"a"}}',
  '{"extFields":{"a":1,"b":true,"c":null}}',
  '{"extFields":[]}',
  '{"extFields":null,"remark":null,"language":9}',
  '{"remark":"\\u0041\\ud800"}',
  `{"extFields":{"a":"${'x'.repeat(10_000)}"}}`,
  '[1]',
  '"text"',
  'null',
  '',
  '{"code":1}x',
  '\uFEFF{"code":1}',
])('%s', (text) => {
  expect(read(decodeJsonHeader, text)).toEqual(read(anyHeader, text))
})
