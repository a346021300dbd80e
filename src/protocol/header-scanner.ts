import { readInt64 } from './fields.ts'
import { SerializeType } from './frame.ts'
import { unescapeJson } from './json-quote.ts'

/**
 * Finds the fields of a header where they stand in the frame, in both encodings, without making an
 * object or a string: for the requests that arrive hundreds of thousands of times a second.
 *
 * It takes what the known clients send. Anything else (white space, a nested value, a number where a
 * string belongs, text after text) makes `scan` say false, and the caller decodes the slow way.
 */

/** A field's name, prepared for look-up. */
export class HeaderKey {
  readonly bytes: Buffer
  readonly slot: number

  constructor(name: string) {
    this.bytes = Buffer.from(name)
    this.slot = slotOf(this.bytes, 0, this.bytes.length)
  }
}

const SLOTS = 64
const FIELDS_MAX = 48

/** Names of real headers differ in length, first or last letter. */
function slotOf(bytes: Uint8Array, at: number, length: number): number {
  return (length * 5 + bytes[at]! * 3 + bytes[at + length - 1]! * 7) & (SLOTS - 1)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const MINUS = 0x2d
const PLUS = 0x2b
const DOLLAR = 0x24
/** What may follow a backslash, besides `u` and four hex digits. */
const SHORT_ESCAPES = Buffer.from(`"\\/'btnfr`)

/** Members of the header whose values count here. */
const MEMBER = {
  code: Buffer.from('code'),
  opaque: Buffer.from('opaque'),
  flag: Buffer.from('flag'),
  version: Buffer.from('version'),
  extFields: Buffer.from('extFields'),
}

export class HeaderScanner {
  code = 0
  version = 0
  opaque = 0
  flag = 0
  serializeType: SerializeType = SerializeType.JSON
  bodyAt = 0
  bodyLength = 0
  /** The frame that was scanned last; results point into it. */
  bytes: Buffer = Buffer.alloc(0)
  readonly #slots = new Int8Array(SLOTS)
  readonly #keyAt = new Int32Array(FIELDS_MAX)
  readonly #keyLength = new Int32Array(FIELDS_MAX)
  readonly #valueAt = new Int32Array(FIELDS_MAX)
  readonly #valueLength = new Int32Array(FIELDS_MAX)
  readonly #isEscaped = new Uint8Array(FIELDS_MAX)
  #count = 0
  #hasExtFields = false
  #at = 0
  #end = 0

  /** `bytes[start, end)` is a frame without its length prefix. False: decode it the slow way. */
  scan(bytes: Buffer, start: number, end: number): boolean {
    this.bytes = bytes
    const headerLength = (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!
    this.bodyAt = start + 4 + headerLength
    this.bodyLength = end - this.bodyAt
    if (this.bodyLength < 0) return false
    this.#count = 0
    this.#slots.fill(-1)
    this.#at = start + 4
    this.#end = this.bodyAt
    if (bytes[start] === SerializeType.JSON) return this.#scanJson()
    return bytes[start] === SerializeType.ROCKETMQ && this.#scanBinary()
  }

  /** Index of the field's value, to be given to the readers below; -1 without it. */
  find(key: HeaderKey): number {
    const first = this.#slots[key.slot]!
    if (first >= 0 && this.#isKey(first, key)) return first
    for (let index = this.#count - 1; index >= 0; index--) if (this.#isKey(index, key)) return index
    return -1
  }

  valueAt(index: number): number {
    return this.#valueAt[index]!
  }

  valueLength(index: number): number {
    return this.#valueLength[index]!
  }

  /** The value holds JSON escapes: use `unescape` or `text`. */
  isEscaped(index: number): boolean {
    return this.#isEscaped[index] === 1
  }

  /** A decimal integer; NaN when the field is missing or is none. */
  integer(key: HeaderKey): number {
    const index = this.find(key)
    if (index === -1) return NaN
    return parseInteger(this.bytes, this.#valueAt[index]!, this.#valueLength[index]!)
  }

  /** The value as text; undefined when it is missing or empty. */
  text(key: HeaderKey): string | undefined {
    const index = this.find(key)
    if (index === -1 || this.#valueLength[index] === 0) return undefined
    const at = this.#valueAt[index]!
    const text = this.bytes.toString('utf8', at, at + this.#valueLength[index]!)
    return this.isEscaped(index) ? unescapeJson(text) : text
  }

  /** Writes the value without its JSON escapes to `target`, which is long enough; returns its length. */
  unescape(index: number, target: Buffer): number {
    const { bytes } = this
    const end = this.#valueAt[index]! + this.#valueLength[index]!
    let length = 0
    for (let at = this.#valueAt[index]!; at < end; at++) {
      if (bytes[at] !== BACKSLASH) {
        target[length++] = bytes[at]!
      } else if (isControlEscape(bytes, at)) {
        target[length++] = hexDigit(bytes[at + 5]!)
        at += 5
      } else {
        return this.#unescapeAll(index, target)
      }
    }
    return length
  }

  #unescapeAll(index: number, target: Buffer): number {
    const at = this.#valueAt[index]!
    const text = this.bytes.toString('utf8', at, at + this.#valueLength[index]!)
    return target.write(unescapeJson(text))
  }

  #isKey(index: number, { bytes }: HeaderKey): boolean {
    return this.#isName(this.#keyAt[index]!, this.#keyLength[index]!, bytes)
  }

  #isName(at: number, length: number, name: Buffer): boolean {
    if (length !== name.length) return false
    for (let i = 0; i < length; i++) if (this.bytes[at + i] !== name[i]) return false
    return true
  }

  #addField(keyAt: number, keyLength: number, valueAt: number, valueLength: number): boolean {
    if (keyLength === 0) return true // no name: nobody can ask for it
    if (this.#count === FIELDS_MAX) return false
    const index = this.#count++
    this.#keyAt[index] = keyAt
    this.#keyLength[index] = keyLength
    this.#valueAt[index] = valueAt
    this.#valueLength[index] = valueLength
    this.#isEscaped[index] = 0
    this.#slots[slotOf(this.bytes, keyAt, keyLength)] = index
    return true
  }

  // The binary header: framing.md, or Apache 5.3.3, RocketMQSerializable.

  #scanBinary(): boolean {
    const { bytes } = this
    const at = this.#at
    if (this.#end - at < 21) return false
    this.serializeType = SerializeType.ROCKETMQ
    this.code = bytes.readInt16BE(at)
    this.version = bytes.readInt16BE(at + 3)
    this.opaque = int32At(bytes, at + 5)
    this.flag = int32At(bytes, at + 9)
    const remarkLength = int32At(bytes, at + 13)
    const fieldsAt = at + 21 + remarkLength
    if (remarkLength < 0 || fieldsAt > this.#end) return false
    const fieldsEnd = fieldsAt + int32At(bytes, fieldsAt - 4)
    if (fieldsEnd < fieldsAt || fieldsEnd > this.#end) return false
    return this.#scanBinaryFields(fieldsAt, fieldsEnd)
  }

  #scanBinaryFields(from: number, end: number): boolean {
    const { bytes } = this
    let at = from
    while (at < end) {
      if (at + 2 > end) return false
      const keyLength = (bytes[at]! << 8) | bytes[at + 1]!
      const keyAt = at + 2
      const valueAt = keyAt + keyLength + 4
      // Apache reads it as signed: what is longer is no key of ours.
      if (keyLength > 0x7fff || valueAt > end) return false
      const valueLength = int32At(bytes, valueAt - 4)
      if (valueLength < 0 || valueAt + valueLength > end) return false
      if (!this.#addField(keyAt, keyLength, valueAt, valueLength)) return false
      at = valueAt + valueLength
    }
    return true
  }

  // The JSON header, as all known clients write it: compact, one level of extFields.

  #scanJson(): boolean {
    this.serializeType = SerializeType.JSON
    this.code = -1
    this.opaque = 0
    this.flag = 0
    this.version = 0
    this.#hasExtFields = false
    if (this.bytes[this.#at++] !== OPEN) return false
    do {
      if (!this.#scanMember()) return false
    } while (this.#take(COMMA))
    return this.#take(CLOSE) && this.#at === this.#end && this.code >= 0
  }

  #take(byte: number): boolean {
    if (this.bytes[this.#at] !== byte || this.#at >= this.#end) return false
    this.#at++
    return true
  }

  #scanMember(): boolean {
    const keyAt = this.#at + 1
    const keyLength = this.#scanString()
    if (keyLength < 0 || !this.#take(COLON)) return false
    const first = this.bytes[keyAt]!
    if (first === MEMBER.extFields[0]) {
      return this.#isName(keyAt, keyLength, MEMBER.extFields) && this.#scanExtFields()
    }
    if (this.bytes[this.#at] === QUOTE) return this.#skipText(first)
    return this.#scanNumber(keyAt, keyLength)
  }

  /** `language` and `serializeTypeCurrentRPC` are text and not needed; a remark would be, so no. */
  #skipText(first: number): boolean {
    return (first === 0x6c || first === 0x73) && this.#scanString() >= 0
  }

  #scanNumber(keyAt: number, keyLength: number): boolean {
    const at = this.#at
    while (isDigit(this.bytes[this.#at]!) || this.bytes[this.#at] === MINUS) this.#at++
    const value = parseInteger(this.bytes, at, this.#at - at)
    if (value !== (value | 0)) return false
    if (this.#isName(keyAt, keyLength, MEMBER.code)) this.code = value
    else if (this.#isName(keyAt, keyLength, MEMBER.opaque)) this.opaque = value
    else if (this.#isName(keyAt, keyLength, MEMBER.flag)) this.flag = value
    else if (this.#isName(keyAt, keyLength, MEMBER.version)) this.version = value
    else return false
    return true
  }

  #scanExtFields(): boolean {
    if (this.#hasExtFields || !this.#take(OPEN)) return false
    this.#hasExtFields = true
    if (this.#take(CLOSE)) return true
    do {
      if (!this.#scanField()) return false
    } while (this.#take(COMMA))
    return this.#take(CLOSE)
  }

  #scanField(): boolean {
    const keyAt = this.#at + 1
    const keyLength = this.#scanString()
    if (keyLength < 0 || !this.#take(COLON)) return false
    if (this.bytes[keyAt] === DOLLAR) return false // fastjson's `$ref` stands for something else
    const valueAt = this.#at + 1
    const valueLength = this.#scanString()
    if (valueLength < 0) {
      // Text with escapes: keys never have any.
      this.#at = valueAt - 1
      const escapedLength = this.#scanEscapedString()
      if (escapedLength < 0) return false
      if (!this.#addField(keyAt, keyLength, valueAt, escapedLength)) return false
      if (keyLength > 0) this.#isEscaped[this.#count - 1] = 1
      return true
    }
    return this.#addField(keyAt, keyLength, valueAt, valueLength)
  }

  /** Length of the string at `#at`, and goes behind it; -1 when it has escapes or is none. */
  #scanString(): number {
    const { bytes } = this
    if (bytes[this.#at] !== QUOTE) return -1
    const from = this.#at + 1
    let at = from
    while (at < this.#end && bytes[at] !== QUOTE) {
      if (bytes[at] === BACKSLASH) return -1
      at++
    }
    if (at >= this.#end) return -1
    this.#at = at + 1
    return at - from
  }

  #scanEscapedString(): number {
    const { bytes } = this
    if (bytes[this.#at] !== QUOTE) return -1
    const from = this.#at + 1
    let at = from
    while (at < this.#end && bytes[at] !== QUOTE) {
      const length = bytes[at] === BACKSLASH ? escapeLength(bytes, at) : 1
      if (length === 0) return -1
      at += length
    }
    if (at >= this.#end) return -1
    this.#at = at + 1
    return at - from
  }
}

function parseLong(text: string): number {
  const value = readInt64(text)
  return value === undefined ? NaN : Number(value)
}

/** What `readInt32BE` does, without its checks: `at` lies within. */
function int32At(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** `\u0001` … `\u0009`: how JSON writes the separators of properties. */
function isControlEscape(bytes: Buffer, at: number): boolean {
  return (
    bytes[at + 1] === 0x75 &&
    bytes[at + 2] === 0x30 &&
    bytes[at + 3] === 0x30 &&
    bytes[at + 4] === 0x30 &&
    isDigit(bytes[at + 5]!)
  )
}

/** Bytes of the escape at `at`; 0 when it is none that a reader of JSON knows. */
function escapeLength(bytes: Buffer, at: number): number {
  if (bytes[at + 1] !== 0x75) return SHORT_ESCAPES.includes(bytes[at + 1]!) ? 2 : 0
  for (let i = at + 2; i < at + 6; i++) if (!isHexDigit(bytes[i]!)) return 0
  return 6
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}

function hexDigit(byte: number): number {
  return byte - 0x30
}

/** Decimal int64, with a sign perhaps, as the nearest number; NaN when it is none. */
function parseInteger(bytes: Buffer, at: number, length: number): number {
  const isNegative = bytes[at] === MINUS
  const from = isNegative || bytes[at] === PLUS ? at + 1 : at
  const end = at + length
  if (from >= end || end - from > 19) return NaN
  // Nanoseconds of Go clients: beyond 2^53, to be rounded as `Number` rounds everywhere else.
  if (end - from > 15) return parseLong(bytes.toString('latin1', at, end))
  let value = 0
  for (let i = from; i < end; i++) {
    if (!isDigit(bytes[i]!)) return NaN
    value = value * 10 + (bytes[i]! - 0x30)
  }
  return isNegative ? 0 - value : value
}
