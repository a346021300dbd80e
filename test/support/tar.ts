import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const BLOCK = 512
/** Offset and length of one piece of a sparse file, 12 octal digits each. */
const PIECE = 24
const Type = { DIRECTORY: 0x35, LONG_NAME: 0x4c, SPARSE: 0x53 } as const

/** Unpacks a GNU tar below `folder`: files (sparse ones too), directories and names of any length. */
export function unpackTar(tar: Buffer, folder: string): void {
  let longName = ''
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + BLOCK)
    const length = octal(header, 124, 12)
    const type = header[156]
    const path = join(folder, longName || text(header, 0, 100))
    const content = at + BLOCK + (type === Type.SPARSE ? extraBlocks(tar, at) * BLOCK : 0)
    const bytes = tar.subarray(content, content + length)
    longName = type === Type.LONG_NAME ? text(bytes, 0, length) : ''
    if (type === Type.DIRECTORY) mkdirSync(path, { recursive: true })
    else if (type !== Type.LONG_NAME)
      write(path, type === Type.SPARSE ? expand(tar, at, bytes) : bytes)
    at = content + Math.ceil(length / BLOCK) * BLOCK
  }
}

function write(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

/** A sparse header has room for 4 pieces, each further block for 21 and a flag that says if one follows. */
function extraBlocks(tar: Buffer, header: number): number {
  let count = 0
  if (tar[header + 482] === 0) return 0
  do count++
  while (tar[header + count * BLOCK + 504] !== 0)
  return count
}

function expand(tar: Buffer, header: number, packed: Buffer): Buffer {
  const whole = Buffer.alloc(octal(tar, header + 483, 12))
  let from = 0
  for (const at of piecesOf(tar, header)) {
    const length = octal(tar, at + 12, 12)
    packed.copy(whole, octal(tar, at, 12), from, from + length)
    from += length
  }
  return whole
}

function piecesOf(tar: Buffer, header: number): number[] {
  const pieces = Array.from({ length: 4 }, (_, nth) => header + 386 + nth * PIECE)
  for (let block = 1; block <= extraBlocks(tar, header); block++) {
    for (let nth = 0; nth < 21; nth++) pieces.push(header + block * BLOCK + nth * PIECE)
  }
  return pieces.filter((at) => tar[at] !== 0)
}

function octal(bytes: Buffer, at: number, length: number): number {
  return Number.parseInt(text(bytes, at, length).trim() || '0', 8)
}

/** Up to the first zero byte. */
function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.indexOf(0, at)
  return bytes.toString('utf8', at, end === -1 || end > at + length ? at + length : end)
}
