import type { Random } from '../sim/random.ts'

/** What disks, controllers and people do to files. */
export const MUTATIONS = ['bit flips', 'truncation', 'zeroed page', 'swapped pages'] as const
export type MutationKind = (typeof MUTATIONS)[number]

const PAGES = [512, 4096]
const FLIPS_MAX = 8

/** A copy that differs; null when the seed picked a change that changes nothing. */
export function mutate(bytes: Buffer, kind: MutationKind, random: Random): Buffer | null {
  if (bytes.length === 0) return null
  const changed = change(Buffer.from(bytes), kind, random)
  return changed.equals(bytes) ? null : changed
}

function change(bytes: Buffer, kind: MutationKind, random: Random): Buffer {
  switch (kind) {
    case 'bit flips':
      return flip(bytes, random)
    case 'truncation':
      return bytes.subarray(0, random.below(bytes.length))
    case 'zeroed page':
      return bytes.fill(0, ...pageOf(bytes, random.pick(PAGES), random))
    case 'swapped pages':
      return swap(bytes, random.pick(PAGES), random)
  }
}

/** Where something stands, nine times of ten: most of a file is zeros, and nobody reads them. */
function flip(bytes: Buffer, random: Random): Buffer {
  const count = random.oneIn(2) ? 1 : 1 + random.below(FLIPS_MAX)
  const used = random.oneIn(10) ? bytes.length : usedLength(bytes)
  for (let nth = 0; nth < count; nth++) bytes[random.below(used)]! ^= 1 << random.below(8)
  return bytes
}

function swap(bytes: Buffer, length: number, random: Random): Buffer {
  const [from, fromEnd] = pageOf(bytes, length, random)
  const [to] = pageOf(bytes, length, random)
  const first = Buffer.from(bytes.subarray(from, fromEnd))
  const second = Buffer.from(bytes.subarray(to, to + first.length))
  second.copy(bytes, from)
  first.copy(bytes, to)
  return bytes
}

function pageOf(bytes: Buffer, length: number, random: Random): [number, number] {
  const page = random.below(Math.ceil(usedLength(bytes) / length)) * length
  return [page, Math.min(bytes.length, page + length)]
}

/** Up to the last byte that is not zero; 1 at least. */
function usedLength(bytes: Buffer): number {
  let length = bytes.length
  while (length > 1 && bytes[length - 1] === 0) length--
  return length
}
