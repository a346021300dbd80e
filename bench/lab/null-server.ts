import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { SERIALIZE_TYPE } from '../load/wire.ts'

/** Apache's reply to a send, as long as a real one. */
const JSON_REPLY = Buffer.from(
  '{"code":0,"extFields":{"queueId":"1","TRACE_ON":"true","MSG_REGION":"DefaultRegion",' +
    '"msgId":"7F00000100002A9F00000000075BCD15","queueOffset":"123456"},"flag":1,"language":"JAVA",' +
    '"opaque":1000000000,"serializeTypeCurrentRPC":"JSON","version":479}',
)
const JSON_OPAQUE_AT = 8 + JSON_REPLY.indexOf('1000000000')
const OPAQUE = Buffer.from('"opaque":')
const REPLIES = { json: frameOf(0, JSON_REPLY), binary: frameOf(1, binaryReply()) }

function frameOf(type: number, header: Buffer): Buffer {
  const frame = Buffer.alloc(8 + header.length)
  frame.writeInt32BE(4 + header.length, 0)
  frame.writeInt32BE(header.length, 4)
  frame[4] = type
  header.copy(frame, 8)
  return frame
}

/** Flag 1 (reply) and no fields; a real reply has some 130 bytes more. */
function binaryReply(): Buffer {
  const header = Buffer.alloc(21)
  header.writeInt16BE(479, 3)
  header.writeInt32BE(1, 9)
  return header
}

/** Answers every whole frame of `bytes` in one write and returns the unfinished rest. */
function answerAll(socket: Socket, bytes: Buffer): Buffer {
  const replies: Buffer[] = []
  let at = 0
  while (bytes.length - at >= 4) {
    const next = at + 4 + bytes.readInt32BE(at)
    if (next > bytes.length) break
    replies.push(answer(bytes, at))
    at = next
  }
  if (replies.length > 0) socket.write(Buffer.concat(replies))
  return bytes.subarray(at)
}

function answer(bytes: Buffer, start: number): Buffer {
  return bytes[start + 4] === SERIALIZE_TYPE.json
    ? answerJson(bytes, start)
    : answerBinary(bytes, start)
}

function answerBinary(bytes: Buffer, start: number): Buffer {
  const reply = Buffer.from(REPLIES.binary)
  bytes.copy(reply, 13, start + 13, start + 17)
  return reply
}

/** The generator's opaques have ten digits; shorter ones (set-up requests) are padded with spaces. */
function answerJson(bytes: Buffer, start: number): Buffer {
  const reply = Buffer.from(REPLIES.json)
  const digitsAt = bytes.indexOf(OPAQUE, start) + OPAQUE.length
  const digits = bytes.toString('latin1', digitsAt, bytes.indexOf(',', digitsAt))
  reply.write(digits.padStart(10), JSON_OPAQUE_AT, 'latin1')
  return reply
}

/**
 * A server that reads frames and answers a constant, success, in the header format of the request.
 * Nothing is stored, nothing is checked. Resolves when it listens on `port` of the loopback address.
 */
export async function startNullServer(port: number): Promise<{ server: Server; port: number }> {
  const server = createServer({ noDelay: true }, serve).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = answerAll(socket, rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
  })
  socket.on('error', () => {}) // the generator went away: there is nobody to tell
}
