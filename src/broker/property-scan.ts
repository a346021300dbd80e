import { decodeProperties } from '../protocol/message.ts'

/**
 * What the properties of a message ask of the broker, found in one pass over their bytes
 * (`name 0x01 value 0x02`). Bits of the result of `scanProperties`.
 */
export const Asks = {
  HAS_UNIQ_KEY: 1,
  /** DELAY with a level. */
  DELAY: 2,
  /** TRAN_MSG = true: half of a transaction. */
  TRANSACTION: 4,
  /** WAIT = false: the sender does not want to wait for flush and slaves. */
  NO_WAIT: 8,
  /** POP_CK: a receipt that must not be stored. */
  POP_RECEIPT: 16,
  /** One of the TIMER_ properties. */
  TIMER: 32,
  /** INNER_MULTI_…: light queues. */
  LIGHT: 64,
} as const

const NAME_END = 1
const PAIR_END = 2

const UNIQ_KEY = Buffer.from('UNIQ_KEY\u0001')
const DELAY = Buffer.from('DELAY\u0001')
const TIMERS = ['TIMER_DELAY_SEC', 'TIMER_DELAY_MS', 'TIMER_DELIVER_MS'].map((name) =>
  Buffer.from(`${name}\u0001`),
)
const ZERO_DELAY = Buffer.from('DELAY\u00010\u0002')
const HALF = Buffer.from('TRAN_MSG\u0001true')
const NO_WAIT = Buffer.from('WAIT\u0001false')
const LIGHT = Buffer.from('INNER_MULTI_')
const POP_RECEIPT = Buffer.from('POP_CK\u0001')

/** The pieces by the first letter of the name: most properties are decided by it alone. */
const U = 0x55
const D = 0x44
const T = 0x54
const W = 0x57
const P = 0x50
const I = 0x49

export function scanProperties(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length
  let asks = 0
  for (let pair = at; pair < end;) {
    asks |= asksOf(bytes, pair, end)
    while (pair < end && bytes[pair] !== PAIR_END) pair++
    pair++
  }
  return asks
}

function asksOf(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]!) {
    case U:
      return startsWith(bytes, at, end, UNIQ_KEY) ? Asks.HAS_UNIQ_KEY : 0
    case D:
    case T:
      return delayOrTransaction(bytes, at, end)
    case W:
      return startsWith(bytes, at, end, NO_WAIT) ? Asks.NO_WAIT : 0
    case P:
      return startsWith(bytes, at, end, POP_RECEIPT) ? Asks.POP_RECEIPT : 0
    case I:
      return startsWith(bytes, at, end, LIGHT) ? Asks.LIGHT : 0
    default:
      return 0
  }
}

function delayOrTransaction(bytes: Uint8Array, at: number, end: number): number {
  if (startsWith(bytes, at, end, HALF)) return Asks.TRANSACTION
  if (startsWith(bytes, at, end, ZERO_DELAY)) return 0
  if (startsWith(bytes, at, end, DELAY)) return Asks.DELAY
  return TIMERS.some((name) => startsWith(bytes, at, end, name)) ? Asks.TIMER : 0
}

function startsWith(bytes: Uint8Array, at: number, end: number, piece: Uint8Array): boolean {
  if (at + piece.length > end) return false
  for (let i = 0; i < piece.length; i++) if (bytes[at + i] !== piece[i]) return false
  return true
}

/** The properties without one pair; `bytes` stays as it is. */
export function withoutProperty(bytes: Uint8Array, name: string): Buffer {
  const text = Buffer.from(bytes).toString('utf8')
  const pairs = text.split(String.fromCharCode(PAIR_END)).filter((pair) => pair !== '')
  const kept = pairs.filter((pair) => !pair.startsWith(name + String.fromCharCode(NAME_END)))
  return Buffer.from(kept.map((pair) => pair + String.fromCharCode(PAIR_END)).join(''))
}

/** The level that DELAY asks for; 0 without one. */
export function delayLevel(bytes: Uint8Array): number {
  const level = decodeProperties(Buffer.from(bytes).toString()).get('DELAY') ?? '0'
  return Math.max(0, Number.parseInt(level, 10) || 0)
}

/** The pair that names the transaction of a half message; empty when the message has no id. */
export function transactionId(bytes: Uint8Array): string {
  const id = decodeProperties(Buffer.from(bytes).toString()).get('UNIQ_KEY')
  return id === undefined ? '' : `__transactionId__\u0001${id}\u0002`
}
