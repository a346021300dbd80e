import { Buffer } from 'node:buffer'
import type { RingRecord } from '../../src/ring/byte-ring.ts'

const LENGTHS = 301

/** The nth record between two threads: it says itself what it must be. */
export function ringRecord(nth: number): RingRecord {
  return { type: nth, first: ~nth, second: nth * 3, payload: ringPayload(nth) }
}

export function ringPayload(nth: number): Uint8Array {
  return Buffer.alloc((nth * 7) % LENGTHS, nth & 255)
}

/** Throws when it is not the nth, or not whole. */
export function checkRing({ type, first, second, payload }: RingRecord, nth: number): void {
  const isRight = type === nth && first === ~nth && second === nth * 3
  if (isRight && Buffer.compare(payload, ringPayload(nth)) === 0) return
  throw new Error(`record ${nth} is ${JSON.stringify({ type, first, second, payload })}`)
}
