/**
 * Reads an LZ4 frame, which Node has no function for. Source: the LZ4 frame and block format
 * descriptions 1.6.
 *
 *   04 22 4D 18 | FLG | BD | content size u64? | checksum u8 | blocks | 0 u32 | checksum u32?
 *   block: length u32, its top bit set when stored as it is | bytes | checksum u32?
 *
 * Little-endian. Checksums are skipped: the message carries a CRC of these very bytes.
 */
const MAGIC = 0x184d2204
const HAS_BLOCK_CHECKSUM = 0x10,
  HAS_CONTENT_SIZE = 0x08,
  HAS_DICTIONARY = 0x01
const STORED = 0x80000000

export class Lz4Error extends Error {
  override name = 'Lz4Error'
}

/** Throws Lz4Error when the frame is damaged or would give more than `lengthMax` bytes. */
export function decodeLz4Frame(frame: Uint8Array, lengthMax: number): Buffer {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const output = new Lz4Output(lengthMax)
  try {
    decodeBlocks(frame, view, output)
  } catch (error) {
    if (error instanceof RangeError) throw new Lz4Error('the LZ4 frame ends too early')
    throw error
  }
  return output.bytes()
}

function decodeBlocks(frame: Uint8Array, view: DataView, output: Lz4Output): void {
  if (view.getUint32(0, true) !== MAGIC) throw new Lz4Error('this is no LZ4 frame')
  const flags = view.getUint8(4)
  if ((flags & HAS_DICTIONARY) !== 0) throw new Lz4Error('LZ4 dictionaries are not supported')
  const afterBlock = (flags & HAS_BLOCK_CHECKSUM) === 0 ? 0 : 4
  let at = (flags & HAS_CONTENT_SIZE) === 0 ? 7 : 15
  for (let word = view.getUint32(at, true); word !== 0; word = view.getUint32(at, true)) {
    const start = at + 4
    const end = start + (word & ~STORED)
    if (end > frame.length) throw new Lz4Error('an LZ4 block ends too early')
    if (word >= STORED) output.append(frame, start, end)
    else decodeBlock(frame, start, end, output)
    at = end + afterBlock
  }
}

/** Sequences: lengths in 4 + 4 bits | more length | literals | distance u16 | more length */
function decodeBlock(block: Uint8Array, start: number, end: number, output: Lz4Output): void {
  let at = start
  /** A length of 15 goes on in the bytes behind it, as long as they are 255. */
  const length = (nibble: number): number => {
    let sum = nibble
    for (let more = nibble === 15 ? 255 : 0; more === 255; sum += more) more = block[at++] ?? 0
    return sum
  }
  while (at < end) {
    const token = block[at++]!
    const literals = length(token >> 4)
    if (literals > end - at) throw new Lz4Error('LZ4 literals end too early')
    output.append(block, at, at + literals)
    at += literals
    if (at >= end) return // the last sequence has no match
    const distance = block[at]! | ((block[at + 1] ?? 0) << 8)
    at += 2
    output.repeat(distance, length(token & 15) + 4)
  }
}

/** What is decoded so far, which matches refer back into. Doubles as it fills, up to its bound. */
class Lz4Output {
  readonly #lengthMax: number
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #length = 0

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  append(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    this.#bytes.set(source.subarray(start, end), this.#length)
    this.#length += end - start
  }

  /**
   * The source may reach into what is being written: `distance` 1 repeats one byte. So byte by
   * byte.
   */
  repeat(distance: number, count: number): void {
    if (distance === 0 || distance > this.#length) throw new Lz4Error('an LZ4 match has no source')
    this.#reserve(count)
    const bytes = this.#bytes
    const end = this.#length + count
    for (let at = this.#length; at < end; at++) bytes[at] = bytes[at - distance]!
    this.#length = end
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed > this.#lengthMax)
      throw new Lz4Error(`more than ${this.#lengthMax} bytes in an LZ4 frame`)
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.bytes())
    this.#bytes = grown
  }
}
