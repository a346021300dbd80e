import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameError, SerializeType, joinFrame } from '../../src/protocol/frame.ts'
import { languageCodes } from '../../src/protocol/language-code.ts'
import {
  decodeCommand,
  encodeCommand,
  isOneway,
  isResponse,
  requestCommand,
  responseTo,
} from '../../src/protocol/remoting-command.ts'
import type { RemotingCommand } from '../../src/protocol/remoting-command.ts'
import { goldenFrame, goldenFrames } from './golden.ts'

function jsonFrame(header: string): Buffer {
  return joinFrame({ serializeType: 0, header: Buffer.from(header), body: null }).subarray(4)
}

function binaryFrame(header: Buffer): Buffer {
  return joinFrame({ serializeType: 1, header, body: null }).subarray(4)
}

describe("Apache's frames", () => {
  test('are all here', () => {
    expect(goldenFrames).toHaveLength(97)
  })

  describe.each(goldenFrames)('$name, $serializeType, $via', ({ serializeType, hex, decoded }) => {
    const bytes = Buffer.from(hex, 'hex')
    const command = decodeCommand(bytes.subarray(4))

    test('decodes to what Apache reads', () => {
      const { body, extFields, serializeType: type, ...rest } = command
      const { bodyText, ...expected } = decoded
      expect({
        ...rest,
        extFields: extFields && Object.fromEntries(extFields),
        bodyHex: body && Buffer.from(body).toString('hex'),
      }).toEqual(expected)
      if (bodyText !== undefined) expect(Buffer.from(body!).toString()).toBe(bodyText)
      expect(type).toBe(SerializeType[serializeType])
    })

    test('encodes to the same bytes', () => {
      expect(encodeCommand(command).toString('hex')).toBe(hex)
    })

    test('does not decode when its header is cut', () => {
      const headerLength = bytes.readUIntBE(5, 3)
      for (let length = 0; length < headerLength; length++) {
        const cut = joinFrame({
          serializeType: SerializeType[serializeType],
          header: bytes.subarray(8, 8 + length),
          body: null,
        })
        expect(() => decodeCommand(cut.subarray(4))).toThrow(FrameError)
      }
    })
  })
})

describe('a command', () => {
  const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  const int32 = fc.integer()
  const command = fc.record<RemotingCommand>({
    code: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    language: fc.constantFrom(...languageCodes),
    version: fc.integer({ min: 0, max: 2 ** 15 - 1 }),
    opaque: int32,
    flag: fc.integer({ min: 0, max: 3 }),
    remark: fc.option(word),
    extFields: fc.option(
      fc.array(fc.tuple(word, word), { minLength: 1 }).map((entries) => new Map(entries)),
    ),
    body: fc.option(fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes))),
    serializeType: fc.constantFrom(SerializeType.JSON, SerializeType.ROCKETMQ),
  })

  test('comes back as it was, in both encodings, and says its own length', () => {
    fc.assert(
      fc.property(command, (sent) => {
        const frame = encodeCommand(sent)
        expect(frame.readInt32BE(0)).toBe(frame.length - 4)
        const read = decodeCommand(frame.subarray(4))
        expect(read).toEqual(sent)
        expect([...(read.extFields ?? [])]).toEqual([...(sent.extFields ?? [])])
      }),
    )
  })

  test('tells requests, one-ways and responses apart by its flag', () => {
    expect([0, 1, 2, 3].map((flag) => isResponse({ flag }))).toEqual([false, true, false, true])
    expect([0, 1, 2, 3].map((flag) => isOneway({ flag }))).toEqual([false, false, true, true])
  })

  test('without extFields differs from one with an empty map, in JSON', () => {
    const none = requestCommand(34)
    const empty = requestCommand(34, new Map())
    expect(decodeCommand(encodeCommand(none).subarray(4)).extFields).toBeNull()
    expect(decodeCommand(encodeCommand(empty).subarray(4)).extFields).toEqual(new Map())
  })

  test('with an empty body has none', () => {
    expect(requestCommand(34, null, Buffer.alloc(0)).body).toBeNull()
  })
})

describe('a response', () => {
  const request = { opaque: -7, serializeType: SerializeType.ROCKETMQ }

  test.each(['JSON', 'ROCKETMQ'] as const)('to a %s request is %s', (serializeType) => {
    const asked = decodeCommand(goldenFrame('GET_ROUTEINFO_BY_TOPIC request', serializeType))
    const frame = encodeCommand(responseTo(asked, 17, 'no such topic'))
    expect(frame[4]).toBe(SerializeType[serializeType])
  })

  test('has the opaque of its request, the response flag and our language and version', () => {
    expect(responseTo(request, 0)).toEqual({
      code: 0,
      language: 'JAVA',
      version: 479,
      opaque: -7,
      flag: 1,
      remark: null,
      extFields: null,
      body: null,
      serializeType: SerializeType.ROCKETMQ,
    })
  })

  test('of a server that speaks first is JSON: every client reads that', () => {
    expect(requestCommand(40, new Map([['consumerGroup', 'g']])).serializeType).toBe(
      SerializeType.JSON,
    )
  })
})

