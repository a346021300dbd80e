import { deflate, deflateSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { promisify } from 'node:util'
import { MessageFlag } from '../protocol/message.ts'
import { ClientError } from './client-error.ts'
import { decodeLz4Frame } from './lz4-frame.ts'

/** Apache's producers compress from here on (`compressMsgBodyOverHowmuch`), at this level. */
export const COMPRESS_FROM = 4096
const LEVEL = 5
const ZLIB = MessageFlag.COMPRESSED | MessageFlag.COMPRESSION_ZLIB

/** Larger bodies are compressed on another thread: this many bytes take about 2 ms. */
const SYNC_MAX = 128 * 1024

/**
 * What a compressed body may become: a few kilobytes from the network must not claim the whole
 * memory.
 */
const INFLATED_MAX = 64 * 1024 * 1024

const deflateAside = promisify(deflate)

/**
 * The body as it is sent, and the bits of sysFlag that say so. A body that compression makes no
 * smaller stays.
 */
export async function compressBody(
  body: Uint8Array,
): Promise<{ body: Uint8Array; sysFlag: number }> {
  if (body.length < COMPRESS_FROM) return { body, sysFlag: 0 }
  const options = { level: LEVEL }
  const isShort = body.length <= SYNC_MAX
  const packed = isShort ? deflateSync(body, options) : await deflateAside(body, options)
  return packed.length < body.length ? { body: packed, sysFlag: ZLIB } : { body, sysFlag: 0 }
}

/** Throws when the body is damaged or becomes too large. */
export function decompressBody(body: Uint8Array, sysFlag: number): Uint8Array {
  const limits = { maxOutputLength: INFLATED_MAX }
  switch (sysFlag & MessageFlag.COMPRESSION_MASK) {
    case 0: // clients before 4.9.3 do not say
    case MessageFlag.COMPRESSION_ZLIB:
      return inflateSync(body, limits)
    case MessageFlag.COMPRESSION_ZSTD:
      return zstdDecompressSync(body, limits)
    case MessageFlag.COMPRESSION_LZ4:
      return decodeLz4Frame(body, INFLATED_MAX)
    default:
      throw new ClientError(`a body is compressed in a way unknown here, sysFlag ${sysFlag}`)
  }
}
