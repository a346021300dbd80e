import { copyFew, viewOf } from '../base/bytes.ts'
import { SerializeType } from '../protocol/frame.ts'
import { VERSION } from '../protocol/remoting-command.ts'

/**
 * The two replies that leave hundreds of thousands of times a second, written straight into an
 * output buffer. Both have the bytes that `encodeCommand` would give, up to the order of the fields.
 */

const JAVA = 0
const RESPONSE_FLAG = 1
const HEX = Buffer.from('0123456789ABCDEF')

/** Lengths of the records of a batch: each record has an id of its own in the reply. */
export interface BatchLengths {
  readonly lengths: readonly number[]
}

/** What a reply to a send says. */
export interface SendReplyParts {
  serializeType: SerializeType
  code: number
  opaque: number
  queueId: number
  queueOffset: number
  /** The store host as in the record: IP and 4-byte port. */
  storeHost: Uint8Array
  position: number
  /** Of a message that waits for its time; else empty. */
  recallHandle: string
}

/** What a reply to a pull says, before its messages. */
export interface PullReplyParts {
  serializeType: SerializeType
  code: number
  opaque: number
  remark: string
  nextBeginOffset: number
  minOffset: number
  maxOffset: number
  suggestWhichBrokerId: number
}

/** Longer than any header written here. */
export const REPLY_LENGTH_MAX = 1024

/** Writes one reply at a place; holds what all replies of a broker have in common. */
export class ReplyWriter {
  readonly #sendTail: { json: Constant; binary: Constant }
  #buffer: Buffer = Buffer.alloc(0)
  #view: DataView = viewOf(this.#buffer)
  #batch: BatchLengths | null = null
  #at = 0

  constructor({ regionId, traceOn }: { regionId: string; traceOn: boolean }) {
    const fields: [string, string][] = [
      ['MSG_REGION', regionId],
      ['TRACE_ON', String(traceOn)],
    ]
    this.#sendTail = { json: constant(jsonFields(fields)), binary: constant(binaryFields(fields)) }
  }

  /** Returns the frame's length. */
  writeSendReply(
    buffer: Buffer,
    at: number,
    parts: SendReplyParts,
    batch: BatchLengths | null,
  ): number {
    this.#begin(buffer, at, parts.serializeType)
    this.#batch = batch
    if (parts.serializeType === SerializeType.JSON) this.#sendJson(parts)
    else this.#sendBinary(parts)
    return this.#end(at, 0)
  }

  /** Returns the length of everything before the `bodyLength` bytes of messages. */
  writePullReply(buffer: Buffer, at: number, parts: PullReplyParts, bodyLength: number): number {
    this.#begin(buffer, at, parts.serializeType)
    if (parts.serializeType === SerializeType.JSON) this.#pullJson(parts)
    else this.#pullBinary(parts)
    return this.#end(at, bodyLength)
  }

