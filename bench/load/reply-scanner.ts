import { SERIALIZE_TYPE } from './wire.ts'

const CODE = Buffer.from('"code":')
const OPAQUE = Buffer.from('"opaque":')
const MINUS = 45
const DIGIT_0 = 48
const DIGIT_9 = 57

/**
 * Reads code and opaque of a reply where it lies, without allocating: this runs once per message.
 *
 * A broker writes its JSON keys in one order, so `code` is found at the same distance from the header's
 * start as last time and `opaque` at the same distance from its end; when not, it is searched for. A
 * quote inside a JSON string is escaped, so the quoted keys cannot be met inside one.
 */
export class ReplyScanner {
  code = 0
  opaque = 0
  /** Where the body begins: an index into the scanned bytes. */
  bodyStart = 0
  #codeFromStart = 1
  #opaqueFromEnd = 0

  /** Scans the frame whose length prefix is at `start`. Throws when a JSON header lacks a key. */
  scan(bytes: Buffer, start: number): void {
    const headerEnd = start + 8 + (bytes.readInt32BE(start + 4) & 0xffffff)
    this.bodyStart = headerEnd
    if (bytes[start + 4] === SERIALIZE_TYPE.json) this.#scanJson(bytes, start + 8, headerEnd)
    else {
      this.code = bytes.readInt16BE(start + 8)
      this.opaque = bytes.readInt32BE(start + 13)
    }
  }

  #scanJson(bytes: Buffer, start: number, end: number): void {
    const codeAt = find(bytes, start + this.#codeFromStart, CODE, start, end)
    this.#codeFromStart = codeAt - start
    this.code = readInteger(bytes, codeAt + CODE.length)
    const opaqueAt = find(bytes, end - this.#opaqueFromEnd, OPAQUE, start, end)
    this.#opaqueFromEnd = end - opaqueAt
    this.opaque = readInteger(bytes, opaqueAt + OPAQUE.length)
  }
}

/** Where `key` begins: at `guess`, else at the first place in [start, end). */
function find(bytes: Buffer, guess: number, key: Buffer, start: number, end: number): number {
  if (guess >= start && isAt(bytes, guess, key)) return guess
  const at = bytes.indexOf(key, start)
  if (at < 0 || at >= end) throw new Error(`a reply header without ${key.toString()}`)
  return at
}

function isAt(bytes: Buffer, at: number, key: Buffer): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false
  return true
}

function readInteger(bytes: Buffer, at: number): number {
  const negative = bytes[at] === MINUS
  let value = 0
  for (let i = negative ? at + 1 : at; isDigit(bytes[i]!); i++)
    value = value * 10 + bytes[i]! - DIGIT_0
  return negative ? -value : value
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9
}
