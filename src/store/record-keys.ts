import { javaHashCode } from '../base/java-hash.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { MessageFlag } from '../protocol/message.ts'
import type { RecordParts } from './log-record.ts'

const UNIQUE_KEY = Buffer.from(`${MessageProperty.UNIQ_KEY}\u0001`)
const KEYS = Buffer.from(`${MessageProperty.KEYS}\u0001`)
const PAIR_END = 2
const HASH_SIGN = 0x23
const BLANK = 0x20
const ASCII_END = 0x80
const { TRANSACTION_ROLLBACK } = MessageFlag
const INT32_MIN = -0x80000000

/** The hash of a key of a topic (Apache 5.3.3, IndexFile.indexKeyHashMethod): never negative. */
export function keyHash(topic: string, key: string): number {
  return unsigned(javaHashCode(`${topic}#${key}`))
}

/** Math.abs of Java leaves its least int negative, and Apache makes that 0. */
function unsigned(hash: number): number {
  return hash === INT32_MIN ? 0 : Math.abs(hash)
}

/**
 * Finds what a record is indexed by, from its bytes: first the value of UNIQ_KEY, then each word of
 * KEYS (Apache 5.3.3, IndexService.buildIndex). Roll-backs have no keys. Reused from record to record.
 */
export class RecordKeys {
  readonly hashes: number[] = []
  #uniqueAt = -1
  #uniqueEnd = -1
  #keysAt = -1
  #keysEnd = -1

  /** Returns how many of `hashes` count. */
  find(bytes: Buffer, record: RecordParts): number {
    const { propertiesAt, propertiesLength, sysFlag } = record
    if ((sysFlag & TRANSACTION_ROLLBACK) === TRANSACTION_ROLLBACK) return 0
    this.#scan(bytes, propertiesAt, propertiesAt + propertiesLength)
    if (this.#uniqueAt === -1 && this.#keysAt === -1) return 0
    const prefix = prefixHash(bytes, record.topicAt, record.topicAt + record.topicLength)
    let count = 0
    if (this.#uniqueAt !== -1) {
      this.hashes[count++] = hashOf(bytes, prefix, record, this.#uniqueAt, this.#uniqueEnd)
    }
    for (let at = this.#keysAt; at !== -1 && at < this.#keysEnd; at++) {
      let end = at
      while (end < this.#keysEnd && bytes[end] !== BLANK) end++
      if (end > at) this.hashes[count++] = hashOf(bytes, prefix, record, at, end)
      at = end
    }
    return count
  }

  /** Of two pairs of one name the last counts, and one without a value is none, as in Java's map. */
  #scan(bytes: Buffer, from: number, to: number): void {
    this.#uniqueAt = this.#keysAt = -1
    for (let pair = from; pair < to; pair++) {
      let end = pair
      while (end < to && bytes[end] !== PAIR_END) end++
      if (isNamed(KEYS, bytes, pair, end)) {
        this.#keysAt = pair + KEYS.length
        this.#keysEnd = end
      } else if (isNamed(UNIQUE_KEY, bytes, pair, end)) {
        this.#uniqueAt = pair + UNIQUE_KEY.length
        this.#uniqueEnd = end
      }
      pair = end
    }
  }
}

function isNamed(name: Buffer, bytes: Buffer, at: number, end: number): boolean {
  if (bytes[at] !== name[0] || end - at <= name.length) return false
  for (let i = 1; i < name.length; i++) if (bytes[at + i] !== name[i]) return false
  return true
}

/** Of `topic#`; null when the topic is not ASCII, whose bytes are its UTF-16 units. */
function prefixHash(bytes: Buffer, at: number, end: number): number | null {
  let hash = 0
  for (let i = at; i < end; i++) {
    if (bytes[i]! >= ASCII_END) return null
    hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  }
  return (Math.imul(hash, 31) + HASH_SIGN) | 0
}

function hashOf(
  bytes: Buffer,
  prefix: number | null,
  { topicAt, topicLength }: RecordParts,
  at: number,
  end: number,
): number {
  let hash = prefix
  for (let i = at; i < end && hash !== null; i++) {
    hash = bytes[i]! < ASCII_END ? (Math.imul(hash, 31) + bytes[i]!) | 0 : null
  }
  if (hash !== null) return unsigned(hash)
  return keyHash(
    bytes.toString('utf8', topicAt, topicAt + topicLength),
    bytes.toString('utf8', at, end),
  )
}