  #begin(buffer: Buffer, at: number, serializeType: SerializeType): void {
    if (buffer !== this.#buffer) {
      this.#buffer = buffer
      this.#view = viewOf(buffer)
    }
    this.#at = at + 8
    buffer[at + 4] = serializeType
  }

  #end(at: number, bodyLength: number): number {
    const length = this.#at - at
    const header = length - 8
    this.#view.setInt32(at, length - 4 + bodyLength)
    this.#buffer[at + 5] = header >> 16
    this.#buffer[at + 6] = header >> 8
    this.#buffer[at + 7] = header
    return length
  }

  #sendJson(parts: SendReplyParts): void {
    this.#constant(JSON_PIECE.code)
    this.#integer(parts.code)
    this.#constant(JSON_PIECE.queueId)
    this.#integer(parts.queueId)
    this.#constant(JSON_PIECE.msgId)
    this.#messageIds(parts)
    if (parts.recallHandle !== '') {
      this.#constant(JSON_PIECE.recallHandle)
      this.#ascii(parts.recallHandle)
    }
    this.#constant(this.#sendTail.json)
    this.#constant(JSON_PIECE.queueOffset)
    this.#integer(parts.queueOffset)
    this.#constant(JSON_PIECE.flagAndOpaque)
    this.#integer(parts.opaque)
    this.#constant(JSON_PIECE.end)
  }

  #sendBinary(parts: SendReplyParts): void {
    this.#binaryHead(parts.code, parts.opaque, '')
    const fieldsAt = this.#at
    this.#at += 4
    this.#binaryInteger(KEY.queueId, parts.queueId)
    this.#constant(KEY.msgId)
    const idAt = this.#at
    this.#at += 4
    this.#messageIds(parts)
    this.#view.setInt32(idAt, this.#at - idAt - 4)
    this.#binaryInteger(KEY.queueOffset, parts.queueOffset)
    if (parts.recallHandle !== '') this.#binaryText(KEY.recallHandle, parts.recallHandle)
    this.#constant(this.#sendTail.binary)
    this.#view.setInt32(fieldsAt, this.#at - fieldsAt - 4)
  }

  #pullJson(parts: PullReplyParts): void {
    this.#constant(JSON_PIECE.code)
    this.#integer(parts.code)
    this.#constant(JSON_PIECE.nextBeginOffset)
    this.#integer(parts.nextBeginOffset)
    this.#constant(JSON_PIECE.minOffset)
    this.#integer(parts.minOffset)
    this.#constant(JSON_PIECE.maxOffset)
    this.#integer(parts.maxOffset)
    this.#constant(JSON_PIECE.suggestWhichBrokerId)
    this.#integer(parts.suggestWhichBrokerId)
    this.#constant(JSON_PIECE.flagAndRemark)
    this.#ascii(parts.remark)
    this.#constant(JSON_PIECE.opaque)
    this.#integer(parts.opaque)
    this.#constant(JSON_PIECE.end)
  }

  #pullBinary(parts: PullReplyParts): void {
    this.#binaryHead(parts.code, parts.opaque, parts.remark)
    const fieldsAt = this.#at
    this.#at += 4
    this.#binaryInteger(KEY.nextBeginOffset, parts.nextBeginOffset)
    this.#binaryInteger(KEY.minOffset, parts.minOffset)
    this.#binaryInteger(KEY.maxOffset, parts.maxOffset)
    this.#binaryInteger(KEY.suggestWhichBrokerId, parts.suggestWhichBrokerId)
    this.#constant(PULL_TAIL)
    this.#view.setInt32(fieldsAt, this.#at - fieldsAt - 4)
  }

  #binaryHead(code: number, opaque: number, remark: string): void {
    const view = this.#view
    const at = this.#at
    view.setInt16(at, code)
    view.setInt8(at + 2, JAVA)
    view.setInt16(at + 3, VERSION)
    view.setInt32(at + 5, opaque)
    view.setInt32(at + 9, RESPONSE_FLAG)
    view.setInt32(at + 13, remark.length)
    this.#at = at + 17
    this.#ascii(remark)
  }

  /** One id, or those of all messages of a batch with commas between. */
  #messageIds(parts: SendReplyParts): void {
    if (this.#batch === null) {
      this.#messageId(parts.storeHost, parts.position)
      return
    }
    let position = parts.position
    for (const [nth, length] of this.#batch.lengths.entries()) {
      if (nth > 0) this.#ascii(',')
      this.#messageId(parts.storeHost, position)
      position += length
    }
  }

  /** Store host and position in hex (Apache 5.3.3, MessageDecoder.createMessageId). */
  #messageId(storeHost: Uint8Array, position: number): void {
    for (const byte of storeHost) this.#hexByte(byte)
    this.#hexWord(Math.floor(position / 2 ** 32))
    this.#hexWord(position | 0)
  }

  #hexWord(word: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.#hexByte((word >>> shift) & 0xff)
  }

  #hexByte(byte: number): void {
    this.#buffer[this.#at++] = HEX[byte >> 4]!
    this.#buffer[this.#at++] = HEX[byte & 15]!
  }

  #binaryInteger(key: Constant, value: number): void {
    this.#constant(key)
    const lengthAt = this.#at
    this.#at += 4
    this.#integer(value)
    this.#view.setInt32(lengthAt, this.#at - lengthAt - 4)
  }

  #binaryText(key: Constant, ascii: string): void {
    this.#constant(key)
    this.#view.setInt32(this.#at, ascii.length)
    this.#at += 4
    this.#ascii(ascii)
  }

  #integer(value: number): void {
    if (value < 0) {
      this.#ascii(String(value))
      return
    }
    let digits = 1
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++
    let rest = value
    for (let i = this.#at + digits - 1; i >= this.#at; i--) {
      const tenth = Math.floor(rest / 10)
      this.#buffer[i] = 0x30 + (rest - tenth * 10)
      rest = tenth
    }
    this.#at += digits
  }

  #ascii(text: string): void {
    // A loop: for texts this short it is cheaper than a call into C++.
    for (let i = 0; i < text.length; i++) this.#buffer[this.#at++] = text.charCodeAt(i)
  }

  #constant({ view }: Constant): void {
    copyFew(this.#view, this.#at, view, 0, view.byteLength)
    this.#at += view.byteLength
  }
}

