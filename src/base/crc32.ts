import { crc32 as nativeCrc32 } from 'node:zlib'

/** Up to here a table beats the call into C++ and the view it needs (bench/micro, checksums). */
const TABLE_MAX = 64

const TABLES = makeTables()

/** CRC-32 (IEEE, as zlib's) of `bytes[at, at + length)`, as an int32. */
export function crc32(bytes: Uint8Array, at: number, length: number): number {
  if (length > TABLE_MAX) return nativeCrc32(bytes.subarray(at, at + length)) | 0
  const end = at + length
  const fourEnd = at + (length & ~3)
  let crc = -1
  let i = at
  for (; i < fourEnd; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    crc =
      TABLES[768 + (crc & 255)]! ^
      TABLES[512 + ((crc >>> 8) & 255)]! ^
      TABLES[256 + ((crc >>> 16) & 255)]! ^
      TABLES[crc >>> 24]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]!) & 255]!
  return ~crc
}

/** Four tables of 256: the effect of a byte with 0 to 3 bytes behind it. */
function makeTables(): Int32Array {
  const tables = new Int32Array(1024)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0)
    tables[byte] = crc
  }
  for (let i = 256; i < 1024; i++) {
    const before = tables[i - 256]!
    tables[i] = (before >>> 8) ^ tables[before & 255]!
  }
  return tables
}
