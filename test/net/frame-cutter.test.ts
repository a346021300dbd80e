import { expect, test } from 'vitest'

import { Allowance, FrameCutter } from '../../src/net/frame-cutter.ts'
import { FrameError } from '../../src/protocol/frame.ts'
import { frameOf, rawFrame } from './frames.ts'

class Collector {
  readonly frames: Buffer[] = []
  onTake: () => void = () => undefined

  onFrame(bytes: Buffer, start: number, end: number): void {
    this.frames.push(Buffer.from(bytes.subarray(start, end)))
    this.onTake()
  }
}

function setUp(allowed = 64 * 1024 * 1024) {
  const sink = new Collector()
  const allowance = new Allowance(allowed)
  const cutter = new FrameCutter(sink, allowance)
  /** Feeds a copy that is wiped afterwards, as the shared read buffer would be. */
  const feed = (bytes: Uint8Array, now = 1) => {
    const chunk = Buffer.from(bytes)
    cutter.feed(chunk, chunk.length, now)
    chunk.fill(0xee)
  }
  return { sink, allowance, cutter, feed }
}

const withoutPrefix = (frame: Buffer) => frame.subarray(4)

test('a frame split at any byte comes out whole, and leaves nothing allocated', () => {
  const frame = frameOf(7, 50)
  for (let cut = 0; cut <= frame.length; cut++) {
    const { sink, allowance, feed } = setUp()
    feed(frame.subarray(0, cut))
    feed(frame.subarray(cut))
    expect(sink.frames, `cut at ${cut}`).toEqual([withoutPrefix(frame)])
    expect(allowance.used).toBe(0)
  }
})

test('many frames come out in order whatever the sizes of the chunks', () => {
  const frames = Array.from({ length: 40 }, (_, index) => frameOf(index, (index * 37) % 400))
  const stream = Buffer.concat(frames)
  for (const size of [1, 2, 3, 7, 64, 255, 1000, stream.length]) {
    const { sink, allowance, feed } = setUp()
    for (let at = 0; at < stream.length; at += size) feed(stream.subarray(at, at + size))
    expect(sink.frames, `chunks of ${size}`).toEqual(frames.map(withoutPrefix))
    expect(allowance.used).toBe(0)
  }
})

test('frames that arrive whole are handed out in place', () => {
  const chunk = Buffer.concat([frameOf(1), frameOf(2)])
  const seen: Buffer[] = []
  const sink = { onFrame: (bytes: Buffer) => void seen.push(bytes) }
  new FrameCutter(sink, new Allowance(0)).feed(chunk, chunk.length, 1)
  expect(seen).toEqual([chunk, chunk])
  expect(seen.every((bytes) => bytes === chunk)).toBe(true)
})

test.each([
  ['a negative length', rawFrame({ length: -1 })],
  ['a length of zero', rawFrame({ length: 0 })],
  ['a length below the header word', rawFrame({ length: 3 })],
  ['a length over the maximum', rawFrame({ length: 16_777_216 - 3 })],
  ['the greatest length', rawFrame({ length: 0x7fffffff })],
  ['a header longer than its frame', rawFrame({ length: 100, header: 97 })],
  ['a header of a megabyte and more', rawFrame({ length: 4_000_000, header: 1024 * 1024 + 1 })],
  ['an unknown serialize type', rawFrame({ length: 100, type: 2 })],
  ['a TLS hello', Buffer.from('16030100c8010000c4', 'hex')],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
])('%s is refused, in one piece or byte by byte', (_, bytes) => {
  expect(() => setUp().feed(bytes)).toThrow(FrameError)
  const { feed } = setUp()
  expect(() => {
    for (const byte of bytes) feed(Buffer.of(byte))
  }).toThrow(FrameError)
})

test('a lying length prefix is refused before the fifth byte', () => {
  expect(() => setUp().feed(Buffer.from('7fffffff', 'hex'))).toThrow(FrameError)
})

