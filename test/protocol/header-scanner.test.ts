import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readInt64 } from '../../src/protocol/fields.ts'
import { FrameError, joinFrame, type SerializeType } from '../../src/protocol/frame.ts'
import { HeaderKey, HeaderScanner } from '../../src/protocol/header-scanner.ts'
import {
  decodeCommand,
  encodeCommand,
  type RemotingCommand,
} from '../../src/protocol/remoting-command.ts'
import { goldenFrames } from './golden.ts'

/** Without their length prefixes. */
const FRAMES = goldenFrames.map(({ hex }) => Buffer.from(hex, 'hex').subarray(4))
const KEYS = [...new Set(FRAMES.flatMap((frame) => [...(decodeCommand(frame).extFields ?? [])]))]
  .map(([key]) => key)
  .concat(['a', 'e', 'nobody'])

const scanner = new HeaderScanner()

function decode(frame: Buffer): RemotingCommand | null {
  try {
    return decodeCommand(frame)
  } catch (error) {
    if (error instanceof FrameError) return null
    throw error
  }
}

/** Whether the scanner took the frame. If it did, it must have seen what the decoder sees. */
function scanAgrees(frame: Buffer): boolean {
  const around = Buffer.concat([Buffer.from('"9":{'), frame, Buffer.from('"9},9')])
  if (!scanner.scan(around, 5, 5 + frame.length)) return false
  const command = decode(frame)
  if (command === null) throw new Error(`taken, though no frame: ${frame.toString('latin1')}`)
  const keys = new Set([...KEYS, ...(command.extFields?.keys() ?? [])])
  const wrong = [...keys].flatMap((key) => differences(command, key))
  for (const name of ['code', 'opaque', 'flag', 'version', 'serializeType'] as const) {
    if (scanner[name] !== command[name]) wrong.push(`${name} ${scanner[name]}`)
  }
  const body = around.subarray(scanner.bodyAt, scanner.bodyAt + scanner.bodyLength)
  if (!body.equals(command.body ?? Buffer.alloc(0))) wrong.push('body')
  if (wrong.length > 0) throw new Error(`${wrong.join()} of ${JSON.stringify(command)}`)
  return true
}

/** Names what the scanner sees otherwise. Plain code: vitest's expect is a thousand times slower. */
function differences({ extFields }: RemotingCommand, key: string): string[] {
  if (key === '' || key.includes('\ufffd')) return [] // nobody asks for such a key
  const value = extFields?.get(key)
  const headerKey = new HeaderKey(key)
  const index = scanner.find(headerKey)
  const number = value === undefined ? undefined : readInt64(value)
  const isSame =
    (index !== -1) === (value !== undefined) &&
    scanner.text(headerKey) === (value === '' ? undefined : value) &&
    Object.is(scanner.integer(headerKey), number === undefined ? NaN : Number(number)) &&
    (index === -1 ||
      !scanner.isEscaped(index) ||
      unescaped(index) === Buffer.from(value!).toString())
  return isSame ? [] : [key]
}

function unescaped(index: number): string {
  const target = Buffer.alloc(scanner.valueLength(index) * 3)
  return target.toString('utf8', 0, scanner.unescape(index, target))
}

function jsonFrame(header: string): Buffer {
  return frameOf(0, Buffer.from(header))
}

function frameOf(serializeType: SerializeType, header: Buffer): Buffer {
  return joinFrame({ serializeType, header, body: null }).subarray(4)
}

test("takes every request of Apache's, in both encodings", () => {
  for (const frame of FRAMES) {
    const command = decodeCommand(frame)
    if (command.remark === null || command.serializeType === 1) expect(scanAgrees(frame)).toBe(true)
  }
})

describe.each([0, 1] as const)('a number of serialize type %i', (serializeType) => {
  test.each([
    '0',
    '-0',
    '7',
    '-7',
    '+7',
    '007',
    '-',
    '',
    '1.5',
    '1e3',
    ' 1',
    '0x10',
    '9007199254740991',
    '9007199254740993',
    '-9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
    '99999999999999999999',
    '123456789012345',
    '1234567890123456',
  ])('that reads %j is what a table of fields makes of it', (value) => {
    const command = { ...decodeCommand(FRAMES[0]!), serializeType }
    command.extFields = new Map([['queueId', value]])
    expect(scanAgrees(encode(command))).toBe(true)
  })
})

function encode(command: RemotingCommand): Buffer {
  return encodeCommand(command).subarray(4)
}

