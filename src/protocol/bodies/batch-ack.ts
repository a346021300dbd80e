import { body, int, list, optional, orElse, record, text } from '../json-shape.ts'
import type { BodyOf } from '../json-shape.ts'

/** Acknowledged messages of one check point. The names are Apache's short ones (5.3.3, BatchAck). */
const BatchAck = record({
  /** Bits of the offsets from `so` on, see `offsetsOfBits`. */
  b: text,
  /** The group. */
  c: text,
  /** Invisible time in ms. */
  it: int,
  /** Time of the pop. */
  pt: int,
  q: int,
  /** As in a receipt: whether it came from a retry topic. */
  r: orElse(text, '0'),
  /** Queue of the revive topic. */
  rq: int,
  /** Where the check point begins. */
  so: int,
  t: text,
})

export const BatchAckBody = body(
  'BatchAckMessageRequestBody',
  record({ acks: orElse(list(BatchAck), []), brokerName: optional(text) }),
)
export type BatchAckBody = BodyOf<typeof BatchAckBody>

/** Further bits are no offsets of one check point: those have 32. */
const BYTES_MAX = 64 * 1024

/**
 * Which bits are set, counted from 0: base64 of a Java BitSet, whose lowest bit comes first. No more of them
 * than `countMax`.
 */
export function bitsOf(base64: string, countMax = Infinity): number[] {
  const bytes = Buffer.from(base64.slice(0, BYTES_MAX), 'base64')
  const bits: number[] = []
  for (const [at, byte] of bytes.entries()) {
    for (let left = byte; left !== 0; left &= left - 1) {
      if (bits.length === countMax) return bits
      bits.push(at * 8 + 31 - Math.clz32(left & -left))
    }
  }
  return bits
}

export function bitsText(bits: readonly number[]): string {
  const bytes = Buffer.alloc((Math.max(-1, ...bits) >> 3) + 1)
  for (const bit of bits) bytes[bit >> 3]! |= 1 << (bit & 7)
  return bytes.toString('base64')
}