test('the longest frame passes', () => {
  const { sink, feed } = setUp()
  const frame = Buffer.concat([rawFrame({ length: 16_777_212 }), Buffer.alloc(16_777_208, 5)])
  for (let at = 0; at < frame.length; at += 262_144) feed(frame.subarray(at, at + 262_144))
  expect(sink.frames[0]!.length).toBe(16_777_212)
  expect(sink.frames[0]!.equals(withoutPrefix(frame))).toBe(true)
})

test('memory follows the bytes that arrive, not the length that is claimed', () => {
  const { allowance, feed } = setUp()
  feed(rawFrame({ length: 16_000_000 }))
  expect(allowance.used).toBeLessThanOrEqual(256)
  feed(Buffer.alloc(10_000))
  expect(allowance.used).toBeLessThanOrEqual(20_100)
})

test('the bytes of incomplete frames are bounded over all connections', () => {
  const allowance = new Allowance(1000)
  const start = Buffer.concat([rawFrame({ length: 5000 }), Buffer.alloc(600)])
  new FrameCutter(new Collector(), allowance).feed(start, start.length, 1)
  const second = new FrameCutter(new Collector(), allowance)
  expect(() => second.feed(start, start.length, 1)).toThrow(/incomplete frames/)
})

test('closing gives the bytes of an incomplete frame back', () => {
  const { cutter, allowance, feed } = setUp()
  feed(frameOf(1).subarray(0, 20))
  expect(allowance.used).toBeGreaterThan(0)
  cutter.close()
  expect(allowance.used).toBe(0)
})

test('a pause within a chunk holds the frames after it back until resume', () => {
  const { sink, cutter, allowance, feed } = setUp()
  sink.onTake = () => cutter.pause()
  const frames = [frameOf(1), frameOf(2), frameOf(3)]
  feed(Buffer.concat([...frames, frameOf(4).subarray(0, 9)]))
  expect(sink.frames).toHaveLength(1)
  cutter.resume(2)
  expect(sink.frames).toHaveLength(2)
  sink.onTake = () => undefined
  cutter.resume(3)
  expect(sink.frames).toEqual(frames.map(withoutPrefix))
  feed(frameOf(4).subarray(9))
  expect(sink.frames).toHaveLength(4)
  expect(allowance.used).toBe(0)
})

test('a pause taken back within onFrame changes nothing', () => {
  const { sink, cutter, feed } = setUp()
  sink.onTake = () => {
    cutter.pause()
    cutter.resume(1)
  }
  feed(Buffer.concat([frameOf(1), frameOf(2)]))
  expect(sink.frames).toHaveLength(2)
})

test('nothing is handed out after a close within onFrame', () => {
  const { sink, cutter, allowance, feed } = setUp()
  sink.onTake = () => cutter.close()
  feed(Buffer.concat([frameOf(1), frameOf(2), frameOf(3).subarray(0, 9)]))
  expect(sink.frames).toHaveLength(1)
  expect(allowance.used).toBe(0)
})

test('it says since when a frame is incomplete, and starts anew with the next one', () => {
  const { cutter, feed } = setUp()
  feed(frameOf(1).subarray(0, 9), 1000)
  feed(frameOf(1).subarray(9, 12), 2000)
  expect(cutter.waitingSince).toBe(1000)
  feed(Buffer.concat([frameOf(1).subarray(12), frameOf(2).subarray(0, 5)]), 3000)
  expect(cutter.waitingSince).toBe(3000)
  feed(frameOf(2).subarray(5), 4000)
  expect(cutter.waitingSince).toBe(0)
})

test('an incomplete frame is nobody to wait for while paused', () => {
  const { cutter, feed } = setUp()
  feed(frameOf(1).subarray(0, 9), 1000)
  cutter.pause()
  expect(cutter.waitingSince).toBe(0)
  cutter.resume(5000)
  expect(cutter.waitingSince).toBe(5000)
})
