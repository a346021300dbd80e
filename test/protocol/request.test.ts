import fc from 'fast-check'
import type { Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allRequests, protocolDoc } from '../../scripts/docs/protocol-doc.ts'
import type { Field, Fields } from '../../src/protocol/fields.ts'
import {
  decodeCommand,
  encodeCommand,
  requestCommand,
} from '../../src/protocol/remoting-command.ts'
import { RequestCode } from '../../src/protocol/request-code.ts'
import { request } from '../../src/protocol/request.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import { i32, optional, orElse, text } from '../../src/protocol/fields.ts'
import { goldenFrame } from './golden.ts'

const specs = allRequests()

function valueOf({ allowed }: Field<unknown>): Arbitrary<unknown> {
  if (allowed === 'text') return fc.string({ unit: 'grapheme', minLength: 1 })
  if (allowed === 'int32') return fc.integer()
  if (allowed.startsWith('int64')) return fc.maxSafeInteger()
  if (allowed === 'boolean') return fc.boolean()
  return fc.constantFrom(...allowed.split(' or '))
}

/** Objects as the table describes them, with and without what is optional. */
function valuesOf(fields: Fields): Arbitrary<Record<string, unknown>> {
  const names = Object.keys(fields)
  const requiredKeys = names.filter((name) => fields[name]!.presence !== 'optional')
  const model = Object.fromEntries(names.map((name) => [name, valueOf(fields[name]!)]))
  return fc.record(model, { requiredKeys }).map((values) => ({ ...values }))
}

describe.each(specs.map((spec) => [spec.name, spec] as const))('%s', (_, spec) => {
  const { header, reply } = spec.table

  test('comes back as it was, by either header', () => {
    fc.assert(
      fc.property(valuesOf(header), fc.constantFrom(0 as const, 1 as const), (values, type) => {
        const extFields = spec.encodeHeader(values)
        const command = { ...requestCommand(0, extFields), serializeType: type }
        const frame = encodeCommand(command)
        expect(frame.readInt32BE(0)).toBe(frame.length - 4)
        expect(spec.decodeHeader(decodeCommand(frame.subarray(4)).extFields)).toEqual(values)
      }),
      { numRuns: 30 },
    )
  })

  test('has a reply that comes back as it was', () => {
    fc.assert(
      fc.property(valuesOf(reply), (values) => {
        expect(spec.decodeReply(spec.encodeReply(values))).toEqual(values)
      }),
      { numRuns: 30 },
    )
  })

  test('does not decode without one of its required fields, and says which', () => {
    const [values] = fc.sample(valuesOf(header), 1)
    for (const field of Object.values(header).filter((each) => each.presence === 'required')) {
      const extFields = spec.encodeHeader(values)
      extFields.delete(field.key)
      expect(() => spec.decodeHeader(extFields)).toThrow(ResponseError)
      expect(() => spec.decodeHeader(extFields)).toThrow(`${spec.name}: ${field.key} is missing`)
    }
  })

  test('ignores fields it does not know', () => {
    const [values] = fc.sample(valuesOf(header), 1)
    const extFields = spec.encodeHeader(values)
    for (const key of ['ns', 'nsd', 'oway', 'lo', '__proto__', 'hasOwnProperty']) {
      extFields.set(key, 'true')
    }
    expect(spec.decodeHeader(extFields)).toEqual(values)
  })

  test('has keys that differ', () => {
    for (const fields of [header, reply]) {
      const keys = Object.values(fields).map((field) => field.key)
      expect(new Set(keys).size).toBe(keys.length)
    }
  })
})

test('every request has a code of its own', () => {
  expect(new Set(specs.map((spec) => spec.code)).size).toBe(specs.length)
})

test("every request that 5.3.3's name server handles is declared", () => {
  const codes = [
    100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219, 224, 304, 311, 312, 313, 318, 319,
    322, 327, 901, 904,
  ]
  expect(codes.filter((code) => !specs.some((spec) => (spec.code as number) === code))).toEqual([])
})

describe('a header', () => {
  const spec = request(RequestCode.GET_MAX_OFFSET, {
    doc: 'For this test.',
    header: {
      topic: text('topic'),
      queueId: i32('queueId'),
      hint: optional(i32('hint')),
      count: orElse(i32('count'), 4),
    },
    reply: {},
    fails: [],
  })

  test('reads an absent field as undefined or as its fallback', () => {
    const header = spec.decodeHeader(
      new Map([
        ['topic', 't'],
        ['queueId', '0'],
      ]),
    )
    expect(header).toEqual({ topic: 't', queueId: 0, count: 4 })
  })

  test('takes an empty number for absent: binary headers cannot tell them apart', () => {
    const extFields = new Map([
      ['topic', ''],
      ['queueId', '0'],
      ['hint', ''],
      ['count', ''],
    ])
    expect(spec.decodeHeader(extFields)).toEqual({ topic: '', queueId: 0, count: 4 })
  })

  test('names a field that is not what it must be', () => {
    const extFields = new Map([
      ['topic', 't'],
      ['queueId', 'first'],
    ])
    expect(() => spec.decodeHeader(extFields)).toThrow(
      'GET_MAX_OFFSET: queueId is "first", it must be int32',
    )
    expect(() => spec.decodeHeader(null)).toThrow(
      'GET_MAX_OFFSET: topic is missing, it must be text',
    )
  })
})

describe("Apache's frames", () => {
  test('a send reads the same by long and by short keys', () => {
    const long = SendMessage.decodeHeader(decodeCommand(goldenFrame('SEND_MESSAGE req')).extFields)
    const short = SendMessageV2.decodeHeader(
      decodeCommand(goldenFrame('SEND_MESSAGE_V2 req')).extFields,
    )
    expect(short).toEqual(long)
    expect(short).toMatchObject({ topic: 'TopicTest', queueId: 2, brokerName: 'broker-a' })
  })

  test('a pull has its fields', () => {
    const { extFields } = decodeCommand(goldenFrame('PULL_MESSAGE request', 'ROCKETMQ'))
    expect(PullMessage.decodeHeader(extFields)).toEqual({
      consumerGroup: 'CG_test',
      topic: 'TopicTest',
      queueId: 2,
      queueOffset: 7,
      maxMsgNums: 32,
      sysFlag: 3,
      commitOffset: 7,
      suspendTimeoutMillis: 15_000,
      subVersion: 1700000000000,
      expressionType: 'TAG',
      maxMsgBytes: 2147483647,
    })
  })

  const byName = specs
    .map((spec) => [spec, `${spec.name} request`] as const)
    .filter(([, name]) => hasFrame(name))

  test('of every request that is declared decode by its table', () => {
    expect(byName.length).toBeGreaterThan(15)
    for (const [spec, name] of byName) {
      const { code, extFields } = decodeCommand(goldenFrame(name))
      expect(code).toBe(spec.code)
      const again = spec.encodeHeader(spec.decodeHeader(extFields))
      for (const [key, value] of again) expect(extFields?.get(key) ?? value).toBe(value)
    }
  })
})

function hasFrame(name: string): boolean {
  try {
    goldenFrame(name)
    return true
  } catch {
    return false
  }
}

test('docs/protocol.md has every request and every answer', () => {
  const doc = protocolDoc()
  for (const { name, code } of specs) expect(doc).toContain(`#### ${name} (${code})\n`)
  expect(doc).toContain('| 17 | TOPIC_NOT_EXIST |')
})
