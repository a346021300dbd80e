import fc from 'fast-check'
import { expect, test } from 'vitest'
import { javaHashCode } from '../../src/base/java-hash.ts'
import { decodeProperties } from '../../src/protocol/message.ts'
import { RecordParts } from '../../src/store/log-record.ts'
import { entryCodeOf, tagsCodeOf } from '../../src/store/tags-code.ts'

function codeOf(properties: string): number {
  const bytes = Buffer.from(`before${properties}TAGS\u0001behind`)
  return tagsCodeOf(bytes, 6, Buffer.byteLength(properties))
}

test.each([
  ['', 0],
  ['TAGS\u0001A\u0002', 65],
  ['TAGS\u0001A', 65],
  ['KEYS\u0001k\u0002TAGS\u0001Aa\u0002WAIT\u0001true\u0002', 2112],
  ['KEYS\u0001k\u0002TAGS\u0001BB\u0002WAIT\u0001true\u0002', 2112],
  ['TAGSX\u0001A\u0002', 0],
  ['XTAGS\u0001A\u0002', 0],
  ['TAGS', 0],
  ['TAGS\u0001', 0],
  ['TAGS\u0001\u0002', 0],
  ['KEYS\u0001TAGS\u0001A\u0002', 0],
])('the tags code of %j is %d', (properties, code) => {
  expect(codeOf(properties)).toBe(code)
})

test('the hash wraps at 32 bits and is over UTF-16 units', () => {
  expect(codeOf('TAGS\u0001a long tag that overflows\u0002')).toBe(
    javaHashCode('a long tag that overflows'),
  )
  expect(codeOf('TAGS\u0001标签😀\u0002')).toBe(javaHashCode('标签😀'))
})

test('of two tags the last counts, but not one without a value', () => {
  expect(codeOf('TAGS\u0001A\u0002TAGS\u0001B\u0002')).toBe(66)
  expect(codeOf('TAGS\u0001A\u0002TAGS\u0001\u0002')).toBe(65)
})

test('the code is that of the decoded properties, whatever they are', () => {
  const piece = fc.constantFrom('TAGS', 'TAG', 'KEYS', 'S', '\u0001', '\u0002', 'ä', '')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      expect(codeOf(text)).toBe(javaHashCode(decodeProperties(text).get('TAGS') ?? ''))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['1', 1000],
  ['3', 10_000],
  ['18', 7_200_000],
  ['99', 7_200_000],
])('a message that waits at level %s is due %d ms after it was stored', (level, delayMs) => {
  expect(scheduled('SCHEDULE_TOPIC_XXXX', `TAGS\u0001A\u0002DELAY\u0001${level}`)).toBe(
    1_700_000_000_000 + delayMs,
  )
})

test('only in the schedule topic, and with a level, is the code a time', () => {
  expect(scheduled('SCHEDULE_TOPIC_XXXY', 'TAGS\u0001A\u0002DELAY\u00013\u0002')).toBe(65)
  expect(scheduled('SCHEDULE_TOPIC', 'TAGS\u0001A\u0002DELAY\u00013\u0002')).toBe(65)
  expect(scheduled('SCHEDULE_TOPIC_XXXX', 'TAGS\u0001A\u0002DELAY\u00010\u0002')).toBe(65)
  expect(scheduled('SCHEDULE_TOPIC_XXXX', 'TAGS\u0001A\u0002')).toBe(65)
})

function scheduled(topic: string, properties: string): number {
  const record = new RecordParts()
  record.storeTimestamp = 1_700_000_000_000
  record.topicLength = topic.length
  record.propertiesAt = topic.length
  record.propertiesLength = properties.length
  return entryCodeOf(Buffer.from(topic + properties), record)
}
