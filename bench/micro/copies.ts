import { repeated, type MicroCase, type MicroSuite } from './suite.ts'

const SIZES = [64, 128, 306, 1024, 4096, 65_536]
/** Above this a loop over bytes is no contestant. */
const LOOP_MAX = 1024
/** Targets move through a stretch that is larger than the second-level cache, as a log's end does. */
const STRETCH = 8 * 2 ** 20

/**
 * V8 copies into shared memory with a race-safe move that is slower than the plain one; which call takes
 * which way differs by Node version. The log window must use the quicker one.
 */
export function copies(): MicroSuite {
  const shared = Buffer.from(new SharedArrayBuffer(STRETCH))
  const cases = SIZES.flatMap((size) => casesOf(size, Buffer.alloc(size, 'x'), shared))
  return { name: 'copies', question: 'copying into shared memory', cases }
}

function casesOf(size: number, source: Buffer, shared: Buffer): MicroCase[] {
  const plain = Buffer.alloc(STRETCH)
  const slots = Math.floor(STRETCH / size)
  const at = (repeat: number): number => (repeat % slots) * size
  const cases = [
    repeated(`${size} B: Buffer.copy`, (n) => source.copy(shared, at(n)), size),
    repeated(`${size} B: TypedArray.set`, (n) => set(shared, source, at(n)), size),
    repeated(`${size} B: TypedArray.set, not shared`, (n) => set(plain, source, at(n)), size),
  ]
  if (size > LOOP_MAX) return cases
  return [...cases, repeated(`${size} B: loop`, (n) => loop(shared, source, at(n)), size)]
}

function set(target: Buffer, source: Buffer, at: number): number {
  target.set(source, at)
  return source.length
}

function loop(target: Buffer, source: Buffer, at: number): number {
  const { length } = source
  for (let i = 0; i < length; i++) target[at + i] = source[i]!
  return length
}
