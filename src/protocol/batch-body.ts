/**
 * The body of SEND_BATCH_MESSAGE, one message behind the other, big-endian (Apache 5.3.3, MessageDecoder):
 *
 *    | size | magic 0 | crc 0 | flag | body 4 + n | properties 2 + n |       4 bytes each where not said
 *
 * Topic, queue and hosts are those of the request.
 */
import { MessageError } from './message.ts'

export interface BatchItem {
  flag: number
  /** A view into the batch when it was decoded. */
  body: Uint8Array
  /** As encodeProperties writes them. */
  properties: string
}

const BODY_AT = 20
const LENGTH_MIN = BODY_AT + 2
const PROPERTIES_LENGTH_MAX = 32_767

/** Throws MessageError when the properties of a message are too long. */
export function encodeBatch(items: readonly BatchItem[]): Buffer {
  return Buffer.concat(items.map(encodeItem))
}

/** Throws MessageError at the first message whose lengths do not add up. */
export function* batchItems(batch: Uint8Array): Generator<BatchItem> {
  const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength)
  for (let start = 0; start < bytes.length;) {
    const left = bytes.length - start
    const length = left < LENGTH_MIN ? left : bytes.readInt32BE(start)
    if (length < LENGTH_MIN || length > left) {
      throw new MessageError(
        `batch: a message of ${length} bytes at ${start}, where ${left} are left`,
      )
    }
    yield decodeItem(bytes.subarray(start, start + length))
    start += length
  }
}

function encodeItem({ flag, body, properties }: BatchItem): Buffer {
  const propertiesLength = Buffer.byteLength(properties)
  if (propertiesLength > PROPERTIES_LENGTH_MAX) {
    throw new MessageError(`properties of ${propertiesLength} bytes: ${PROPERTIES_LENGTH_MAX} fit`)
  }
  const bytes = Buffer.alloc(LENGTH_MIN + body.length + propertiesLength)
  bytes.writeInt32BE(bytes.length, 0)
  bytes.writeInt32BE(flag, 12)
  bytes.writeInt32BE(body.length, 16)
  bytes.set(body, BODY_AT)
  bytes.writeInt16BE(propertiesLength, BODY_AT + body.length)
  bytes.write(properties, LENGTH_MIN + body.length)
  return bytes
}

function decodeItem(bytes: Buffer): BatchItem {
  const bodyLength = bytes.readInt32BE(16)
  const bodyMax = bytes.length - LENGTH_MIN
  if (bodyLength < 0 || bodyLength > bodyMax)
    throw new MessageError(`batch: a body of ${bodyLength}`)
  const propertiesAt = BODY_AT + bodyLength + 2
  const propertiesLength = bytes.readInt16BE(propertiesAt - 2)
  if (propertiesLength !== bytes.length - propertiesAt) {
    throw new MessageError(`batch: properties of ${propertiesLength} bytes`)
  }
  return {
    flag: bytes.readInt32BE(12),
    body: bytes.subarray(BODY_AT, BODY_AT + bodyLength),
    properties: bytes.toString('utf8', propertiesAt),
  }
}
