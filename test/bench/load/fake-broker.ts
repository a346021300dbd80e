import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import {
  decodeCommand,
  encodeCommand,
  responseTo,
  type RemotingCommand,
} from '../../../src/protocol/remoting-command.ts'

/** What a test's broker answers: a response code and a body. */
export interface FakeReply {
  code: number
  extFields?: Map<string, string>
  body?: Uint8Array
}

export interface FakeBroker {
  address: string
  close(): void
}

/** A server on port 0 that answers every request with what `answer` gives. */
export async function fakeBroker(
  answer: (request: RemotingCommand) => FakeReply,
): Promise<FakeBroker> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    serve(socket, answer)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

function serve(socket: Socket, answer: (request: RemotingCommand) => FakeReply): void {
  let rest = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      socket.write(respond(decodeCommand(rest.subarray(4, end)), answer))
      rest = rest.subarray(end)
    }
  })
}

function respond(
  request: RemotingCommand,
  answer: (request: RemotingCommand) => FakeReply,
): Buffer {
  const { code, extFields, body } = answer(request)
  return encodeCommand(responseTo(request, code, null, extFields ?? null, body ?? null))
}

/** A stored message that has nothing but its length and its queue offset, `length` bytes in all. */
export function storedMessage(queueOffset: number, length = 100): Buffer {
  const message = Buffer.alloc(length)
  message.writeInt32BE(length, 0)
  message.writeBigInt64BE(BigInt(queueOffset), 20)
  return message
}
