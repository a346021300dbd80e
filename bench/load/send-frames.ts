import { encodeRequest, RequestCode, type HeaderFormat } from './wire.ts'

/** Opaques are `OPAQUE_BASE + slot`: always ten digits, so that they can be patched in a JSON header too. */
export const OPAQUE_BASE = 1_000_000_000
/** Slots must stay below this: six digits are patched. */
export const SLOTS_MAX = 1_000_000

export const PRODUCER_GROUP = 'ringmq_bench'
/** The sys flag of a half message. */
const PREPARED = '4'

const DIGIT_0 = 48
const HEX = Buffer.from('0123456789ABCDEF')
const OPAQUE_AT_BINARY = 13
/** Thirteen digits, as every time of day until the year 2286 has. */
const BORN_MARK = '1000000000000'

/** What is sent. `batch` is the number of messages per request; with 1 they go as SEND_MESSAGE_V2. */
export interface SendShape {
  format: HeaderFormat
  topic: string
  brokerName: string
  queueCount: number
  bodySize: number
  batch: number
  /** Half messages of transactions; not in batches. */
  isHalf?: boolean
}

/** One whole frame for one queue; positions count from its first byte. */
interface Template {
  bytes: Buffer
  opaqueAt: number
  bornAt: number
  /** Where the last eight hex digits of each UNIQ_KEY are. */
  keysAt: number[]
  born: number
}

/**
 * Send requests, one precomputed frame per queue, used in turn. Per message only the opaque, the born
 * time (once per millisecond) and the last digits of UNIQ_KEY change: a key that never changed would
 * make the broker's index cheaper than it is.
 */
export class SendFrames {
  /** Bytes of the longest frame: what `write` needs room for. */
  readonly frameLengthMax: number
  readonly #templates: Template[]
  readonly #writeOpaque: (target: Buffer, at: number, slot: number) => void
  #turn = 0
  #sequence = 0

  constructor(shape: SendShape) {
    const prefix = keyPrefix()
    const queues = Array.from({ length: shape.queueCount }, (_, queueId) => queueId)
    this.#templates = queues.map((queueId) => template(shape, queueId, prefix))
    this.frameLengthMax = Math.max(...this.#templates.map(({ bytes }) => bytes.length))
    this.#writeOpaque = shape.format === 'json' ? writeOpaqueDigits : writeOpaqueWord
  }

  /** Writes the next request at `at` and returns where it ends. `born` is milliseconds since 1970. */
  write(target: Buffer, at: number, slot: number, born: number): number {
    const frame = this.#templates[this.#turn]!
    this.#turn = this.#turn + 1 === this.#templates.length ? 0 : this.#turn + 1
    if (frame.born !== born) setBorn(frame, born)
    target.set(frame.bytes, at)
    this.#writeOpaque(target, at + frame.opaqueAt, slot)
    const keysAt = frame.keysAt
    for (let i = 0; i < keysAt.length; i++) writeHex(target, at + keysAt[i]!, this.#sequence++)
    return at + frame.bytes.length
  }
}

/** The first 24 digits of this process's message ids: address, process and start as in Apache's. */
function keyPrefix(): string {
  const words = [0x7f000001, process.pid & 0xffff, Math.floor(Math.random() * 2 ** 32)]
  return words.map((word) => word.toString(16).toUpperCase().padStart(8, '0')).join('')
}

function template(shape: SendShape, queueId: number, prefix: string): Template {
  const bytes = encodeRequest(shape.format, {
    code: shape.batch > 1 ? RequestCode.SEND_BATCH_MESSAGE : RequestCode.SEND_MESSAGE_V2,
    opaque: OPAQUE_BASE,
    extFields: sendHeader(shape, queueId, propertiesText(prefix, shape.isHalf)),
    body: shape.batch > 1 ? batchBody(shape, propertiesText(prefix)) : bodyOf(shape.bodySize),
  })
  const keysAt = positionsOf(bytes, Buffer.from(prefix)).map((at) => at + prefix.length)
  const opaqueAt = shape.format === 'json' ? bytes.indexOf('"opaque":') + 9 : OPAQUE_AT_BINARY
  return { bytes, opaqueAt, bornAt: bytes.indexOf(BORN_MARK), keysAt, born: 0 }
}

/** SendMessageRequestHeaderV2 with the fields that Apache's producer sets, in its order. */
function sendHeader(shape: SendShape, queueId: number, properties: string): Record<string, string> {
  return {
    a: PRODUCER_GROUP,
    b: shape.topic,
    c: 'TBW102',
    d: '4',
    e: String(queueId),
    f: shape.isHalf === true ? PREPARED : '0',
    g: BORN_MARK,
    h: '0',
    i: properties,
    j: '0',
    k: 'false',
    m: String(shape.batch > 1),
    n: shape.brokerName,
  }
}

function propertiesText(prefix: string, isHalf = false): string {
  const text = `UNIQ_KEY\u0001${prefix}00000000\u0002WAIT\u0001true\u0002`
  return isHalf ? `${text}TRAN_MSG\u0001true\u0002PGROUP\u0001${PRODUCER_GROUP}\u0002` : text
}

function bodyOf(size: number): Buffer {
  return Buffer.alloc(size, 'RingMQ measures what it sends. ')
}

/** Per message: total, magic 0, crc 0, flag (i32 each), body (i32 length), properties (i16 length). */
function batchBody({ bodySize, batch }: SendShape, properties: string): Buffer {
  const message = Buffer.alloc(22 + bodySize + properties.length)
  message.writeInt32BE(message.length, 0)
  message.writeInt32BE(bodySize, 16)
  bodyOf(bodySize).copy(message, 20)
  message.writeInt16BE(properties.length, 20 + bodySize)
  message.write(properties, 22 + bodySize)
  return Buffer.concat(Array.from({ length: batch }, () => message))
}

function positionsOf(bytes: Buffer, pattern: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) found.push(at)
  return found
}

function setBorn(frame: Template, born: number): void {
  frame.bytes.write(String(born), frame.bornAt, 'latin1')
  frame.born = born
}

function writeOpaqueWord(target: Buffer, at: number, slot: number): void {
  target.writeInt32BE(OPAQUE_BASE + slot, at)
}

/** The first four of the ten digits never change. */
function writeOpaqueDigits(target: Buffer, at: number, slot: number): void {
  let rest = slot
  for (let i = 9; i > 3; i--) {
    const digit = rest % 10
    target[at + i] = DIGIT_0 + digit
    rest = (rest - digit) / 10
  }
}

function writeHex(target: Buffer, at: number, value: number): void {
  for (let i = 7, rest = value; i >= 0; i--, rest >>>= 4) target[at + i] = HEX[rest & 15]!
}
