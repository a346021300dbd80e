import { expect, test } from 'vitest'
import { ClientError } from '../../src/client/client-error.ts'
import { outgoing, type Message } from '../../src/client/message.ts'
import { batchParcel } from '../../src/client/parcel.ts'
import { batchItems } from '../../src/protocol/batch-body.ts'
import { decodeProperties } from '../../src/protocol/message.ts'

const BODY_MAX = 100
const make = (message: Partial<Message> = {}) =>
  outgoing({ topic: 'Orders', body: 'x', ...message }, 'ID', BODY_MAX)

test('what a message says of itself becomes properties', () => {
  const { properties } = make({
    tags: 'TagA',
    keys: 'k1',
    delayLevel: 3,
    waitStoreOk: false,
    properties: { color: 'red' },
  })
  expect(Object.fromEntries(properties)).toEqual({
    color: 'red',
    KEYS: 'k1',
    TAGS: 'TagA',
    DELAY: '3',
    WAIT: 'false',
    UNIQ_KEY: 'ID',
  })
})

test('an empty tag is no tag', () => {
  const { properties } = make({ tags: '', keys: [] })
  expect([...properties.keys()]).toEqual(['WAIT', 'UNIQ_KEY'])
})

test.each<[string, Partial<Message>, RegExp]>([
  ['no topic', { topic: '' }, /topic ''.*1 to 127/],
  ['a topic with a blank', { topic: 'my orders' }, /topic 'my orders'.*a-z/],
  ['a topic that is too long', { topic: 'x'.repeat(128) }, /1 to 127/],
  ['no body', { body: '' }, /Orders: a body of 0 bytes.*1 to 100/],
  ['a body that is too long', { body: 'x'.repeat(101) }, /101 bytes.*maxMessageSize/],
  ['a property of RocketMQ', { properties: { UNIQ_KEY: '1' } }, /UNIQ_KEY is RocketMQ's own/],
  ['a property without a value', { properties: { a: '' } }, /property a is "".*empty/],
  ['a property without a name', { properties: { '': 'a' } }, /property name "".*empty/],
  ['a separator in a property', { properties: { a: '\u0001' } }, /property a is "\\u0001"/],
  ['a separator in a tag', { tags: 'a\u0002' }, /property TAGS is/],
])('%s is refused by name', (_, message, problem) => {
  expect(() => make(message)).toThrow(ClientError)
  expect(() => make(message)).toThrow(problem)
})

test('a batch holds each message with its own properties', () => {
  const parcel = batchParcel([make({ tags: 'A' }), make({ tags: 'B', flag: 7 })], BODY_MAX * 10)
  const items = [...batchItems(parcel.body)]
  expect(items.map((item) => decodeProperties(item.properties).get('TAGS'))).toEqual(['A', 'B'])
  expect(items[1]!.flag).toBe(7)
  expect(parcel).toMatchObject({ topic: 'Orders', msgId: 'ID,ID', sysFlag: 0, isBatch: true })
  // Apache's broker adds these to each message: an id here would replace theirs.
  expect(Object.fromEntries(parcel.properties)).toEqual({ WAIT: 'true' })
})

test.each<[string, Partial<Message>[], RegExp]>([
  ['no message', [], /at least one/],
  ['two topics', [{}, { topic: 'Payments' }], /Orders and Payments/],
  ['a delayed message', [{}, { delayLevel: 1 }], /delayed message.*alone/],
  ['different waitStoreOk', [{}, { waitStoreOk: false }], /waitStoreOk differs/],
  ['a retry topic', [{ topic: '%RETRY%group' }], /no batch for a retry topic/],
  [
    'too many bytes',
    [{ body: 'x'.repeat(60) }, { body: 'y'.repeat(60) }],
    /100 \(maxMessageSize\).*parts/,
  ],
])('a batch with %s is refused', (_, messages, problem) => {
  expect(() => batchParcel(messages.map(make), BODY_MAX)).toThrow(problem)
})
