/**
 * A message as it is stored and as pulls return it, big-endian (Apache 5.3.3, MessageDecoder):
 *
 *    0      4     8          12     16    20     28        36    40    48
 *    | size | magic | bodyCrc | queue | flag | offset | position | sys | born | bornHost ...
 *
 *    | bornHost | stored | storeHost | reconsume | prepared | body    | topic   | properties |
 *      8 or 20    8        8 or 20     4           8          4 + n     1|2 + n   2 + n
 *
 * A host is an IP and a port of 4 bytes; 20 bytes, not 8, when sys flag bits say IPv6: all that follows moves.
 * The topic's length takes 2 bytes with the second magic, for topics longer than 127.
 */
import { readSafeInt64 } from '../base/bytes.ts'

export const MessageMagic = {
  V1: 0xdaa320a7 | 0,
  V2: 0xdaa320ab | 0,
  /** No message: the rest of the log file is empty. */
  BLANK: 0xcbd43194 | 0,
} as const

/** Bits of the sys flag of a message. Source: Apache 5.3.3, MessageSysFlag. */
export const MessageFlag = {
  COMPRESSED: 0x1,
  MULTI_TAGS: 0x2,
  TRANSACTION_PREPARED: 0x4,
  TRANSACTION_COMMIT: 0x8,
  /** Also the mask of the transaction bits: 0 is no transaction. */
  TRANSACTION_ROLLBACK: 0xc,
  BORN_HOST_V6: 0x10,
  STORE_HOST_V6: 0x20,
  NEED_UNWRAP: 0x40,
  INNER_BATCH: 0x80,
  COMPRESSION_LZ4: 0x100,
  COMPRESSION_ZSTD: 0x200,
  COMPRESSION_ZLIB: 0x300,
  COMPRESSION_MASK: 0x700,
} as const

/** Bytes that are no message. */
export class MessageError extends Error {
  override name = 'MessageError'
}

export interface StoredMessage {
  /** Bytes of the whole record. */
  length: number
  topic: string
  queueId: number
  queueOffset: number
  /** Where the record begins in the log. */
  position: number
  sysFlag: number
  /** The application's. */
  flag: number
  bodyCrc: number
  /** Milliseconds since 1970, as the sender's clock said. */
  bornTimestamp: number
  /** IP (4 or 16 bytes) and port (4 bytes); a view, as `storeHost` and `body` are. */
  bornHost: Uint8Array
  storeTimestamp: number
  storeHost: Uint8Array
  reconsumeTimes: number
  preparedTransactionOffset: number
  /** As stored: compressed when the sys flag says so. */
  body: Uint8Array
  properties: Map<string, string>
}

/** Record length without hosts, body, topic and properties, and without the topic's length. */
const FIXED_LENGTH = 74
const LENGTH_MIN = FIXED_LENGTH + 8 + 8 + 1

/** Decodes the message that begins at `start`. Throws MessageError unless it is whole and its lengths add up. */
export function decodeMessage(bytes: Uint8Array, start = 0): StoredMessage {
  const length = recordLengthAt(bytes, start)
  const reader = new RecordReader(bytes, start, start + length)
  const magic = reader.at(4).i32()
  if (magic !== MessageMagic.V1 && magic !== MessageMagic.V2) {
    throw new MessageError(`magic 0x${(magic >>> 0).toString(16)} at ${start}`)
  }
  const sysFlag = reader.at(36).i32()
  // Members are read in the order they are written here.
  const message = {
    ...readFixed(reader.at(8)),
    length,
    sysFlag,
    bornTimestamp: reader.at(40).i64(),
    bornHost: reader.bytes(hostLength(sysFlag, MessageFlag.BORN_HOST_V6)),
    storeTimestamp: reader.i64(),
    storeHost: reader.bytes(hostLength(sysFlag, MessageFlag.STORE_HOST_V6)),
    reconsumeTimes: reader.i32(),
    preparedTransactionOffset: reader.i64(),
    body: reader.bytes(reader.i32()),
    topic: reader.text(magic === MessageMagic.V1 ? reader.i8() : reader.i16()),
    properties: decodeProperties(reader.text(reader.i16())),
  }
  if (reader.left !== 0) throw new MessageError(`${reader.left} bytes too many at ${start}`)
  return message
}

