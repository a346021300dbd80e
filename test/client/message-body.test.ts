import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Lz4Error, decodeLz4Frame } from '../../src/client/lz4-frame.ts'
import { compressBody, decompressBody } from '../../src/client/message-body.ts'
import { MessageFlag } from '../../src/protocol/message.ts'

/** The same text, compressed by Apache's client in each of its ways. */
const golden = JSON.parse(
  readFileSync(new URL('compressed-bodies.json', import.meta.url), 'utf8'),
) as { length: number; LZ4: string; ZSTD: string; ZLIB: string }
const lz4 = Buffer.from(golden.LZ4, 'base64')

const lines = Array.from({ length: 200 }, (_, i) => {
  return `order ${i} of customer ${(i * 7) % 13}${i % 5 === 0 ? ' is paid; ' : ' waits; '}`
})
const text = lines.join('')

test.each([
  ['LZ4', MessageFlag.COMPRESSION_LZ4],
  ['ZSTD', MessageFlag.COMPRESSION_ZSTD],
  ['ZLIB', MessageFlag.COMPRESSION_ZLIB],
] as const)('a body that Apache compressed with %s is read', (name, flag) => {
  const packed = Buffer.from(golden[name], 'base64')
  const body = decompressBody(packed, MessageFlag.COMPRESSED | flag)
  expect(body).toHaveLength(golden.length)
  expect(Buffer.from(body).toString()).toBe(text)
})

test('a compressed body of an old client, which does not say how, is zlib', () => {
  const packed = Buffer.from(golden.ZLIB, 'base64')
  expect(Buffer.from(decompressBody(packed, MessageFlag.COMPRESSED)).toString()).toBe(text)
})

test('an unknown way to compress is an error', () => {
  expect(() => decompressBody(lz4, MessageFlag.COMPRESSED | 0x400)).toThrow(/unknown.*1025/)
})

test('our own compressed bodies come back, small and large', async () => {
  for (const size of [4096, 1_000_000]) {
    const { body, sysFlag } = await compressBody(Buffer.alloc(size, 'abc'))
    expect(body.length).toBeLessThan(size)
    expect(Buffer.from(decompressBody(body, sysFlag))).toEqual(Buffer.alloc(size, 'abc'))
  }
})

test('a body that does not get smaller is sent as it is', async () => {
  const random = crypto.getRandomValues(new Uint8Array(5000))
  expect(await compressBody(random)).toEqual({ body: random, sysFlag: 0 })
})

test('no shorter LZ4 frame decodes', () => {
  for (let length = 0; length < lz4.length; length++) {
    expect(() => decodeLz4Frame(lz4.subarray(0, length), 1 << 20)).toThrow(Lz4Error)
  }
})

test('an LZ4 frame with a bit turned over gives an error or other bytes, and never hangs', () => {
  for (let at = 0; at < lz4.length; at++) {
    const damaged = Buffer.from(lz4)
    damaged[at]! ^= 1 << (at % 8)
    try {
      expect(decodeLz4Frame(damaged, 1 << 20).length).toBeLessThanOrEqual(1 << 20)
    } catch (error) {
      expect(error).toBeInstanceOf(Lz4Error)
    }
  }
})

test('an LZ4 frame cannot claim more memory than allowed', () => {
  expect(() => decodeLz4Frame(lz4, 1000)).toThrow(/more than 1000 bytes/)
})
