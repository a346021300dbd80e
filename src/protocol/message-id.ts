/**
 * The two ids of a message, both upper-case hex (Apache 5.3.3, MessageDecoder and MessageClientIDSetter):
 *
 *    offsetMsgId   | ip 4 or 16 | port 4 | position 8 |            where it is stored
 *    UNIQ_KEY      | ip 4 or 16 | pid 2 | hash 4 | ms 4 | counter 2 |   made by whoever sent it first
 */
import { readSafeInt64, writeSafeInt64 } from '../base/bytes.ts'
import { MessageError } from './message.ts'

/** Where a message is stored. */
export interface MessagePlace {
  /** IP (4 or 16 bytes) and port (4 bytes), as in a stored message. */
  storeHost: Uint8Array
  position: number
}

/** `7F00000100002A9F00000000075BCD15` */
export function encodeOffsetMessageId({ storeHost, position }: MessagePlace): string {
  const bytes = Buffer.allocUnsafe(storeHost.length + 8)
  bytes.set(storeHost)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  writeSafeInt64(view, storeHost.length, position)
  return bytes.toString('hex').toUpperCase()
}

/** Throws MessageError unless it is 32 or 56 hex digits. */
export function decodeOffsetMessageId(id: string): MessagePlace {
  if (!/^(?:[\da-f]{32}|[\da-f]{56})$/i.test(id)) {
    throw new MessageError(
      `message id ${JSON.stringify(id.slice(0, 80))}: it must be 32 or 56 hex digits`,
    )
  }
  const bytes = Buffer.from(id, 'hex')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const position = readSafeInt64(view, bytes.length - 8)
  if (!Number.isSafeInteger(position) || position < 0) {
    throw new MessageError(`message id ${id}: ${position} is no position`)
  }
  return { storeHost: bytes.subarray(0, -8), position }
}

const COUNTER_END = 0x1_0000

/** Makes UNIQ_KEYs: 65536 a millisecond, different from those of other processes by address, pid and hash. */
export class UniqueIds {
  readonly #prefix: string
  #monthStart = 0
  #monthEnd = 0
  #counter = 0

  /** `address`: 4 or 16 bytes of an IP of this machine. `hash`: any int32 that other processes hardly have. */
  constructor({ address, pid, hash }: { address: Uint8Array; pid: number; hash: number }) {
    this.#prefix = Buffer.from(address).toString('hex') + hex(pid & 0xffff, 4) + hex(hash >>> 0, 8)
  }

  /** `now` in ms since 1970. */
  next(now: number): string {
    if (now >= this.#monthEnd || now < this.#monthStart) this.#enterMonth(now)
    this.#counter = (this.#counter + 1) % COUNTER_END
    return (this.#prefix + hex(now - this.#monthStart, 8) + hex(this.#counter, 4)).toUpperCase()
  }

  /** Java counts milliseconds from the first of the month, local time: they fit in 4 bytes. */
  #enterMonth(now: number): void {
    const date = new Date(now)
    this.#monthStart = new Date(date.getFullYear(), date.getMonth(), 1).getTime()
    this.#monthEnd = new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime()
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