/** The messages of a pull's body, which lie one behind the other. Throws MessageError at the first damaged one. */
export function* messagesIn(bytes: Uint8Array): Generator<StoredMessage> {
  for (let start = 0; start < bytes.length;) {
    const message = decodeMessage(bytes, start)
    yield message
    start += message.length
  }
}

/** `name 0x01 value 0x02`, over and over. Names and values must not hold 0x01 or 0x02: check before. */
export function encodeProperties(properties: Iterable<[string, string]>): string {
  let text = ''
  for (const [name, value] of properties) text += `${name}\u0001${value}\u0002`
  return text
}

/** Pairs with an empty name or value are left out, as Java's clients do. */
export function decodeProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const pair of text.split('\u0002')) {
    const separator = pair.indexOf('\u0001')
    if (separator <= 0 || separator === pair.length - 1) continue
    properties.set(pair.slice(0, separator), pair.slice(separator + 1))
  }
  return properties
}

/**
 * What `decodeProperties` would have under a name; null when it has nothing. For a few names of many pairs.
 * Searched from the end: of two pairs with one name the last counts, and one without a value is none.
 */
export function propertyIn(text: string, name: string): string | null {
  const head = `${name}\u0001`
  for (let at = text.lastIndexOf(head); at !== -1; at = text.lastIndexOf(head, at - 1)) {
    if (at === 0 || text[at - 1] === '\u0002') {
      const start = at + head.length
      const end = text.indexOf('\u0002', start)
      if (start !== end && start !== text.length) {
        return end === -1 ? text.slice(start) : text.slice(start, end)
      }
    }
    if (at === 0) return null // lastIndexOf takes a place before the first for the first
  }
  return null
}

/** `10.0.0.1:10911`; an IPv6 address as Java prints it, without `::`. */
export function hostText(host: Uint8Array): string {
  const port = (host.at(-4)! << 24) | (host.at(-3)! << 16) | (host.at(-2)! << 8) | host.at(-1)!
  const address = host.subarray(0, -4)
  if (address.length === 4) return `${address.join('.')}:${port}`
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((address[2 * i]! << 8) | address[2 * i + 1]!).toString(16),
  )
  return `${groups.join(':')}:${port}`
}

function readFixed(reader: RecordReader) {
  return {
    bodyCrc: reader.i32(),
    queueId: reader.i32(),
    flag: reader.i32(),
    queueOffset: reader.position(),
    position: reader.position(),
  }
}

function hostLength(sysFlag: number, bit: number): number {
  return (sysFlag & bit) === 0 ? 8 : 20
}

function recordLengthAt(bytes: Uint8Array, start: number): number {
  const left = bytes.length - start
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = left < LENGTH_MIN ? left : view.getInt32(start)
  if (length < LENGTH_MIN || length > left) {
    throw new MessageError(`record of ${length} bytes at ${start}, where ${left} are left`)
  }
  return length
}

/** Reads forward within one record and never past its end. */
class RecordReader {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #start: number
  readonly #end: number
  #next: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#start = start
    this.#end = end
    this.#next = start
  }

  get left(): number {
    return this.#end - this.#next
  }

  at(offset: number): this {
    this.#next = this.#start + offset
    return this
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1))
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2))
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4))
  }

  /** Times come from other machines' clocks: beyond 2^53 they are rounded, not refused. */
  i64(): number {
    return readSafeInt64(this.#view, this.#advance(8))
  }

  /** An offset or a position: never negative, exact. */
  position(): number {
    const value = this.i64()
    if (Number.isSafeInteger(value) && value >= 0) return value
    throw new MessageError(`offset or position ${value} in the record at ${this.#start}`)
  }

  bytes(length: number): Buffer {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  text(length: number): string {
    const start = this.#advance(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  #advance(length: number): number {
    if (length < 0 || length > this.left) {
      throw new MessageError(`a length of ${length} in the record at ${this.#start}`)
    }
    this.#next += length
    return this.#next - length
  }
}
