import { crc32 as nativeCrc32 } from 'node:zlib'

/** Up to here tables beat the call into C++ (bench/micro, checksums). */
const TABLE_MAX = 256

const TABLES = makeTables()

/** CRC-32 (IEEE, as zlib's) of bytes `[at, at + length)` of the view, as an int32. */
export function crc32(view: DataView, at: number, length: number): number {
  if (length > TABLE_MAX) {
    return nativeCrc32(new Uint8Array(view.buffer, view.byteOffset + at, length)) | 0
  }
  const end = at + length
  const eightEnd = at + (length & ~7)
  let crc = -1
  let i = at
  for (; i < eightEnd; i += 8) {
    crc = stepEight(crc ^ view.getInt32(i, true), view.getInt32(i + 4, true))
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ view.getUint8(i)) & 255]!
  return ~crc
}

function stepEight(first: number, second: number): number {
  return (
    TABLES[1792 + (first & 255)]! ^
    TABLES[1536 + ((first >>> 8) & 255)]! ^
    TABLES[1280 + ((first >>> 16) & 255)]! ^
    TABLES[1024 + (first >>> 24)]! ^
    TABLES[768 + (second & 255)]! ^
    TABLES[512 + ((second >>> 8) & 255)]! ^
    TABLES[256 + ((second >>> 16) & 255)]! ^
    TABLES[second >>> 24]!
  )
}

/** Eight tables of 256: the effect of a byte with 0 to 7 bytes behind it. */
function makeTables(): Int32Array {
  const tables = new Int32Array(2048)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0)
    tables[byte] = crc
  }
  for (let i = 256; i < 2048; i++) {
    const before = tables[i - 256]!
    tables[i] = (before >>> 8) ^ tables[before & 255]!
  }
  return tables
}
