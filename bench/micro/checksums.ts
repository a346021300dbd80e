import { crc32 } from 'node:zlib'
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import { repeated, type MicroSuite } from './suite.ts'

const SIZES = [16, 128, 1024, 4096, 65_536]

/** Every body is summed once, before the append lock is taken. */
export function checksums(): MicroSuite {
  const cases = SIZES.flatMap((size) => {
    const plain = Buffer.alloc(size, 'x')
    const shared = Buffer.from(new SharedArrayBuffer(size)).fill('x')
    return [
      repeated(`${size} B: zlib.crc32`, () => crc32(plain), size),
      repeated(`${size} B: zlib.crc32, shared`, () => crc32(shared), size),
      repeated(`${size} B: bodyCrc`, () => bodyCrc(plain), size),
    ]
  })
  return { name: 'checksums', question: 'CRC-32 of a body', cases }
}
