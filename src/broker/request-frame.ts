import { HeaderScanner } from '../protocol/header-scanner.ts'
import { FrameError, SerializeType } from '../protocol/frame.ts'
import { CommandFlag, decodeCommand, encodeCommand } from '../protocol/remoting-command.ts'

/**
 * The request in hand: its header's fields, found in the frame. A header that the scanner does not
 * take is decoded in full and written anew in the binary form, which it always takes.
 */
export class RequestFrame {
  readonly fields = new HeaderScanner()
  code = 0

  /** Throws FrameError when it is no frame at all. */
  read(bytes: Buffer, start: number, end: number): void {
    const { fields } = this
    if (fields.scan(bytes, start, end)) {
      this.code = fields.code
      return
    }
    const command = decodeCommand(bytes.subarray(start, end))
    const plain = encodeCommand({ ...command, serializeType: SerializeType.ROCKETMQ })
    if (!fields.scan(plain, 4, plain.length)) throw new FrameError('a header with too many fields')
    fields.serializeType = command.serializeType
    this.code = command.code // the binary form holds 16 bits of it
  }

  get isOneway(): boolean {
    return (this.fields.flag & CommandFlag.ONEWAY) !== 0
  }

  get isResponse(): boolean {
    return (this.fields.flag & CommandFlag.RESPONSE) !== 0
  }
}
