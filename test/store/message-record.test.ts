import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBatch, type BatchItem } from '../../src/protocol/batch-body.ts'
import { decodeMessage, hostText, messagesIn } from '../../src/protocol/message.ts'
import {
  BatchError,
  BatchRecord,
  MessageRecord,
  PROPERTIES_LENGTH_MAX,
} from '../../src/store/message-record.ts'
import { goldenStore, unpackGolden, type GoldenFields } from '../support/golden-store.ts'
import { batchBytes, host, messageBytes, recordFields } from '../support/records.ts'
import { tempFolder } from '../support/temp-folder.ts'

const V4 = host([192, 168, 1, 2], 65_535)
const V6 = host([32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], 10_911)
const PLACE = {
  position: 2 ** 35 + 11,
  queueOffset: 2 ** 34 + 1,
  storeTimestamp: 1_700_000_123_456,
}

describe('a message', () => {
  const everything = {
    topic: 'Topic',
    body: 'some body',
    properties: 'TAGS\u0001A\u0002KEYS\u0001k',
    suffix: 'CLUSTER\u0001c\u0002',
    queueId: 7,
    flag: -5,
    sysFlag: 0x301,
    bornTimestamp: 1_600_000_000_001,
    reconsumeTimes: 3,
    preparedTransactionOffset: 2 ** 36,
  }

  test('is stored with every field where readers look for it', () => {
    const bytes = messageBytes({ ...everything, bornHost: V4, storeHost: V4 }, PLACE)
    expect(decodeMessage(bytes)).toEqual({
      length: bytes.length,
      topic: 'Topic',
      queueId: 7,
      flag: -5,
      sysFlag: 0x301,
      ...PLACE,
      bodyCrc: crc32('some body') & 0x7fffffff,
      bornTimestamp: 1_600_000_000_001,
      bornHost: V4,
      storeHost: V4,
      reconsumeTimes: 3,
      preparedTransactionOffset: 2 ** 36,
      body: Buffer.from('some body'),
      properties: new Map([
        ['TAGS', 'A'],
        ['KEYS', 'k'],
        ['CLUSTER', 'c'],
      ]),
    })
  })

  test.each([
    [V4, V4, 0],
    [V6, V4, 0x10],
    [V4, V6, 0x20],
    [V6, V6, 0x30],
  ])('says in its sys flag which hosts are IPv6 (%#)', (bornHost, storeHost, bits) => {
    // What a client says of hosts counts for nothing.
    const bytes = messageBytes({ ...everything, sysFlag: 0x31, bornHost, storeHost }, PLACE)
    const message = decodeMessage(bytes)
    expect(message).toMatchObject({ sysFlag: 0x1 | bits, bornHost, storeHost, topic: 'Topic' })
  })

  test.each([127, 128, 255])('with a topic of %d characters is found by it', (length) => {
    const topic = 't'.repeat(length)
    const bytes = messageBytes({ topic }, PLACE)
    expect(decodeMessage(bytes).topic).toBe(topic)
    expect(bytes.readUInt32BE(4)).toBe(length > 127 ? 0xdaa320ab : 0xdaa320a7)
  })

  test.each([
    ['', '', ''],
    ['a\u0001b', '', 'a\u0001b'],
    ['a\u0001b\u0002', '', 'a\u0001b\u0002'],
    ['', 'c\u0001d\u0002', 'c\u0001d\u0002'],
    ['a\u0001b', 'c\u0001d\u0002', 'a\u0001b\u0002c\u0001d\u0002'],
    ['a\u0001b\u0002', 'c\u0001d\u0002', 'a\u0001b\u0002c\u0001d\u0002'],
  ])('with properties %j and the broker’s %j stores %j', (properties, suffix, stored) => {
    const bytes = messageBytes({ properties, suffix })
    expect(bytes.readInt16BE(bytes.length - stored.length - 2)).toBe(stored.length)
    expect(bytes.toString('latin1', bytes.length - stored.length)).toBe(stored)
    expect(
      recordFields({ properties, suffix }).propertiesLength(
        recordFields({ properties }).properties,
      ),
    ).toBe(stored.length)
  })

  test('of any length is what it was', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 90 }),
        fc.integer({ min: 1, max: 127 }),
        (body, value, topicLength) => {
          const clean = value.replaceAll('\u0001', '').replaceAll('\u0002', '')
          const properties = clean === '' ? '' : `name\u0001${clean}\u0002`
          const message = decodeMessage(
            messageBytes({ body, properties, topic: 'x'.repeat(topicLength) }),
          )
          expect(Buffer.from(body).equals(message.body)).toBe(true)
          expect(message.bodyCrc).toBe(crc32(body) & 0x7fffffff)
          expect(message.properties.get('name') ?? '').toBe(Buffer.from(clean).toString())
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each([0x4, 0xc])('prepared or rolled back (sys flag %d) takes no offset', (sysFlag) => {
    const record = new MessageRecord(recordFields({ sysFlag }))
    record.prepare()
    expect(record.count).toBe(0)
    expect(decodeMessage(messageBytes({ sysFlag }, PLACE)).queueOffset).toBe(0)
  })

  test('takes one offset again after one that took none', () => {
    const fields = recordFields({ sysFlag: 0x4 })
    const record = new MessageRecord(fields)
    record.prepare()
    fields.sysFlag = 0x8
    record.prepare()
    expect(record.count).toBe(1)
  })
})

