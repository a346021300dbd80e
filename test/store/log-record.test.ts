import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeMessage, MessageError } from '../../src/protocol/message.ts'
import {
  HEAD_LENGTH,
  readHead,
  readRecord,
  RECORD_LENGTH_MIN,
  RecordKind,
  RecordParts,
  storeTimeIn,
} from '../../src/store/log-record.ts'
import { host, messageBytes, type RecordParams } from '../support/records.ts'

/** A view that says when somebody looks outside of a span. */
class WatchedView extends DataView<ArrayBufferLike> {
  readonly #at: number
  readonly #end: number

  constructor(bytes: Buffer, at: number, end: number) {
    super(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#at = at
    this.#end = end
  }

  override getInt8(at: number): number {
    return super.getInt8(this.#check(at, 1))
  }

  override getInt16(at: number): number {
    return super.getInt16(this.#check(at, 2))
  }

  override getInt32(at: number): number {
    return super.getInt32(this.#check(at, 4))
  }

  override getUint32(at: number): number {
    return super.getUint32(this.#check(at, 4))
  }

  #check(at: number, length: number): number {
    if (at < this.#at || at + length > this.#end) throw new Error(`read at ${at}`)
    return at
  }
}

const V6 = host([32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 5)

const anyRecord: fc.Arbitrary<RecordParams> = fc.record(
  {
    topic: fc.constantFrom('T', 'Topic', 't'.repeat(127), '%RETRY%'.padEnd(200, 'x')),
    body: fc.uint8Array({ maxLength: 64 }),
    properties: fc.constantFrom('', 'TAGS\u0001A\u0002', 'KEYS\u0001k\u0002TAGS\u0001B'),
    bornHost: fc.constantFrom(V6),
    storeHost: fc.constantFrom(V6),
    queueId: fc.nat(7),
    sysFlag: fc.constantFrom(0, 1, 8, 0x200),
  },
  { requiredKeys: [] },
)

/** Bytes before and behind the record are other people's. */
function embed(record: Buffer): { bytes: Buffer; at: number; end: number } {
  const bytes = Buffer.concat([Buffer.alloc(13, 0xee), record, Buffer.alloc(150, 0xee)])
  return { bytes, at: 13, end: 13 + record.length }
}

function read(bytes: Buffer, at: number, end: number): { kind: RecordKind; parts: RecordParts } {
  const parts = new RecordParts()
  return { kind: readRecord(parts, new WatchedView(bytes, at, end), at, end), parts }
}

test('a record has the parts that the decoder of messages finds', () => {
  fc.assert(
    fc.property(anyRecord, (params) => {
      const record = messageBytes(params, { position: 2 ** 40 + 7, queueOffset: 2 ** 33 })
      const { bytes, at, end } = embed(record)
      const { kind, parts } = read(bytes, at, end)
      expect(kind).toBe(RecordKind.MESSAGE)
      expectSame(bytes, parts)
    }),
    { numRuns: 200 },
  )
})

test('no shorter span holds the record, and none of its bytes is looked at outside', () => {
  fc.assert(
    fc.property(anyRecord, fc.nat(), (params, cut) => {
      const record = messageBytes(params)
      const { bytes, at, end } = embed(record)
      const shorter = at + (cut % record.length)
      expect(read(bytes, at, shorter).kind).toBe(RecordKind.BAD)
      expect(read(bytes, at, end + 100).kind).toBe(RecordKind.MESSAGE)
    }),
    { numRuns: 300 },
  )
})

test('whatever the bytes, nothing outside is read, nothing throws, and a record is one', () => {
  const mutation = fc.record({ at: fc.nat(), value: fc.constantFrom(0, 1, 0x7f, 0x80, 0xff) })
  fc.assert(
    fc.property(
      anyRecord,
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      (params, changes) => {
        const record = messageBytes(params)
        for (const { at, value } of changes) record[at % record.length] = value
        const { bytes, at, end } = embed(record)
        const { kind, parts } = read(bytes, at, end)
        if (kind === RecordKind.MESSAGE) expectSame(bytes, parts)
      },
    ),
    { numRuns: 5000 },
  )
})

test('random bytes with a good magic do no harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 200 }), fc.boolean(), (random, isV2) => {
      const record = Buffer.from(random)
      record.writeInt32BE((isV2 ? 0xdaa320ab : 0xdaa320a7) | 0, 4)
      record.writeInt32BE(record.length, 0)
      const { bytes, at, end } = embed(record)
      const { kind, parts } = read(bytes, at, end)
      if (kind === RecordKind.MESSAGE) expectSame(bytes, parts)
    }),
    { numRuns: 2000 },
  )
})

test('a blank is one whatever follows, unless it is shorter than itself', () => {
  const blank = Buffer.alloc(8)
  blank.writeInt32BE(0xcbd43194 | 0, 4)
  for (const [length, kind] of [
    [8, RecordKind.BLANK],
    [1 << 30, RecordKind.BLANK],
    [7, RecordKind.BAD],
    [-1, RecordKind.BAD],
  ] as const) {
    blank.writeInt32BE(length, 0)
    const { bytes, at, end } = embed(blank)
    const found = read(bytes, at, end)
    expect(found.kind).toBe(kind)
    if (kind === RecordKind.BLANK) expect(found.parts.length).toBe(length)
  }
})

test('zeros are no record', () => {
  expect(read(Buffer.alloc(200), 0, 200).kind).toBe(RecordKind.BAD)
})

test('the head alone tells position, queue and time', () => {
  const params = { queueId: 3, bornHost: V6 }
  const place = { position: 99, queueOffset: 5, storeTimestamp: 1_700_000_000_777 }
  const record = messageBytes(params, place)
  const parts = new RecordParts()
  readHead(parts, new DataView(record.buffer, record.byteOffset, 112), 0)
  expect(parts).toMatchObject({ ...place, queueId: 3, length: record.length })
})

/** Both decoders agree; where the protocol's refuses an offset, only the offset is wrong. */
function expectSame(bytes: Buffer, parts: RecordParts): void {
  let message
  try {
    message = decodeMessage(bytes.subarray(0, 13 + parts.length), 13)
  } catch (error) {
    expect(error).toBeInstanceOf(MessageError)
    expect((error as Error).message).toContain('offset or position')
    return
  }
  const { topicAt, topicLength, bodyAt, bodyLength } = parts
  expect({
    length: parts.length,
    topic: bytes.toString('utf8', topicAt, topicAt + topicLength),
    body: bytes.subarray(bodyAt, bodyAt + bodyLength),
    bodyCrc: parts.bodyCrc,
    queueId: parts.queueId,
    queueOffset: parts.queueOffset,
    position: parts.position,
    sysFlag: parts.sysFlag,
    storeTimestamp: parts.storeTimestamp,
  }).toEqual({
    length: message.length,
    topic: message.topic,
    body: message.body,
    bodyCrc: message.bodyCrc,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    position: message.position,
    sysFlag: message.sysFlag,
    storeTimestamp: message.storeTimestamp,
  })
}

test('the store time stands in the head of a message that begins at its position, and in nothing else', () => {
  for (const params of [
    { topic: 'T', body: '' },
    { bornHost: V6, storeHost: V6 },
  ]) {
    const record = messageBytes(params, { position: 4096, storeTimestamp: 77 })
    const head = record.subarray(0, HEAD_LENGTH)
    expect(storeTimeIn(head, 4096)).toBe(77)
    expect(storeTimeIn(head, 4097)).toBe(null)
    expect(storeTimeIn(head.subarray(0, RECORD_LENGTH_MIN), 4096)).toBe(77)
    expect(storeTimeIn(head.subarray(0, RECORD_LENGTH_MIN - 1), 4096)).toBe(null)
  }
  expect(storeTimeIn(Buffer.alloc(HEAD_LENGTH), 0)).toBe(null) // a file that was made and not written
})
