import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { javaHashCode } from '../../src/base/java-hash.ts'
import { batchItems, encodeBatch } from '../../src/protocol/batch-body.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import {
  UniqueIds,
  decodeOffsetMessageId,
  encodeOffsetMessageId,
} from '../../src/protocol/message-id.ts'
import {
  MessageError,
  MessageFlag,
  MessageMagic,
  decodeMessage,
  decodeProperties,
  propertyIn,
  encodeProperties,
  hostText,
  messagesIn,
} from '../../src/protocol/message.ts'
import { decodeCommand } from '../../src/protocol/remoting-command.ts'
import { goldenFrame, goldenMessages } from './golden.ts'
import { storedMessage } from './stored-message.ts'

const v4 = Buffer.from(goldenMessages.messageExt_v4_hex!, 'hex')
const v6 = Buffer.from(goldenMessages.messageExt_v6_hex!, 'hex')
const zlib = Buffer.from(goldenMessages.messageExt_zlib_hex!, 'hex')

describe('a stored message', () => {
  test('reads as Apache wrote it', () => {
    const message = decodeMessage(v4)
    expect(message).toMatchObject({
      length: v4.length,
      topic: 'TopicTest',
      queueId: 2,
      queueOffset: 7,
      position: 123456789,
      sysFlag: 0,
      flag: 0,
      bodyCrc: bodyCrc(message.body),
      bornTimestamp: 1700000000123,
      storeTimestamp: 1700000000124,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
    })
    expect(Buffer.from(message.body).toString()).toBe('Hello RocketMQ')
    expect(hostText(message.bornHost)).toBe('192.168.0.5:54321')
    expect(hostText(message.storeHost)).toBe('127.0.0.1:10911')
    expect([...message.properties]).toEqual([
      ['UNIQ_KEY', '7F0000010A2B18B4AAC20A1B2C3D0001'],
      ['TAGS', 'TagA'],
      ['CLUSTER', 'DefaultCluster'],
    ])
  })

  test('with IPv6 hosts has everything else in its place', () => {
    const message = decodeMessage(v6)
    expect(hostText(message.bornHost)).toBe('2001:db8:0:0:0:0:0:1:54321')
    expect(hostText(message.storeHost)).toBe('2001:db8:0:0:0:0:0:2:10911')
    expect({ ...message, sysFlag: 0, length: 0, bornHost: 0, storeHost: 0 }).toEqual({
      ...decodeMessage(v4),
      length: 0,
      bornHost: 0,
      storeHost: 0,
    })
  })

  test('keeps its body as stored, and says how it is compressed', () => {
    const message = decodeMessage(zlib)
    expect(message.sysFlag & MessageFlag.COMPRESSED).toBe(MessageFlag.COMPRESSED)
    expect(message.sysFlag & MessageFlag.COMPRESSION_MASK).toBe(MessageFlag.COMPRESSION_ZLIB)
    expect(message.bodyCrc).toBe(bodyCrc(message.body))
    expect(inflateSync(message.body).toString()).toMatch(/^z+$/)
  })

  test('is found behind another one', () => {
    const bytes = Buffer.concat([v4, v6, zlib])
    expect([...messagesIn(bytes)].map((message) => message.length)).toEqual([
      v4.length,
      v6.length,
      zlib.length,
    ])
    expect(decodeMessage(bytes, v4.length)).toEqual(decodeMessage(v6))
  })

  test('of a pull is what the body of the reply holds', () => {
    const { body } = decodeCommand(goldenFrame('PULL_MESSAGE response FOUND'))
    expect([...messagesIn(body!)].map((message) => message.topic)).toEqual(['TopicTest'])
  })

  test('has the CRC that Apache has', () => {
    expect(bodyCrc(Buffer.from('Hello RocketMQ'))).toBe(goldenMessages.bodyCRC_HelloRocketMQ)
  })

  test.each([MessageMagic.V1, MessageMagic.V2])('of magic %i comes back as it was', (magic) => {
    const topicMax = magic === MessageMagic.V1 ? 127 : 255
    const host = fc.constantFrom(8, 20).chain((n) => fc.uint8Array({ minLength: n, maxLength: n }))
    const parts = fc.record({
      topic: fc.stringMatching(/^[%a-z-]+$/).filter((topic) => topic.length <= topicMax),
      queueId: fc.integer(),
      queueOffset: fc.maxSafeNat(),
      position: fc.maxSafeNat(),
      sysFlag: fc.integer({ min: 0, max: 0xf }),
      flag: fc.integer(),
      bornTimestamp: fc.maxSafeInteger(),
      storeTimestamp: fc.maxSafeInteger(),
      bornHost: host,
      storeHost: host,
      reconsumeTimes: fc.integer(),
      preparedTransactionOffset: fc.maxSafeNat(),
      body: fc.uint8Array({ maxLength: 200 }),
      properties: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.stringMatching(/^[a-zé]+$/)),
    })
    fc.assert(
      fc.property(parts, (sent) => {
        const bytes = storedMessage({ ...sent, magic })
        const read = decodeMessage(bytes)
        expect(read.length).toBe(bytes.length)
        expect(Object.fromEntries(read.properties)).toEqual({ ...sent.properties })
        expect(Buffer.from(read.body)).toEqual(Buffer.from(sent.body))
        for (const key of ['topic', 'queueId', 'queueOffset', 'position', 'flag'] as const) {
          expect(read[key]).toBe(sent[key])
        }
        expect(read.preparedTransactionOffset).toBe(sent.preparedTransactionOffset)
        expect([read.bornTimestamp, read.storeTimestamp, read.reconsumeTimes]).toEqual([
          sent.bornTimestamp,
          sent.storeTimestamp,
          sent.reconsumeTimes,
        ])
        expect(Buffer.from(read.bornHost)).toEqual(Buffer.from(sent.bornHost))
        expect(Buffer.from(read.storeHost)).toEqual(Buffer.from(sent.storeHost))
      }),
    )
  })

  test('does not decode when it is cut, whatever length it claims', () => {
    for (let end = 0; end < v4.length; end++) {
      const cut = Buffer.from(v4.subarray(0, end))
      expect(() => decodeMessage(cut)).toThrow(MessageError)
      if (end < 4) continue
      cut.writeInt32BE(end)
      expect(() => decodeMessage(cut)).toThrow(MessageError)
    }
  })

  test.each([
    ['its length', 0],
    ['its magic', 4],
    ["its body's length", 84],
    ["its topic's length", 102],
    ["its properties' length", 112],
  ])('that lies about %s is refused', (_, at) => {
    for (const lie of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const bytes = Buffer.from(v4)
      if (bytes.readInt32BE(at) === lie) continue
      bytes.writeInt32BE(lie, at)
      expect(() => decodeMessage(bytes)).toThrow(MessageError)
    }
  })

  test.each([
    ['offset', 20],
    ['position', 28],
  ])('with a negative %s, or one beyond 2^53, is refused', (_, at) => {
    for (const high of [-1, 1 << 21, 2 ** 31 - 1]) {
      const bytes = Buffer.from(v4)
      bytes.writeInt32BE(high, at)
      expect(() => decodeMessage(bytes)).toThrow(MessageError)
    }
  })

  test('of damaged bytes decodes or is refused, nothing else', () => {
    const index = fc.integer({ min: 0, max: v4.length - 1 })
    fc.assert(
      fc.property(fc.array(fc.tuple(index, fc.integer({ min: 0, max: 255 }))), (changes) => {
        const bytes = Buffer.from(v4)
        for (const [at, byte] of changes) bytes[at] = byte
        try {
          decodeMessage(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(MessageError)
        }
      }),
    )
  })
})

