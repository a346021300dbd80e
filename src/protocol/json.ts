/**
 * JSON as Java peers write it. Beyond the standard, fastjson 1.2 writes maps whose keys are numbers
 * or whole objects, unquoted: `{0:"a:1"}`, `{{"queueId":0,"topic":"t"}:5}`, and `{"$ref":"$.path"}`
 * where the same object comes again. All of that is read here; json-shape.ts writes it.
 *
 * What is read comes from the network: depth and size are bounded, no input can name a prototype.
 */
import { unescapeJson } from './json-quote.ts'
import { resolveReferences } from './json-reference.ts'
import { JsonError } from './json-value.ts'
import type { JsonKey, JsonLimits, JsonObject, JsonValue } from './json-value.ts'

export { JsonError } from './json-value.ts'
export type { JsonKey, JsonLimits, JsonObject, JsonValue } from './json-value.ts'

/** Room for all topics that fit into a frame of 16 MiB. */
const BODY_LIMITS: JsonLimits = { depth: 64, cells: 1 << 22 }

const ARRAY_CELLS = 4
const OBJECT_CELLS = 8
const NUMBER_LENGTH_MAX = 400
/** So many digits are exact in a number, however it is put together. */
const SHORT_DIGITS_MAX = 15
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const BRACKET_OPEN = 0x5b
const BACKSLASH = 0x5c
const BRACKET_CLOSE = 0x5d
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d

/** Throws JsonError. Strings are copies: none keeps `source` alive. */
export function parseJson(
  source: string | Uint8Array,
  limits: JsonLimits = BODY_LIMITS,
): JsonValue {
  const bytes =
    typeof source === 'string'
      ? Buffer.from(source)
      : Buffer.from(source.buffer, source.byteOffset, source.byteLength)
  const reader = new JsonReader(bytes, limits)
  const value = reader.document()
  return reader.sawReference ? resolveReferences(value, limits) : value
}

/** Over bytes, not text: a slice of a text would keep the whole text alive. */
class JsonReader {
  readonly #bytes: Buffer
  readonly #depthMax: number
  #cellsLeft: number
  #at = 0
  sawReference = false

  constructor(bytes: Buffer, limits: JsonLimits) {
    this.#bytes = bytes
    this.#depthMax = limits.depth
    this.#cellsLeft = limits.cells
  }

  document(): JsonValue {
    const value = this.#value(0)
    if (this.#peek() !== -1) throw this.#unexpected()
    return value
  }

  #value(depth: number): JsonValue {
    switch (this.#peek()) {
      case BRACE_OPEN:
        return this.#object(depth + 1)
      case BRACKET_OPEN:
        return this.#array(depth + 1)
      case QUOTE:
        this.#spend(1)
        return this.#string()
      default:
        this.#spend(1)
        return this.#word()
    }
  }