test.each([
  ['two extFields', '{"code":1,"extFields":{"a":"1"},"extFields":{"b":"2"}}'],
  ['a key that only looks like extFields', '{"code":1,"extXXXXXX":{"a":"1"}}'],
  ['a key that only looks like code', '{"code":1,"cafe":2}'],
  ['a key that only looks like opaque', '{"code":1,"orange":2}'],
  ['leading zeros', '{"code":01}'],
  ['an opaque beyond 32 bits', '{"code":1,"opaque":4294967297}'],
  ['a flag beyond 32 bits', '{"code":1,"flag":4294967298}'],
  ['a code beyond 32 bits', '{"code":4294967297}'],
  ['an unknown escape', '{"code":1,"extFields":{"a":"\\q"}}'],
  ['an escape that is cut off', '{"code":1,"extFields":{"a":"\\u00"}}'],
  ['an escape without digits', '{"code":1,"extFields":{"a":"\\u00zz"}}'],
  ['the escape of a quote at the end', '{"code":1,"extFields":{"a":"\\"}}'],
  ['half a surrogate pair', '{"code":1,"extFields":{"a":"\\ud83d"}}'],
  ['a control character', '{"code":1,"extFields":{"a":"\u0001"}}'],
  ['the same field twice', '{"code":1,"extFields":{"a":"1","a":"2"}}'],
  ['an escaped key', '{"code":1,"extFields":{"\\u0061":"1"}}'],
  ['an empty key', '{"code":1,"extFields":{"":"1"}}'],
  ['no code', '{"opaque":1}'],
  ['a negative code', '{"code":-1}'],
  ['a language of numbers', '{"code":1,"language":9}'],
  ['a language nobody has', '{"code":1,"language":"KLINGON"}'],
  ['serializeTypeCurrentRPC twice', '{"code":1,"serializeTypeCurrentRPC":"JSON","s":"x"}'],
  ['a comma at the end', '{"code":1,}'],
  ['text behind the object', '{"code":1}}'],
  ['a blank', '{"code": 1}'],
  ['every short escape', '{"code":1,"extFields":{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t"}}'],
  [
    "Apache's escapes",
    '{"code":1,"extFields":{"a":"k\\u0001v\\u0002\\u000a\\u00e4\\ud83d\\ude00"}}',
  ],
  ['a $ref', '{"code":1,"extFields":{"$ref":"$.code"}}'],
])('with %s, sees what the decoder sees or leaves it to it', (_, header) => {
  scanAgrees(jsonFrame(header))
})

const edit = fc.oneof(
  fc.record({
    kind: fc.constant('flip' as const),
    at: fc.nat(),
    byte: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({
    kind: fc.constant('cut' as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    text: fc.constantFrom(
      '\\',
      '"',
      '{',
      '}',
      ',',
      ':',
      '-',
      '0',
      '\\u0001',
      '\\n',
      '\\x',
      '"a":"1",',
      ' ',
      '\0',
      '\u00ff',
      'null',
    ),
  }),
)

function apply(
  frame: Buffer,
  edits: readonly (typeof edit extends fc.Arbitrary<infer T> ? T : never)[],
): Buffer {
  let bytes = frame
  for (const each of edits) {
    const at = bytes.length === 0 ? 0 : each.at % bytes.length
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)]
    switch (each.kind) {
      case 'flip':
        bytes = Buffer.from(bytes)
        if (bytes.length > 0) bytes[at]! ^= each.byte
        break
      case 'cut':
        bytes = Buffer.concat([head, tail.subarray(each.length)])
        break
      case 'repeat':
        bytes = Buffer.concat([head, tail.subarray(0, each.length), tail])
        break
      case 'insert':
        bytes = Buffer.concat([head, Buffer.from(each.text, 'latin1'), tail])
    }
  }
  return bytes
}

test('sees what the decoder sees, or leaves it to it, in 20000 damaged frames', () => {
  let taken = 0
  const anyFrame = fc.constantFrom(...FRAMES)
  const edits = fc.array(edit, { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(anyFrame, edits, fc.boolean(), (frame, changes, isHeaderOnly) => {
      // Changes within the header only, with the lengths put right: else most frames are cut off.
      const end = 4 + frame.readUIntBE(1, 3)
      const damaged = isHeaderOnly
        ? frameOf(frame[0] as SerializeType, apply(frame.subarray(4, end), changes))
        : apply(frame, changes)
      if (damaged.length >= 4 && scanAgrees(damaged)) taken++
    }),
    { numRuns: 20_000 },
  )
  expect(taken).toBeGreaterThan(2000)
})
