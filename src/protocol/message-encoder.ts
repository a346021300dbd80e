import { writeSafeInt64 } from '../base/bytes.ts'
import { encodeProperties, MessageMagic, type StoredMessage } from './message.ts'

/** Topics up to here have a length of one byte. */
const SHORT_TOPIC_MAX = 127
/** Before the hosts, bodies and names: size, magic, CRC, queue, flag, offset, position, sys flag, born time. */
const HEAD_LENGTH = 48

/** A message in stored form, as clients get it: see message.ts. `length` and the lengths of hosts follow the rest. */
export function encodeMessage(message: StoredMessage): Buffer {
  const topic = Buffer.from(message.topic)
  const isLong = topic.length > SHORT_TOPIC_MAX
  const properties = Buffer.from(encodeProperties(message.properties))
  const parts = [
    message.bornHost,
    int64(message.storeTimestamp),
    message.storeHost,
    int32(message.reconsumeTimes),
    int64(message.preparedTransactionOffset),
    int32(message.body.length),
    message.body,
    isLong ? int16(topic.length) : Buffer.of(topic.length),
    topic,
    int16(properties.length),
    properties,
  ]
  const length = parts.reduce((sum, part) => sum + part.length, HEAD_LENGTH)
  const magic = isLong ? MessageMagic.V2 : MessageMagic.V1
  return Buffer.concat([encodeHead(message, { length, magic }), ...parts])
}

function encodeHead(message: StoredMessage, { length, magic }: { length: number; magic: number }) {
  const head = Buffer.alloc(HEAD_LENGTH)
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const words = [length, magic, message.bodyCrc, message.queueId, message.flag]
  for (const [nth, word] of words.entries()) view.setInt32(4 * nth, word)
  writeSafeInt64(view, 20, message.queueOffset)
  writeSafeInt64(view, 28, message.position)
  view.setInt32(36, message.sysFlag)
  writeSafeInt64(view, 40, message.bornTimestamp)
  return head
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
  writeSafeInt64(new DataView(bytes.buffer, bytes.byteOffset, 8), 0, value)
  return bytes
}
