import { describe, expect, test } from 'vitest'
import { ReplyScanner } from '../../../bench/load/reply-scanner.ts'
import { decodeReply, encodeRequest } from '../../../bench/load/wire.ts'
import { SerializeType } from '../../../src/protocol/frame.ts'
import { decodeCommand, encodeCommand, responseTo } from '../../../src/protocol/remoting-command.ts'
import { goldenFrames } from '../../protocol/golden.ts'

const TYPES = [SerializeType.JSON, SerializeType.ROCKETMQ]

function reply(serializeType: SerializeType, opaque: number, code = 0, remark = 'why'): Buffer {
  const extFields = new Map([['queueOffset', '7']])
  return encodeCommand(
    responseTo({ opaque, serializeType }, code, remark, extFields, Buffer.from('body')),
  )
}

function jsonReply(header: string): Buffer {
  const frame = Buffer.concat([Buffer.alloc(8), Buffer.from(header)])
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt32BE(header.length, 4)
  return frame
}

describe('a request', () => {
  test.each(['json', 'binary'] as const)('with a %s header is read by the broker', (format) => {
    const body = Buffer.from('body')
    const frame = encodeRequest(format, { code: 11, opaque: 42, extFields: { topic: 'T' }, body })
    const command = decodeCommand(frame.subarray(4))
    expect(command).toMatchObject({ code: 11, opaque: 42, language: 'JAVA', version: 479 })
    expect([...command.extFields!]).toEqual([['topic', 'T']])
    expect(Buffer.from(command.body!).toString()).toBe('body')
  })
})

describe.each(TYPES)('a reply of serialize type %i', (type) => {
  test('is decoded whole', () => {
    const decoded = decodeReply(reply(type, 5, 17, 'no such topic'))
    expect(decoded).toMatchObject({ code: 17, opaque: 5, remark: 'no such topic' })
    expect(decoded.extFields).toEqual({ queueOffset: '7' })
    expect(decoded.body.toString()).toBe('body')
  })

  test('is scanned where it lies', () => {
    const scanner = new ReplyScanner()
    for (const [opaque, code] of [
      [1_000_000_000, 0],
      [-3, 1],
      [0, 4001],
    ] as const) {
      const frame = reply(type, opaque, code)
      const bytes = Buffer.concat([Buffer.alloc(9), frame])
      scanner.scan(bytes, 9)
      expect([scanner.opaque, scanner.code]).toEqual([opaque, code])
      expect(bytes.toString('latin1', scanner.bodyStart)).toBe('body')
    }
  })
})

describe('the scanner', () => {
  test("reads every reply that Apache's broker wrote", () => {
    const scanner = new ReplyScanner()
    const replies = goldenFrames.filter(({ decoded }) => decoded.flag === 1)
    expect(replies.length).toBeGreaterThan(20)
    for (const { hex, decoded } of replies) {
      scanner.scan(Buffer.from(hex, 'hex'), 0)
      expect([scanner.opaque, scanner.code]).toEqual([decoded.opaque, decoded.code])
    }
  })

  test('finds the keys again when a broker orders them otherwise', () => {
    const scanner = new ReplyScanner()
    for (const header of ['{"code":1,"opaque":2}', '{"opaque":2,"code":1,"flag":1}']) {
      scanner.scan(jsonReply(header), 0)
      expect([scanner.code, scanner.opaque]).toEqual([1, 2])
    }
  })

  test('is not misled by the same words inside a remark', () => {
    const scanner = new ReplyScanner()
    scanner.scan(reply(SerializeType.JSON, 77, 1, 'a "code":9 and an "opaque":9'), 0)
    expect([scanner.code, scanner.opaque]).toEqual([1, 77])
  })

  test('refuses a header without an opaque, even when the next bytes hold one', () => {
    const bytes = Buffer.concat([jsonReply('{"code":1}'), jsonReply('{"code":1,"opaque":2}')])
    expect(() => new ReplyScanner().scan(bytes, 0)).toThrow('without "opaque":')
  })
})