describe('properties', () => {
  test('are read and written as Apache does', () => {
    const text = Buffer.from(goldenMessages.propertiesString_hex!, 'hex').toString()
    const properties = decodeProperties(text)
    expect([...properties.keys()]).toEqual(['KEYS', 'UNIQ_KEY', 'WAIT', 'TAGS'])
    expect(encodeProperties(properties)).toBe(text)
  })

  test('may lack the last separator', () => {
    expect([...decodeProperties('a\u0001b\u0002c\u0001d')]).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  test('split at the first separator, and are left out without a name or a value', () => {
    expect([
      ...decodeProperties('a\u0001b\u0001c\u0002\u0001x\u0002y\u0001\u0002z\u0002\u0002'),
    ]).toEqual([['a', 'b\u0001c']])
  })
})

test('one property alone is what it is among all of them', () => {
  const piece = fc.constantFrom('a', 'b', 'ab', '\u0001', '\u0002', 'ba')
  const texts = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(texts, fc.constantFrom('a', 'b', 'ab', 'ba'), (text, name) => {
      expect(propertyIn(text, name)).toBe(decodeProperties(text).get(name) ?? null)
    }),
    { numRuns: 5000 },
  )
})

describe('a tag', () => {
  test.each(Object.entries(goldenMessages.tagHash as unknown as Record<string, number>))(
    '%s has the hash that Java gives it',
    (tag, hash) => {
      expect(javaHashCode(tag)).toBe(hash)
    },
  )
})

describe('an offsetMsgId', () => {
  test.each([
    ['IPv4', v4, goldenMessages.messageExt_v4_msgId!],
    ['IPv6', v6, goldenMessages.messageExt_v6_msgId!],
  ])('of %s is what Apache makes of host and position', (_, bytes, id) => {
    const { storeHost, position } = decodeMessage(bytes)
    expect(encodeOffsetMessageId({ storeHost, position })).toBe(id)
    const place = decodeOffsetMessageId(id)
    expect(place.position).toBe(position)
    expect(Buffer.from(place.storeHost)).toEqual(Buffer.from(storeHost))
  })

  test.each([
    ['nothing', ''],
    ['too short', '7F'],
    ['no hex', 'G'.repeat(32)],
    ['too long', 'A'.repeat(33)],
    ['a megabyte', 'A'.repeat(1 << 20)],
    ['of a negative position', '0'.repeat(16) + 'F'.repeat(16)],
    ['of a position beyond 2^53', '0'.repeat(16) + '7'.repeat(16)],
  ])('that is %s is refused', (_, id) => {
    expect(() => decodeOffsetMessageId(id)).toThrow(MessageError)
  })
})

describe('a unique id', () => {
  const address = Buffer.from([10, 0, 0, 7])

  test('is address, pid, hash, milliseconds of the month and counter', () => {
    const ids = new UniqueIds({ address, pid: 0x12345, hash: -1 })
    const now = new Date(2026, 1, 1, 0, 0, 1, 5).getTime()
    expect(ids.next(now)).toBe('0A0000072345FFFFFFFF000003ED0001')
    expect(ids.next(now)).toBe('0A0000072345FFFFFFFF000003ED0002')
  })

  test('of an IPv6 machine has 56 digits, as the sample from Apache', () => {
    const ids = new UniqueIds({ address: Buffer.alloc(16, 0xfd), pid: 1, hash: 1 })
    expect(ids.next(0)).toHaveLength(goldenMessages.sampleUniqKey!.length)
  })

  test('differs from all others of a month', () => {
    const ids = new UniqueIds({ address, pid: 1, hash: 1 })
    const start = new Date(2026, 1, 28, 23, 59, 59, 990).getTime()
    const made = Array.from({ length: 200_000 }, (_, n) => ids.next(start + Math.floor(n / 60_000)))
    expect(new Set(made).size).toBe(made.length)
  })

  test('counts from the first of its own month, also when the clock goes back', () => {
    const ids = new UniqueIds({ address, pid: 1, hash: 1 })
    const march = new Date(2026, 2, 1).getTime()
    expect(ids.next(march + 7).slice(20, 28)).toBe('00000007')
    const february = ids.next(march - 1).slice(20, 28)
    expect(parseInt(february, 16)).toBe(march - 1 - new Date(2026, 1, 1).getTime())
  })
})

describe('a batch', () => {
  const golden = Buffer.from(goldenMessages.batchBody_hex!, 'hex')

  test('is read and written as Apache does', () => {
    const items = [...batchItems(golden)]
    expect(items.map((item) => Buffer.from(item.body).toString())).toEqual(['msg0', 'msg1'])
    expect(decodeProperties(items[1]!.properties).get('KEYS')).toBe('k1')
    expect(encodeBatch(items)).toEqual(golden)
  })

  test('comes back as it was', () => {
    const item = fc.record({
      flag: fc.integer(),
      body: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
      properties: fc.string({ unit: 'grapheme', maxLength: 100 }),
    })
    fc.assert(
      fc.property(fc.array(item), (items) => {
        expect([...batchItems(encodeBatch(items))]).toEqual(items)
      }),
    )
  })

  test('does not decode when it is cut within a message', () => {
    const [first] = [...batchItems(golden)].map((item) => encodeBatch([item]).length)
    for (let end = 1; end < golden.length; end++) {
      if (end === first) continue
      expect(() => [...batchItems(golden.subarray(0, end))]).toThrow(MessageError)
    }
  })

  test.each([0, 16, 24])('with a lying length at %i is refused', (at) => {
    for (const lie of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const bytes = Buffer.from(golden)
      bytes.writeInt32BE(lie, at)
      expect(() => [...batchItems(bytes)]).toThrow(MessageError)
    }
  })

  test('with properties that are too long is not written', () => {
    const item = { flag: 0, body: Buffer.from('x'), properties: 'p'.repeat(32_768) }
    expect(() => encodeBatch([item])).toThrow(MessageError)
  })
})
