import { encodeCommand, requestCommand } from '../../src/protocol/remoting-command.ts'

/** A whole frame, prefix included, that is told apart by its opaque. */
export function frameOf(opaque: number, bodyLength = 0): Buffer {
  const fields = new Map([['topic', `topic-${opaque}`]])
  const body = Buffer.alloc(bodyLength, opaque & 0xff)
  return encodeCommand({ ...requestCommand(105, fields, body), opaque })
}

/** A frame with any head: what liars send. */
export function rawFrame(head: { length: number; type?: number; header?: number }): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeInt32BE(head.length, 0)
  bytes.writeUInt8(head.type ?? 0, 4)
  bytes.writeUIntBE(head.header ?? 0, 5, 3)
  return bytes
}
