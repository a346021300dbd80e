import fc from 'fast-check'
import { expect, test } from 'vitest'

import { decodeRegisterBroker } from '../../src/protocol/bodies/register-broker.ts'
import { readRegistration } from '../../src/namesrv/registration-body.ts'
import { wrapper } from './scenario-words.ts'

const form = { compressed: false, version: 479 }

/** What either reader makes of it. */
function attempt(read: typeof readRegistration, bytes: Buffer): unknown {
  try {
    return read(bytes, form)
  } catch (error) {
    return (error as Error).name
  }
}

const odd = fc.oneof(
  fc.integer(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(2 ** 60),
  fc.double(),
  fc.constant({}),
  fc.constant([]),
)
const topic = fc.record(
  {
    attributes: fc.oneof(fc.constant({}), fc.dictionary(fc.string(), fc.string()), odd),
    order: fc.oneof(fc.boolean(), odd),
    perm: fc.oneof(fc.nat(7), odd),
    readQueueNums: fc.oneof(fc.nat(64), odd),
    topicFilterType: fc.oneof(fc.constantFrom('SINGLE_TAG', 'MULTI_TAG', 0, 'X'), odd),
    topicName: fc.oneof(fc.string(), odd),
    topicSysFlag: fc.oneof(fc.nat(3), odd),
    writeQueueNums: fc.oneof(fc.nat(64), odd),
    more: odd,
  },
  { requiredKeys: [] },
)
const version = fc.record({ counter: fc.nat(), stateVersion: odd, timestamp: fc.nat() })
const body = fc.record(
  {
    filterServerList: fc.oneof(fc.array(fc.string()), odd),
    topicConfigSerializeWrapper: fc.oneof(
      fc.record(
        {
          dataVersion: fc.oneof(version, odd),
          topicConfigTable: fc.oneof(
            {
              weight: 5,
              arbitrary: fc.dictionary(fc.string(), fc.oneof(topic, fc.constant(null))),
            },
            { weight: 1, arbitrary: odd },
          ),
          topicQueueMappingInfoMap: fc.oneof(fc.constant({}), odd),
        },
        { requiredKeys: [] },
      ),
      odd,
    ),
  },
  { requiredKeys: [] },
)

test('it reads and refuses exactly what the tolerant reader does', () => {
  fc.assert(
    fc.property(body, (value) => {
      const bytes = Buffer.from(JSON.stringify(value))
      expect(attempt(readRegistration, bytes)).toEqual(attempt(decodeRegisterBroker, bytes))
    }),
    { numRuns: 2000 },
  )
})

test('what Apache writes beyond the standard is read, too', () => {
  const text = JSON.stringify(wrapper([{ name: 'A' }, { name: 'B' }]))
  const mapping =
    '{"T":{"bname":"b","currIdMap":{0:1},"dirty":false,"epoch":1,"scope":"s","topic":"T"}}'
  const mapped = text.replace(
    '"topicQueueMappingInfoMap":{}',
    `"topicQueueMappingInfoMap":${mapping}`,
  )
  const read = readRegistration(Buffer.from(mapped), form).topicConfigSerializeWrapper
  expect([...read.topicConfigTable.keys()]).toEqual(['A', 'B'])
  expect(read.topicQueueMappingInfoMap?.get('T')?.currIdMap).toEqual(new Map([[0, 1]]))
})

test('a topic named like a prototype is a topic', () => {
  const text = JSON.stringify(wrapper([{ name: '__proto__x' }])).replaceAll(
    '__proto__x',
    '__proto__',
  )
  const read = readRegistration(Buffer.from(text), form).topicConfigSerializeWrapper
  expect([...read.topicConfigTable.keys()]).toEqual(['__proto__'])
})

test('a body of nothing but brackets is refused without being built', () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, '[')
  expect(attempt(readRegistration, bytes)).toBe('JsonError')
})