/** Bytes that every reply has. */
interface Constant {
  view: DataView
}

function constant(bytes: Uint8Array): Constant {
  return { view: viewOf(bytes) }
}

/** What stands between the values of a JSON header. */
const JSON_PIECE = {
  code: text('{"code":'),
  queueId: text(',"extFields":{"queueId":"'),
  msgId: text('","msgId":"'),
  recallHandle: text('","recallHandle":"'),
  queueOffset: text('"queueOffset":"'),
  nextBeginOffset: text(',"extFields":{"nextBeginOffset":"'),
  minOffset: text('","minOffset":"'),
  maxOffset: text('","maxOffset":"'),
  suggestWhichBrokerId: text('","suggestWhichBrokerId":"'),
  flagAndOpaque: text('"},"flag":1,"language":"JAVA","opaque":'),
  flagAndRemark: text(
    '","topicSysFlag":"0","groupSysFlag":"0"},"flag":1,"language":"JAVA","remark":"',
  ),
  opaque: text('","opaque":'),
  end: text(`,"serializeTypeCurrentRPC":"JSON","version":${VERSION}}`),
}

function text(ascii: string): Constant {
  return constant(Buffer.from(ascii))
}

function binaryKey(name: string): Buffer {
  const key = Buffer.alloc(2 + name.length)
  key.writeInt16BE(name.length)
  key.write(name, 2)
  return key
}

const KEY = {
  queueId: constant(binaryKey('queueId')),
  msgId: constant(binaryKey('msgId')),
  queueOffset: constant(binaryKey('queueOffset')),
  recallHandle: constant(binaryKey('recallHandle')),
  nextBeginOffset: constant(binaryKey('nextBeginOffset')),
  minOffset: constant(binaryKey('minOffset')),
  maxOffset: constant(binaryKey('maxOffset')),
  suggestWhichBrokerId: constant(binaryKey('suggestWhichBrokerId')),
}

const PULL_TAIL = constant(
  binaryFields([
    ['topicSysFlag', '0'],
    ['groupSysFlag', '0'],
  ]),
)

function binaryFields(fields: [string, string][]): Buffer {
  const parts = fields.flatMap(([key, value]) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(Buffer.byteLength(value))
    return [binaryKey(key), length, Buffer.from(value)]
  })
  return Buffer.concat(parts)
}

/** Closes the text before it, ends with a comma. */
function jsonFields(fields: [string, string][]): Buffer {
  return Buffer.from(`",${fields.map(([k, v]) => `"${k}":${JSON.stringify(v)},`).join('')}`)
}