  #object(depth: number): JsonObject {
    this.#enter(depth, OBJECT_CELLS)
    const object: JsonObject = new Map()
    if (this.#accept(BRACE_CLOSE)) return object
    do {
      const key = this.#key(depth)
      if (!this.#accept(COLON)) throw this.#unexpected()
      object.set(key, this.#value(depth))
      if (key === '$ref') this.sawReference = true
    } while (this.#accept(COMMA))
    if (!this.#accept(BRACE_CLOSE)) throw this.#unexpected()
    return object
  }

  #array(depth: number): JsonValue[] {
    this.#enter(depth, ARRAY_CELLS)
    const array: JsonValue[] = []
    if (this.#accept(BRACKET_CLOSE)) return array
    do {
      array.push(this.#value(depth))
    } while (this.#accept(COMMA))
    if (!this.#accept(BRACKET_CLOSE)) throw this.#unexpected()
    return array
  }

  #key(depth: number): JsonKey {
    const byte = this.#peek()
    if (byte === QUOTE) return this.#string()
    if (byte === BRACE_OPEN) return this.#object(depth + 1)
    if (byte === MINUS || isDigit(byte)) return String(this.#number(this.#token()))
    throw this.#unexpected()
  }

  #string(): string {
    const start = this.#at + 1
    let end = start
    let escapes = false
    for (let byte = this.#bytes[end]; byte !== QUOTE; byte = this.#bytes[end]) {
      if (byte === undefined) throw new JsonError(`the string at ${start - 1} has no end`)
      if (byte === BACKSLASH) escapes = true
      end += byte === BACKSLASH ? 2 : 1
    }
    this.#at = end + 1
    const raw = this.#bytes.toString('utf8', start, end)
    return escapes ? unescapeJson(raw) : raw
  }

  #word(): JsonValue {
    const short = this.#shortInteger()
    if (short !== null) return short
    const token = this.#token()
    if (token === 'true') return true
    if (token === 'false') return false
    if (token === 'null') return null
    return this.#number(token)
  }

  /** The most common word by far, read without making a string of it; null when it is another one. */
  #shortInteger(): number | null {
    const start = this.#at
    const isNegative = this.#bytes[start] === MINUS
    let at = isNegative ? start + 1 : start
    const end = at + SHORT_DIGITS_MAX
    let value = 0
    for (let byte = this.#bytes[at]!; isDigit(byte) && at < end; byte = this.#bytes[++at]!) {
      value = value * 10 + (byte - ZERO)
    }
    if (at === start || isTokenByte(this.#bytes[at]) || this.#bytes[at - 1] === MINUS) return null
    this.#at = at
    return isNegative ? 0 - value : value
  }

  #number(token: string): number | bigint {
    if (/^-?\d+$/.test(token)) return integer(token)
    if (/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(token)) return Number(token)
    if (token === '') throw this.#unexpected()
    throw new JsonError(`${JSON.stringify(token)} before ${this.#at} is no value`)
  }

  /** The bytes up to the next blank, separator or bracket. */
  #token(): string {
    const start = this.#at
    while (isTokenByte(this.#bytes[this.#at]) && this.#at - start <= NUMBER_LENGTH_MAX) this.#at++
    if (this.#at - start > NUMBER_LENGTH_MAX)
      throw new JsonError(`the word at ${start} is too long`)
    return this.#bytes.toString('latin1', start, this.#at)
  }

  /** The next byte that is no blank, -1 at the end. Moves there, not past it. */
  #peek(): number {
    let at = this.#at
    while (isBlank(this.#bytes[at])) at++
    this.#at = at
    return this.#bytes[at] ?? -1
  }

  #accept(byte: number): boolean {
    if (this.#peek() !== byte) return false
    this.#at++
    return true
  }

  #enter(depth: number, cells: number): void {
    if (depth > this.#depthMax) throw new JsonError(`nested deeper than ${this.#depthMax}`)
    this.#spend(cells)
    this.#at++
  }

  #spend(cells: number): void {
    this.#cellsLeft -= cells
    if (this.#cellsLeft < 0) throw new JsonError('too many values')
  }

  #unexpected(): JsonError {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) return new JsonError('the text ends too early')
    return new JsonError(`unexpected ${JSON.stringify(String.fromCharCode(byte))} at ${this.#at}`)
  }
}

function integer(token: string): number | bigint {
  const number = Number(token)
  if (Number.isSafeInteger(number)) return number + 0 // -0 is 0
  if (token.length > 20) return number
  const exact = BigInt(token)
  return exact >= INT64_MIN && exact <= INT64_MAX ? exact : number
}

function isBlank(byte: number | undefined): boolean {
  if (byte === undefined || byte > SPACE) return false
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

function isTokenByte(byte: number | undefined): boolean {
  if (byte === undefined || isBlank(byte)) return false
  return byte !== COMMA && byte !== COLON && byte !== BRACKET_CLOSE && byte !== BRACE_CLOSE
}