describe('a batch', () => {
  const items: BatchItem[] = [
    { flag: 1, body: Buffer.from('first'), properties: 'TAGS\u0001A\u0002' },
    { flag: 2, body: Buffer.alloc(0), properties: '' },
    { flag: 3, body: Buffer.alloc(5000, 1), properties: 'KEYS\u0001k' },
  ]

  test.each([
    ['', ['TAGS\u0001A\u0002', '', 'KEYS\u0001k']],
    [
      'B\u0001b\u0002',
      ['TAGS\u0001A\u0002B\u0001b\u0002', 'B\u0001b\u0002', 'KEYS\u0001k\u0002B\u0001b\u0002'],
    ],
  ])('is stored as single messages, each with the properties of the batch %j', (suffix, stored) => {
    const params = { queueId: 2, sysFlag: 0x2, bornHost: V6, suffix }
    const bytes = batchBytes({ ...params, body: encodeBatch(items) }, PLACE)
    let position = PLACE.position
    const singles = items.map(({ flag, body }, nth) => {
      const properties = stored[nth]!
      const single = { ...params, suffix: '', flag, body, properties }
      const queueOffset = PLACE.queueOffset + nth
      const record = messageBytes(single, { ...PLACE, position, queueOffset })
      position += record.length
      return record
    })
    expect(bytes.equals(Buffer.concat(singles))).toBe(true)
  })

  test('knows the length of each message and takes as many offsets', () => {
    const record = new BatchRecord(recordFields({ body: encodeBatch(items) }))
    record.prepare()
    record.prepare() // used again
    const lengths = [...messagesIn(batchBytes({ body: encodeBatch(items) }))].map(
      ({ length }) => length,
    )
    expect(record.lengths).toEqual(lengths)
    expect(record.count).toBe(3)
    expect(record.length).toBe(lengths[0]! + lengths[1]! + lengths[2]!)
  })

  test('that is cut off anywhere is refused', () => {
    const whole = encodeBatch(items.slice(0, 2))
    const first = encodeBatch(items.slice(0, 1)).length
    for (let length = 1; length < whole.length; length++) {
      const record = new BatchRecord(recordFields({ body: whole.subarray(0, length) }))
      if (length === first) record.prepare()
      else expect(() => record.prepare()).toThrow(BatchError)
    }
  })

  test('of arbitrary bytes is refused or measured, never read past its end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(3), (random, spread) => {
        // Small numbers where lengths stand, or nothing would ever look whole.
        const body = random.map((byte) => (byte < 200 ? 0 : byte >> spread))
        const record = new BatchRecord(recordFields({ body }))
        try {
          record.prepare()
        } catch (error) {
          expect(error).toBeInstanceOf(BatchError)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['no message', {}, Buffer.alloc(0)],
    [
      '32768 bytes of properties',
      { suffix: '12345678' },
      encodeBatch([
        { flag: 0, body: Buffer.alloc(1), properties: 'x'.repeat(PROPERTIES_LENGTH_MAX - 8) },
      ]),
    ],
    ['transaction', { sysFlag: 0x4 }, encodeBatch(items)],
    ['transaction', { sysFlag: 0x8 }, encodeBatch(items)],
  ])('with %s is refused by name', (name, params, body) => {
    const record = new BatchRecord(recordFields({ ...params, body }))
    expect(() => record.prepare()).toThrow(BatchError)
    expect(() => record.prepare()).toThrow(name)
  })
})

describe.each(['basic', 'ipv6-v2'])('the records of Apache’s store %s', (name) => {
  const messages = goldenStore(name).messages as GoldenFields[]

  function storedBytes(): Buffer {
    const log = join(unpackGolden(name, tempFolder()), 'commitlog')
    return Buffer.concat(
      readdirSync(log)
        .toSorted()
        .map((file) => readFileSync(join(log, file))),
    )
  }

  test('have the bytes that we give the same messages', () => {
    const log = storedBytes()
    for (const golden of messages) {
      const stored = log.subarray(golden.physicalOffset, golden.physicalOffset + golden.size)
      const message = decodeMessage(stored)
      const { topic, body, bornHost, storeHost, queueId, queueOffset } = message
      const {
        flag,
        sysFlag,
        bornTimestamp,
        storeTimestamp,
        reconsumeTimes,
        preparedTransactionOffset,
        propertiesText,
      } = golden
      const parts = {
        topic,
        body,
        bornHost,
        storeHost,
        queueId,
        flag,
        sysFlag,
        bornTimestamp,
        reconsumeTimes,
        preparedTransactionOffset,
        properties: propertiesText ?? '',
      }
      const ours = messageBytes(parts, {
        position: golden.physicalOffset,
        queueOffset,
        storeTimestamp,
      })
      expect(ours.equals(stored)).toBe(true)
    }
  })

  test('are read as Apache’s decoder reads them', () => {
    const log = storedBytes()
    for (const golden of messages) {
      const message = decodeMessage(log, golden.physicalOffset)
      expect(message).toMatchObject({
        length: golden.size,
        topic: golden.topic,
        queueId: golden.queueId,
        queueOffset: golden.queueOffset,
        position: golden.physicalOffset,
        flag: golden.flag,
        sysFlag: golden.sysFlag,
        bodyCrc: golden.bodyCRC,
        bornTimestamp: golden.bornTimestamp,
        storeTimestamp: golden.storeTimestamp,
        reconsumeTimes: golden.reconsumeTimes,
        preparedTransactionOffset: golden.preparedTransactionOffset,
      })
      expect(createHash('sha256').update(message.body).digest('hex')).toBe(golden.bodySha256)
      expect(hostText(message.storeHost)).toBe(golden.storeHost.replaceAll(/[[\]]/g, ''))
    }
  })
})
