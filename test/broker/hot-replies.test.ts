import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REPLY_LENGTH_MAX, ReplyWriter } from '../../src/broker/hot-replies.ts'
import { encodeOffsetMessageId } from '../../src/protocol/message-id.ts'
import {
  decodeCommand,
  encodeCommand,
  type RemotingCommand,
  responseTo,
} from '../../src/protocol/remoting-command.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { goldenFrame } from '../protocol/golden.ts'

const STORE_HOST = Buffer.from('7f00000100002a9f', 'hex')
const STORE_HOST_V6 = Buffer.from('fe80000000000000000000000000000100002a9f', 'hex')
const writer = new ReplyWriter({ regionId: 'DefaultRegion', traceOn: true })

/** With bytes of an earlier reply around it, as in an output buffer. */
function written(write: (buffer: Buffer, at: number) => number, room = REPLY_LENGTH_MAX): Buffer {
  const buffer = Buffer.alloc(room + 20, 0xee)
  const length = write(buffer, 10)
  expect(length).toBeLessThanOrEqual(room)
  expect(buffer.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xee))
  expect(buffer.subarray(10 + length)).toEqual(Buffer.alloc(room + 10 - length, 0xee))
  return buffer.subarray(10, 10 + length)
}

/** Equal but for the order of the fields, which no reader looks at. */
function expectSame(frame: Buffer, command: RemotingCommand): void {
  const expected = encodeCommand(command)
  expect(frame.length).toBe(expected.length)
  expect(frame.readInt32BE(0)).toBe(frame.length - 4)
  expect(decodeCommand(frame.subarray(4))).toEqual(decodeCommand(expected.subarray(4)))
}

const position = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

describe.each([
  [0, 'JSON'],
  [1, 'ROCKETMQ'],
] as const)('serialize type %i', (serializeType, name) => {
  const sendReply = (changes: object) => {
    const zeros = { queueId: 0, queueOffset: 0, position: 0, opaque: 0, code: 0 }
    const nothing = { ...zeros, recallHandle: '' }
    const parts = { ...nothing, serializeType, storeHost: STORE_HOST, ...changes }
    return written((buffer, at) => writer.writeSendReply(buffer, at, parts, null))
  }

  test("a reply to a send has the fields of Apache's", () => {
    const golden = decodeCommand(goldenFrame('SEND_MESSAGE response', name))
    const parts = { opaque: golden.opaque, queueId: 2, queueOffset: 7, position: 123456789 }
    expect(decodeCommand(sendReply(parts).subarray(4))).toEqual(golden)
  })

  test('a reply to a send is what encodeCommand makes of its table', () => {
    const queueId = fc.integer({ min: 0, max: 2 ** 31 - 1 })
    const storeHost = fc.constantFrom(STORE_HOST, STORE_HOST_V6)
    fc.assert(
      fc.property(
        fc.record({
          opaque: int32,
          queueId,
          queueOffset: position,
          position,
          storeHost,
          recallHandle: fc.constantFrom('', 'djEgVCBiIDEgdQ=='),
        }),
        (parts) => {
          const reply = SendMessageV2.encodeReply({
            msgId: encodeOffsetMessageId(parts),
            queueId: parts.queueId,
            queueOffset: parts.queueOffset,
            recallHandle: parts.recallHandle || undefined,
            region: 'DefaultRegion',
            traceOn: true,
          })
          const to = { opaque: parts.opaque, serializeType }
          expectSame(sendReply(parts), responseTo(to, 0, null, reply))
        },
      ),
    )
  })

  test('a reply to a batch has an id for each message, where it begins', () => {
    const lengths = [100, 2 ** 32, 57]
    const places = { queueId: 0, queueOffset: 5, position: 1000, recallHandle: '' }
    const parts = { serializeType, code: 0, opaque: 1, ...places }
    const frame = written(
      (buffer, at) =>
        writer.writeSendReply(buffer, at, { ...parts, storeHost: STORE_HOST_V6 }, { lengths }),
      REPLY_LENGTH_MAX + 3 * 57,
    )
    const ids = [1000, 1100, 1100 + 2 ** 32].map((at) =>
      encodeOffsetMessageId({ storeHost: STORE_HOST_V6, position: at }),
    )
    expect(decodeCommand(frame.subarray(4)).extFields!.get('msgId')).toBe(ids.join())
  })

  test.each(['PULL_MESSAGE response FOUND', 'PULL_MESSAGE response PULL_NOT_FOUND'])(
    "a reply to a pull has the fields of Apache's %s",
    (frame) => {
      const golden = decodeCommand(goldenFrame(frame, name))
      const { code, opaque, remark } = golden
      const offsets = { nextBeginOffset: 8, minOffset: 0, maxOffset: 8, suggestWhichBrokerId: 0 }
      const parts = { serializeType, code, opaque, remark: remark!, ...offsets }
      const body = golden.body ?? Buffer.alloc(0)
      const header = written((buffer, at) => writer.writePullReply(buffer, at, parts, body.length))
      expect(decodeCommand(Buffer.concat([header, body]).subarray(4))).toEqual(golden)
    },
  )

  test('a reply to a pull is what encodeCommand makes of its table', () => {
    const offsets = { nextBeginOffset: position, minOffset: position, maxOffset: position }
    const parts = fc.record({
      ...offsets,
      opaque: int32,
      code: fc.constantFrom(0, 19, 20, 21),
      remark: fc.constantFrom('FOUND', 'OFFSET_OVERFLOW_BADLY', 'NO_MESSAGE_IN_QUEUE'),
      suggestWhichBrokerId: fc.constantFrom(0, 1),
      body: fc.uint8Array({ minLength: 0, maxLength: 100 }),
    })
    fc.assert(
      fc.property(parts, ({ body, opaque, code, remark, ...rest }) => {
        const frame = written((buffer, at) => {
          const reply = { ...rest, serializeType, opaque, code, remark }
          return writer.writePullReply(buffer, at, reply, body.length)
        })
        const reply = PullMessage.encodeReply({ ...rest, topicSysFlag: 0, groupSysFlag: 0 })
        const to = { opaque, serializeType }
        const expected = responseTo(to, code, remark, reply, Buffer.from(body))
        expectSame(Buffer.concat([frame, body]), expected)
      }),
    )
  })
})
