import { javaHashCode } from '../base/java-hash.ts'

const KEY = Buffer.from('TAGS\u0001')
const PAIR_END = 2
const ASCII_END = 0x80

/**
 * The tags code of a record: Java's hash of property TAGS, 0 without one. Reads the properties as
 * they are stored (`name 0x01 value 0x02`, the last 0x02 may be missing).
 */
export function tagsCodeOf(bytes: Buffer, at: number, length: number): number {
  const end = at + length
  let pair = at
  while (pair < end) {
    if (isKey(bytes, pair, end)) return hashValue(bytes, pair + KEY.length, end)
    while (pair < end && bytes[pair] !== PAIR_END) pair++
    pair++
  }
  return 0
}

function isKey(bytes: Buffer, at: number, end: number): boolean {
  if (bytes[at] !== KEY[0] || at + KEY.length > end) return false
  for (let i = 1; i < KEY.length; i++) if (bytes[at + i] !== KEY[i]) return false
  return true
}

/** Over UTF-16 units: for ASCII these are the bytes. */
function hashValue(bytes: Buffer, at: number, end: number): number {
  let hash = 0
  for (let i = at; i < end && bytes[i] !== PAIR_END; i++) {
    if (bytes[i]! >= ASCII_END) return hashUtf8(bytes, at, end)
    hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  }
  return hash
}

function hashUtf8(bytes: Buffer, at: number, end: number): number {
  const next = bytes.subarray(at, end).indexOf(PAIR_END)
  return javaHashCode(bytes.toString('utf8', at, next === -1 ? end : at + next))
}
