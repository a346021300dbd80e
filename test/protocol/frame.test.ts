import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  FRAME_LENGTH_MAX,
  FrameError,
  frameLengthAt,
  joinFrame,
  splitFrame,
} from '../../src/protocol/frame.ts'

function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeInt32BE(length, 1)
  return bytes
}

describe('a length prefix', () => {
  test('may say anything from a header word to the largest frame', () => {
    for (const length of [4, 5, 137, FRAME_LENGTH_MAX - 4]) {
      expect(frameLengthAt(prefix(length), 1)).toBe(length)
    }
  })

  test.each([0, 1, 3, -1, -(2 ** 31), FRAME_LENGTH_MAX - 3, 2 ** 31 - 1])(
    'of %i is refused with the number and what is allowed',
    (length) => {
      expect(() => frameLengthAt(prefix(length), 1)).toThrow(FrameError)
      expect(() => frameLengthAt(prefix(length), 1)).toThrow(
        `frame length ${length}: allowed are 4`,
      )
    },
  )
})

describe('a frame', () => {
  test('comes apart as it was put together', () => {
    const bytes = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(fc.constantFrom(0 as const, 1 as const), bytes, bytes, (type, header, body) => {
        const frame = joinFrame({ serializeType: type, header, body })
        expect(frameLengthAt(frame, 0)).toBe(frame.length - 4)
        const parts = splitFrame(frame.subarray(4))
        expect(parts.serializeType).toBe(type)
        expect(parts.header).toEqual(Buffer.from(header))
        expect(parts.body).toEqual(body.length === 0 ? null : Buffer.from(body))
      }),
    )
  })

  test('cut within its header is refused', () => {
    const header = Buffer.from('{"code":105}')
    const frame = joinFrame({ serializeType: 0, header, body: null }).subarray(4)
    for (let end = 0; end < frame.length; end++) {
      expect(() => splitFrame(frame.subarray(0, end))).toThrow(FrameError)
    }
  })

  test('with a header longer than itself is refused', () => {
    const lie = Buffer.from([0, 0xff, 0xff, 0xff, 1, 2, 3])
    expect(() => splitFrame(lie)).toThrow('header ends at 16777219 in a frame of 7 bytes')
  })

  test('of an unknown serialize type is refused', () => {
    expect(() => splitFrame(Buffer.from([2, 0, 0, 0]))).toThrow('serialize type 2: allowed are 0')
  })

  test('that nobody would read is not written', () => {
    const parts = { serializeType: 0, header: Buffer.alloc(8) } as const
    const fits = joinFrame({ ...parts, body: Buffer.alloc(FRAME_LENGTH_MAX - 16) })
    expect(fits.length).toBe(FRAME_LENGTH_MAX)
    expect(() => joinFrame({ ...parts, body: Buffer.alloc(FRAME_LENGTH_MAX - 15) })).toThrow(
      FrameError,
    )
  })
})