describe('a JSON header', () => {
  test('may leave out what has a default', () => {
    expect(decodeCommand(jsonFrame('{"code":34}'))).toEqual({
      code: 34,
      language: 'JAVA',
      version: 0,
      opaque: 0,
      flag: 0,
      remark: null,
      extFields: null,
      body: null,
      serializeType: SerializeType.JSON,
    })
  })

  test('may name its language by number, or one that nobody knows', () => {
    expect(decodeCommand(jsonFrame('{"language":9}')).language).toBe('GO')
    expect(decodeCommand(jsonFrame('{"language":"TYPESCRIPT"}')).language).toBe('OTHER')
    expect(decodeCommand(jsonFrame('{"language":99}')).language).toBe('OTHER')
  })

  test('may have numbers and booleans for extFields, and nulls, which are absent', () => {
    const { extFields } = decodeCommand(
      jsonFrame('{"remark":null,"extFields":{"a":1,"b":true,"c":null,"d":9007199254740993}}'),
    )
    expect([...extFields!]).toEqual([
      ['a', '1'],
      ['b', 'true'],
      ['d', '9007199254740993'],
    ])
  })

  test('keeps the order of keys that look like numbers', () => {
    const { extFields } = decodeCommand(jsonFrame('{"extFields":{"10":"x","b":"y","2":"z"}}'))
    expect([...extFields!.keys()]).toEqual(['10', 'b', '2'])
  })

  test('cannot reach a prototype', () => {
    const { extFields } = decodeCommand(
      jsonFrame('{"__proto__":{"code":9},"extFields":{"__proto__":"x","constructor":"y"}}'),
    )
    expect(extFields).toEqual(
      new Map([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    )
    expect(({} as Record<string, unknown>).code).toBeUndefined()
  })

  test.each([
    ['nothing', ''],
    ['no object', '[1]'],
    ['two objects', '{}{}'],
    ['a code beyond 32 bits', '{"code":4294967296}'],
    ['a fraction', '{"opaque":1.5}'],
    ['a code that is an object', '{"code":{}}'],
    ['extFields that are no object', '{"extFields":[]}'],
    ['an extField that is an object', '{"extFields":{"a":{}}}'],
    ['a remark that is an array', '{"remark":[1]}'],
    ['deep nesting', `{"a":${'['.repeat(100_000)}`],
    [
      'a million keys',
      `{"extFields":{${Array.from({ length: 1e6 }, (_, i) => `"${i}":1`).join()}}}`,
    ],
  ])('of %s is refused', (_, header) => {
    expect(() => decodeCommand(jsonFrame(header))).toThrow(FrameError)
  })
})

describe('a binary header', () => {
  const header = Buffer.from(goldenFrame('GET_ROUTEINFO_BY_TOPIC request', 'ROCKETMQ').subarray(4))

  function withInt32(at: number, value: number): Buffer {
    const copy = Buffer.from(header)
    copy.writeInt32BE(value, at)
    return binaryFrame(copy)
  }

  test.each([-1, -(2 ** 31), 21, 2 ** 31 - 1])('with a remark of %i bytes is refused', (length) => {
    expect(() => decodeCommand(withInt32(13, length))).toThrow(FrameError)
  })

  test.each([-1, 19, 21, 2 ** 31 - 1])('with extFields of %i bytes is refused', (length) => {
    expect(() => decodeCommand(withInt32(17, length))).toThrow(FrameError)
  })

  test.each([-1, 8, 10, 2 ** 31 - 1])('with a value of %i bytes is refused', (length) => {
    expect(() => decodeCommand(withInt32(28, length))).toThrow(FrameError)
  })

  test('with more extFields than anyone sends is refused', () => {
    const entry = (key: number) =>
      Buffer.from([0, 3, 0x30 + (key % 10), key >> 8, key & 255, 0, 0, 0, 0])
    const entries = Buffer.concat(Array.from({ length: 60_000 }, (_, key) => entry(key)))
    const many = Buffer.concat([header.subarray(0, 21), entries])
    many.writeInt32BE(entries.length, 17)
    expect(() => decodeCommand(binaryFrame(many))).toThrow('more than 4096 extFields')
  })

  test('of random bytes decodes or is refused, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 80 }), (bytes) => {
        try {
          decodeCommand(binaryFrame(Buffer.from(bytes)))
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError)
        }
      }),
    )
  })

  test('takes the last of two equal keys, and drops an empty one', () => {
    const entries = Buffer.from('0001610000000131000161000000013200000000000133', 'hex')
    const doubled = Buffer.concat([header.subarray(0, 21), entries])
    doubled.writeInt32BE(entries.length, 17)
    expect(decodeCommand(binaryFrame(doubled)).extFields).toEqual(new Map([['a', '2']]))
  })

  test('cuts codes beyond 16 bits as Apache does', () => {
    const pop = { ...requestCommand(200_050), serializeType: SerializeType.ROCKETMQ }
    expect(decodeCommand(encodeCommand(pop).subarray(4)).code).toBe(3442)
  })

  test('with a key longer than its length can say is not written', () => {
    const command = requestCommand(34, new Map([['k'.repeat(32_768), 'v']]))
    expect(() => encodeCommand({ ...command, serializeType: SerializeType.ROCKETMQ })).toThrow(
      FrameError,
    )
  })
})
