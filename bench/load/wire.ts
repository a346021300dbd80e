/**
 * Request frames as a client writes them. The generator shares no code with the broker it measures:
 * a mistake in the broker's codec must show here, not cancel out. `test/bench` holds the two together.
 */

export type HeaderFormat = 'json' | 'binary'

/** `extFields` are the request's header fields in the order in which they go on the wire. */
export interface Request {
  code: number
  opaque: number
  extFields: Record<string, string>
  body?: Uint8Array
}

export interface Reply {
  code: number
  opaque: number
  remark: string | null
  extFields: Record<string, string>
  body: Buffer
}

export const RequestCode = {
  PULL_MESSAGE: 11,
  UPDATE_AND_CREATE_TOPIC: 17,
  GET_MAX_OFFSET: 30,
  GET_MIN_OFFSET: 31,
  END_TRANSACTION: 37,
  GET_ROUTEINFO_BY_TOPIC: 105,
  SEND_MESSAGE_V2: 310,
  SEND_BATCH_MESSAGE: 320,
  POP_MESSAGE: 200_050,
  ACK_MESSAGE: 200_051,
} as const

/** Serialize type (the top byte of the header word) of each format. */
export const SERIALIZE_TYPE: Record<HeaderFormat, number> = { json: 0, binary: 1 }

/** MQVersion ordinal of 5.3.3. */
const VERSION = 479
const JAVA = 0
const NOTHING = new Uint8Array(0)

/**
 *    | length i32 | type u8, header length u24 | header | body |      big-endian; length counts what follows it
 */
export function encodeRequest(format: HeaderFormat, request: Request): Buffer {
  const header = format === 'json' ? jsonHeader(request) : binaryHeader(request)
  const body = request.body ?? NOTHING
  const prefix = Buffer.alloc(8)
  prefix.writeInt32BE(4 + header.length + body.length, 0)
  prefix.writeInt32BE(header.length, 4)
  prefix[4] = SERIALIZE_TYPE[format]
  return Buffer.concat([prefix, header, body])
}

function jsonHeader({ code, opaque, extFields }: Request): Buffer {
  const fields = { code, extFields, flag: 0, language: 'JAVA', opaque }
  return Buffer.from(
    JSON.stringify({ ...fields, serializeTypeCurrentRPC: 'JSON', version: VERSION }),
  )
}

/** code i16, language i8, version i16, opaque i32, flag i32, remark (i32 length), entries (i32 length). */
function binaryHeader({ code, opaque, extFields }: Request): Buffer {
  const entries = Buffer.concat(Object.entries(extFields).map(binaryEntry))
  const fixed = Buffer.alloc(21)
  fixed.writeInt16BE(code, 0)
  fixed[2] = JAVA
  fixed.writeInt16BE(VERSION, 3)
  fixed.writeInt32BE(opaque, 5)
  fixed.writeInt32BE(entries.length, 17)
  return Buffer.concat([fixed, entries])
}

function binaryEntry([key, value]: [string, string]): Buffer {
  const keyBytes = Buffer.from(key)
  const valueBytes = Buffer.from(value)
  const entry = Buffer.alloc(6 + keyBytes.length + valueBytes.length)
  entry.writeInt16BE(keyBytes.length, 0)
  keyBytes.copy(entry, 2)
  entry.writeInt32BE(valueBytes.length, 2 + keyBytes.length)
  valueBytes.copy(entry, 6 + keyBytes.length)
  return entry
}

/** Decodes a whole reply frame, length prefix included. Slow and complete: for errors and for set-up. */
export function decodeReply(frame: Buffer): Reply {
  const headerEnd = 8 + (frame.readInt32BE(4) & 0xffffff)
  const header = frame.subarray(8, headerEnd)
  const body = Buffer.from(frame.subarray(headerEnd))
  return { ...(frame[4] === SERIALIZE_TYPE.json ? readJson(header) : readBinary(header)), body }
}

function readJson(header: Buffer): Omit<Reply, 'body'> {
  const { code, opaque, remark, extFields } = JSON.parse(header.toString()) as Partial<Reply>
  return {
    code: code ?? 0,
    opaque: opaque ?? 0,
    remark: remark ?? null,
    extFields: extFields ?? {},
  }
}

function readBinary(header: Buffer): Omit<Reply, 'body'> {
  const remarkEnd = 17 + header.readInt32BE(13)
  const extFields: Record<string, string> = {}
  for (let at = remarkEnd + 4; at < header.length;) {
    const keyEnd = at + 2 + header.readInt16BE(at)
    const valueEnd = keyEnd + 4 + header.readInt32BE(keyEnd)
    extFields[header.toString('utf8', at + 2, keyEnd)] = header.toString(
      'utf8',
      keyEnd + 4,
      valueEnd,
    )
    at = valueEnd
  }
  const remark = remarkEnd === 17 ? null : header.toString('utf8', 17, remarkEnd)
  return { code: header.readInt16BE(0), opaque: header.readInt32BE(5), remark, extFields }
}
