/**
 * One frame of the remoting protocol, big-endian (Apache 5.3.3, RemotingCommand and NettyDecoder):
 *
 *    | length i32 | type u8 | header length u24 | header ... | body ... |
 *      bytes after itself     type says how the header is written
 */

/** A whole frame, its length prefix included. Apache: `com.rocketmq.remoting.frameMaxLength`. */
export const FRAME_LENGTH_MAX = 16_777_216

/** Bytes of the length prefix. */
export const PREFIX_LENGTH = 4

const HEADER_WORD_LENGTH = 4

/** How a header is written. */
export const SerializeType = { JSON: 0, ROCKETMQ: 1 } as const
export type SerializeType = (typeof SerializeType)[keyof typeof SerializeType]

/** Bytes that are no frame. Whoever sent them lost its place: the connection is closed, unanswered. */
export class FrameError extends Error {
  override name = 'FrameError'
}

export interface FrameParts {
  serializeType: SerializeType
  header: Buffer
  /** null when empty, as Apache decodes it. */
  body: Buffer | null
}

/** Reads the length prefix at `start`: the bytes that follow it. Throws FrameError when it lies. */
export function frameLengthAt(bytes: Uint8Array, start: number): number {
  const length =
    (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!
  if (length < HEADER_WORD_LENGTH || length > FRAME_LENGTH_MAX - PREFIX_LENGTH) {
    throw new FrameError(
      `frame length ${length}: allowed are ${HEADER_WORD_LENGTH} to ${FRAME_LENGTH_MAX - PREFIX_LENGTH}`,
    )
  }
  return length
}

/** Splits what follows the length prefix. Header and body are views into `frame`. */
export function splitFrame(frame: Uint8Array): FrameParts {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (bytes.length < HEADER_WORD_LENGTH) throw new FrameError(`frame of ${bytes.length} bytes`)
  const headerEnd = HEADER_WORD_LENGTH + bytes.readUIntBE(1, 3)
  if (headerEnd > bytes.length) {
    throw new FrameError(`header ends at ${headerEnd} in a frame of ${bytes.length} bytes`)
  }
  return {
    serializeType: serializeTypeOf(bytes[0]!),
    header: bytes.subarray(HEADER_WORD_LENGTH, headerEnd),
    body: headerEnd === bytes.length ? null : bytes.subarray(headerEnd),
  }
}

/** A whole frame with its length prefix. Throws FrameError when it would be too long to be read. */
export function joinFrame(parts: {
  serializeType: SerializeType
  header: Uint8Array
  body: Uint8Array | null
}): Buffer {
  const { serializeType, header, body } = parts
  const length = HEADER_WORD_LENGTH + header.length + (body?.length ?? 0)
  if (length > FRAME_LENGTH_MAX - PREFIX_LENGTH) {
    throw new FrameError(`a frame of ${length} bytes: nobody reads more than ${FRAME_LENGTH_MAX}`)
  }
  const frame = Buffer.allocUnsafe(PREFIX_LENGTH + length)
  frame.writeInt32BE(length, 0)
  frame.writeUInt8(serializeType, PREFIX_LENGTH)
  frame.writeUIntBE(header.length, PREFIX_LENGTH + 1, 3)
  frame.set(header, PREFIX_LENGTH + HEADER_WORD_LENGTH)
  if (body) frame.set(body, PREFIX_LENGTH + HEADER_WORD_LENGTH + header.length)
  return frame
}

function serializeTypeOf(byte: number): SerializeType {
  if (byte === SerializeType.JSON || byte === SerializeType.ROCKETMQ) return byte
  throw new FrameError(`serialize type ${byte}: allowed are 0 (JSON) and 1 (ROCKETMQ)`)
}
