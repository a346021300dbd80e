import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  RegisterBrokerBody,
  decodeRegisterBroker,
  encodeRegisterBrokerCompressed,
} from '../../src/protocol/bodies/register-broker.ts'
import { TopicConfigWrapper } from '../../src/protocol/bodies/topic-config.ts'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import { JsonError } from '../../src/protocol/json.ts'
import { decodeCommand } from '../../src/protocol/remoting-command.ts'
import { RegisterBroker } from '../../src/protocol/requests/registration.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import { goldenFrame, goldenMessages } from './golden.ts'

const plain = decodeCommand(goldenFrame('REGISTER_BROKER request uncompressed'))
const compressed = decodeCommand(goldenFrame('REGISTER_BROKER request compressed'))
const inflated = Buffer.from(goldenMessages.registerBrokerBody_inflated_hex!, 'hex')

function decodeInflated(bytes: Uint8Array, version = 479): RegisterBrokerBody {
  return decodeRegisterBroker(deflateSync(bytes), { compressed: true, version })
}

describe('a registration', () => {
  test.each([
    ['plain', plain],
    ['compressed', compressed],
  ])('%s carries the CRC of its body as it is sent', (_, { extFields, body }) => {
    expect(RegisterBroker.decodeHeader(extFields).bodyCrc32).toBe(bodyCrc(body!))
  })

  test('says the same plain and compressed', () => {
    const one = decodeRegisterBroker(plain.body, { compressed: false, version: 479 })
    const other = decodeRegisterBroker(compressed.body, { compressed: true, version: 479 })
    const wrapper = one.topicConfigSerializeWrapper
    expect(other.topicConfigSerializeWrapper.topicConfigTable).toEqual(wrapper.topicConfigTable)
    expect(other.topicConfigSerializeWrapper.dataVersion).toEqual(wrapper.dataVersion)
    expect(other.filterServerList).toEqual(one.filterServerList)
  })

  test('compressed is written as Apache writes it, before compression', () => {
    const body = decodeRegisterBroker(compressed.body, { compressed: true, version: 479 })
    expect(inflateSync(encodeRegisterBrokerCompressed(body))).toEqual(inflated)
    expect(inflateSync(compressed.body!)).toEqual(inflated)
  })

  test('of a broker before 3.0.11 is its topics alone', () => {
    const { topicConfigSerializeWrapper } = RegisterBrokerBody.decode(plain.body)
    const old = TopicConfigWrapper.encode(topicConfigSerializeWrapper)
    expect(decodeRegisterBroker(old, { compressed: false, version: 36 })).toEqual({
      filterServerList: [],
      topicConfigSerializeWrapper,
    })
  })

  test('without a body has no topics', () => {
    const body = decodeRegisterBroker(null, { compressed: false, version: 479 })
    expect(body.topicConfigSerializeWrapper.topicConfigTable.size).toBe(0)
  })

  test('of a broker before 5.0.0 ends after the filter servers', () => {
    const body = decodeInflated(inflated.subarray(0, -4), 412)
    expect([...body.topicConfigSerializeWrapper.topicConfigTable.keys()]).toEqual([
      'TopicTest',
      'TBW102',
    ])
  })
})

describe('a compressed registration', () => {
  const name = fc.stringMatching(/^[%|a-zA-Z0-9_-]{1,40}$/)
  const count = fc.integer({ min: 0, max: 1024 })
  const topic = fc.record({
    topicName: name,
    readQueueNums: count,
    writeQueueNums: count,
    perm: fc.integer({ min: 0, max: 15 }),
    topicFilterType: fc.constantFrom('SINGLE_TAG' as const, 'MULTI_TAG' as const),
    attributes: fc
      .array(fc.tuple(name, fc.string({ unit: 'grapheme' })))
      .map((pairs) => new Map(pairs)),
    order: fc.constant(false), // these two are not in the compressed form
    topicSysFlag: fc.constant(0),
  })

  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(topic), fc.array(name), (topics, filterServerList) => {
        const sent: RegisterBrokerBody = {
          filterServerList,
          topicConfigSerializeWrapper: {
            dataVersion: { counter: 3, stateVersion: 1, timestamp: 1700000000000 },
            topicConfigTable: new Map(topics.map((each) => [each.topicName, each])),
            topicQueueMappingInfoMap: new Map(),
          },
        }
        const bytes = encodeRegisterBrokerCompressed(sent)
        expect(decodeRegisterBroker(bytes, { compressed: true, version: 479 })).toEqual(sent)
      }),
      { numRuns: 50 },
    )
  })

  test('of static topics keeps their mappings', () => {
    const mapping = {
      bname: 'a',
      currIdMap: new Map([[0, 0]]),
      dirty: false,
      epoch: 7,
      scope: '__global__',
      topic: 't',
      totalQueues: 1,
    }
    const body = decodeInflated(inflated)
    body.topicConfigSerializeWrapper.topicQueueMappingInfoMap = new Map([['t', mapping]])
    const bytes = encodeRegisterBrokerCompressed(body)
    expect(decodeRegisterBroker(bytes, { compressed: true, version: 479 })).toEqual(body)
  })

  test('does not decode when it is cut, before or after compression', () => {
    for (let end = 0; end < inflated.length; end++) {
      expect(() => decodeInflated(inflated.subarray(0, end))).toThrow()
    }
    for (let end = 0; end < compressed.body!.length; end++) {
      const cut = compressed.body!.subarray(0, end)
      expect(() => decodeRegisterBroker(cut, { compressed: true, version: 479 })).toThrow(
        ResponseError,
      )
    }
  })

  test.each([0, 60, 64, 97])('with a lying length at %i is refused', (at) => {
    for (const lie of [-1, 2 ** 31 - 1, -(2 ** 31)]) {
      const bytes = Buffer.from(inflated)
      if (bytes.length < at + 4) continue
      bytes.writeInt32BE(lie, at)
      expect(() => decodeInflated(bytes)).toThrow(Error)
    }
  })

  test('that would inflate to gigabytes is refused', () => {
    const bomb = deflateSync(Buffer.alloc(80 << 20))
    expect(() => decodeRegisterBroker(bomb, { compressed: true, version: 479 })).toThrow(
      ResponseError,
    )
  })

  test('of random bytes decodes or is refused, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          decodeInflated(bytes)
        } catch (error) {
          expect(error instanceof ResponseError || error instanceof JsonError).toBe(true)
        }
      }),
    )
  })
})
