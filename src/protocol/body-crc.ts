import { crc32 } from 'node:zlib'

/** CRC-32 without its top bit: of a message's stored body, and of a registration's. Never negative in Java. */
export function bodyCrc(body: Uint8Array): number {
  return crc32(body) & 0x7fffffff
}
