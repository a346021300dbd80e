import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../src/base/bytes.ts'
import {
  emptyHeader,
  INDEX_HEADER_LENGTH,
  indexFileName,
  indexFileSize,
  isIndexFileName,
  ITEM_LENGTH,
  nextIndexFileName,
  readIndexHeader,
  readItem,
  secondsAfter,
  writeIndexHeader,
  writeItem,
} from '../../src/store/index-file.ts'
import { RecordKind, RecordParts, readRecord } from '../../src/store/log-record.ts'
import { keyHash, RecordKeys } from '../../src/store/record-keys.ts'
import { messageBytes } from '../support/records.ts'

const time = fc.integer({ min: 0, max: 2 ** 48 })
const position = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const int32 = fc.integer({ min: 0, max: 0x7fffffff })

describe('an index file', () => {
  test('has the length of Apache’s with its default settings', () => {
    expect(indexFileSize({ slots: 5_000_000, items: 20_000_000 })).toBe(420_000_040)
  })

  test('has a header that reads as it was written', () => {
    const header = fc.record({
      beginTimestamp: time,
      endTimestamp: time,
      beginPosition: position,
      endPosition: position,
      usedSlots: int32,
      count: fc.integer({ min: 1, max: 0x7fffffff }),
    })
    fc.assert(
      fc.property(header, (written) => {
        const bytes = Buffer.alloc(INDEX_HEADER_LENGTH)
        writeIndexHeader(bytes, written)
        expect(readIndexHeader(bytes)).toEqual(written)
      }),
    )
  })

  test('that was never written to has 1 as the number of its next item', () => {
    expect(readIndexHeader(Buffer.alloc(INDEX_HEADER_LENGTH))).toEqual(emptyHeader(null))
  })

  test('has items that read as they were written', () => {
    const item = fc.record({ hash: int32, position, seconds: int32, previous: int32 })
    fc.assert(
      fc.property(item, (written) => {
        const view = viewOf(Buffer.alloc(ITEM_LENGTH))
        writeItem(view, 0, written)
        const read = { hash: 0, position: 0, seconds: 0, previous: 0 }
        readItem(read, view, 0)
        expect(read).toEqual(written)
      }),
    )
  })

  test('counts whole seconds, none before its beginning and none without one', () => {
    expect(secondsAfter(1000, 3999)).toBe(2)
    expect(secondsAfter(5000, 3999)).toBe(0)
    expect(secondsAfter(0, 3999)).toBe(0)
    expect(secondsAfter(1, 2 ** 45)).toBe(0x7fffffff)
  })

  test('is named by the time it is made, and later than the one before it', () => {
    const name = indexFileName(new Date(2026, 10, 3, 4, 5, 6, 7).getTime())
    expect(name).toBe('20261103040506007')
    expect(nextIndexFileName(0, '20261103040506007')).toBe('20261103040506008')
    expect(isIndexFileName(name)).toBe(true)
    expect(isIndexFileName(`${name}.tmp`)).toBe(false)
  })
})

/** What is found in a record with these properties. */
function hashesOf(topic: string, properties: string, sysFlag = 0): number[] {
  const bytes = messageBytes({ topic, properties, sysFlag })
  const record = new RecordParts()
  expect(readRecord(record, viewOf(bytes), 0, bytes.length)).toBe(RecordKind.MESSAGE)
  const keys = new RecordKeys()
  return keys.hashes.slice(0, keys.find(bytes, record))
}

describe('a message is indexed by', () => {
  test('its unique key, then by each word of its keys', () => {
    const properties = 'KEYS\u0001a  b \u0002WAIT\u0001true\u0002UNIQ_KEY\u0001u\u0002'
    expect(hashesOf('T', properties)).toEqual(['u', 'a', 'b'].map((key) => keyHash('T', key)))
  })

  test('nothing when it has no keys, or is a roll-back', () => {
    expect(hashesOf('T', 'XKEYS\u0001a\u0002KEYS\u0001\u0002')).toEqual([])
    expect(hashesOf('T', 'KEYS\u0001a\u0002', 0xc)).toEqual([])
  })

  test('the hash that Java makes of topic and key, whatever they are written in', () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      // oxlint-disable-next-line no-control-regex -- these end names and values
      .map((text) => text.replaceAll(/[\u0001\u0002 ]/g, '_'))
    const topic = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(topic, fc.array(word, { minLength: 1, maxLength: 5 }), (name, words) => {
        const properties = `TAGS\u0001x\u0002KEYS\u0001${words.join(' ')}\u0002`
        expect(hashesOf(name, properties)).toEqual(words.map((key) => keyHash(name, key)))
      }),
    )
  })

  test('0 where Java’s absolute value stays negative', () => {
    expect(keyHash('T', '5eeedzu')).toBe(0)
    expect(hashesOf('T', 'KEYS\u00015eeedzu\u0002')).toEqual([0])
  })

  test('a hash that another key may have, too', () => {
    expect(keyHash('T', 'Aa')).toBe(keyHash('T', 'BB'))
  })
})
