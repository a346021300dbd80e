/** Writes a message in its stored form, plainly, for tests of what reads it. */
import { bodyCrc } from '../../src/protocol/body-crc.ts'
import { MessageFlag, MessageMagic, encodeProperties } from '../../src/protocol/message.ts'

export interface MessageParts {
  magic?: number
  topic: string
  queueId?: number
  queueOffset?: number
  position?: number
  sysFlag?: number
  flag?: number
  bornTimestamp?: number
  storeTimestamp?: number
  bornHost?: Uint8Array
  storeHost?: Uint8Array
  reconsumeTimes?: number
  preparedTransactionOffset?: number
  body: Uint8Array
  properties?: Record<string, string>
}

const LOCAL_HOST = Buffer.from('7f00000100002a9f', 'hex')

export function storedMessage(parts: MessageParts): Buffer {
  const { magic = MessageMagic.V1, topic, body, properties = {} } = parts
  const { bornHost = LOCAL_HOST, storeHost = LOCAL_HOST, sysFlag = 0 } = parts
  const born = bornHost.length === 20 ? MessageFlag.BORN_HOST_V6 : 0
  const store = storeHost.length === 20 ? MessageFlag.STORE_HOST_V6 : 0
  const rest = Buffer.concat([
    int32(magic),
    int32(bodyCrc(body)),
    int32(parts.queueId ?? 0),
    int32(parts.flag ?? 0),
    int64(parts.queueOffset ?? 0),
    int64(parts.position ?? 0),
    int32(sysFlag | born | store),
    int64(parts.bornTimestamp ?? 0),
    bornHost,
    int64(parts.storeTimestamp ?? 0),
    storeHost,
    int32(parts.reconsumeTimes ?? 0),
    int64(parts.preparedTransactionOffset ?? 0),
    int32(body.length),
    body,
    magic === MessageMagic.V1 ? Buffer.from([topic.length]) : int16(topic.length),
    Buffer.from(topic),
    propertiesBytes(properties),
  ])
  return Buffer.concat([int32(rest.length + 4), rest])
}

function propertiesBytes(properties: Record<string, string>): Buffer {
  const bytes = Buffer.from(encodeProperties(Object.entries(properties)))
  return Buffer.concat([int16(bytes.length), bytes])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
