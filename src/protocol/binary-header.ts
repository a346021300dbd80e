/**
 * The ROCKETMQ header (Apache 5.3.3, RocketMQSerializable), big-endian:
 *
 *    0      2          3         5        9      13           17
 *    | code | language | version | opaque | flag | remark i32 | remark ... | ext i32 | entries ... |
 *      i16    u8         i16       i32      i32    its length                their length
 *
 *    entry: | key i16 | key ... | value i32 | value ... |        lengths, then UTF-8
 */
import { FrameError } from './frame.ts'
import { languageCodes, languageOf } from './language-code.ts'
import type { CommandHeader } from './remoting-command.ts'

const FIXED_LENGTH = 21
const KEY_LENGTH_MAX = 32_767

/** More than any client sends; fewer than would hurt. */
export const EXT_FIELDS_MAX = 4096

/** Throws FrameError when the lengths do not add up. */
export function decodeBinaryHeader(header: Buffer): CommandHeader {
  const reader = new HeaderReader(header)
  return {
    code: reader.i16(),
    language: languageOf(reader.u8()),
    version: reader.i16(),
    opaque: reader.i32(),
    flag: reader.i32(),
    remark: reader.text(reader.i32()) || null,
    extFields: decodeExtFields(reader),
  }
}

/**
 * Codes above 32767 are cut to 16 bits, as Apache cuts them: they can only be asked for in JSON.
 * An empty remark, field or map decodes as absent: the format has no other way to write it.
 */
export function encodeBinaryHeader(command: CommandHeader): Buffer {
  const remark = Buffer.from(command.remark ?? '')
  const entries = encodeExtFields(command.extFields)
  const header = Buffer.allocUnsafe(FIXED_LENGTH + remark.length + entries.length)
  header.writeUInt16BE(command.code & 0xffff, 0)
  header.writeUInt8(languageCodes.indexOf(command.language), 2)
  header.writeUInt16BE(command.version & 0xffff, 3)
  header.writeInt32BE(command.opaque, 5)
  header.writeInt32BE(command.flag, 9)
  header.writeInt32BE(remark.length, 13)
  header.set(remark, 17)
  header.writeInt32BE(entries.length, 17 + remark.length)
  header.set(entries, FIXED_LENGTH + remark.length)
  return header
}

function decodeExtFields(reader: HeaderReader): Map<string, string> | null {
  const length = reader.i32()
  if (length === 0) return null
  const end = reader.endOf(length)
  const fields = new Map<string, string>()
  while (reader.position < end) {
    const key = reader.text(reader.i16())
    const value = reader.text(reader.i32())
    if (key !== '') fields.set(key, value)
    if (fields.size > EXT_FIELDS_MAX) throw new FrameError(`more than ${EXT_FIELDS_MAX} extFields`)
  }
  if (reader.position !== end) throw new FrameError('an extField ends behind the extFields')
  return fields
}

function encodeExtFields(fields: Map<string, string> | null): Buffer {
  const parts: Buffer[] = []
  for (const [key, value] of fields ?? []) {
    const keyBytes = Buffer.from(key)
    if (keyBytes.length > KEY_LENGTH_MAX)
      throw new FrameError(`extField key of ${key.length} chars`)
    const valueBytes = Buffer.from(value)
    const lengths = Buffer.allocUnsafe(6)
    lengths.writeInt16BE(keyBytes.length, 0)
    lengths.writeInt32BE(valueBytes.length, 2)
    parts.push(lengths.subarray(0, 2), keyBytes, lengths.subarray(2), valueBytes)
  }
  return Buffer.concat(parts)
}

/** Reads forward and never past the end. */
class HeaderReader {
  readonly #bytes: Buffer
  position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1))
  }

  i16(): number {
    return this.#bytes.readInt16BE(this.#advance(2))
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  text(length: number): string {
    const start = this.#advance(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** Where the next `length` bytes end. */
  endOf(length: number): number {
    const end = this.position + length
    if (length < 0 || end > this.#bytes.length) {
      throw new FrameError(
        `a length of ${length} at ${this.position} in a header of ${this.#bytes.length} bytes`,
      )
    }
    return end
  }

  #advance(length: number): number {
    const start = this.position
    this.position = this.endOf(length)
    return start
  }
}
