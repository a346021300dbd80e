import { viewOf } from '../base/bytes.ts'
import type { SqlFilter } from '../filter/sql-filter.ts'
import { readRecord, RecordKind, RecordParts } from '../store/log-record.ts'

const NAME_END = 1
const PAIR_END = 2
/** Names that expressions ask for; each has its bytes made once. */
const NAMES_MAX = 10_000

/** Takes records out of a reply whose properties a consumer does not want. For one thread. */
export class PropertyFilter {
  readonly #record = new RecordParts()
  readonly #names = new Map<string, Buffer>()
  #bytes: Buffer = Buffer.alloc(0)

  /** Moves those that match together from `at` on; returns how many bytes they have. */
  keep(filter: SqlFilter, bytes: Buffer, at: number, length: number): number {
    const view = viewOf(bytes)
    const end = at + length
    let keptEnd = at
    this.#bytes = bytes
    for (let next = at; next < end; next += this.#record.length) {
      if (readRecord(this.#record, view, next, end) !== RecordKind.MESSAGE) break
      if (!filter.matches(this.#lookup)) continue
      if (keptEnd !== next) bytes.copyWithin(keptEnd, next, next + this.#record.length)
      keptEnd += this.#record.length
    }
    return keptEnd - at
  }

  /** Of two pairs with one name the last counts, as in Java's map; none has an empty value. */
  readonly #lookup = (name: string): string | null => {
    const key = this.#bytesOf(name)
    const { propertiesAt, propertiesLength } = this.#record
    const end = propertiesAt + propertiesLength
    let found: string | null = null
    for (let pair = propertiesAt; pair < end;) {
      const pairEnd = this.#endOf(pair, end)
      const value = pair + key.length
      if (value < pairEnd && startsWith(this.#bytes, pair, key)) {
        found = this.#bytes.toString('utf8', value, pairEnd)
      }
      pair = pairEnd + 1
    }
    return found
  }

  #endOf(pair: number, end: number): number {
    let at = pair
    while (at < end && this.#bytes[at] !== PAIR_END) at++
    return at
  }

  #bytesOf(name: string): Buffer {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    if (this.#names.size === NAMES_MAX) this.#names.clear()
    const bytes = Buffer.concat([Buffer.from(name), Buffer.of(NAME_END)])
    this.#names.set(name, bytes)
    return bytes
  }
}

function startsWith(bytes: Buffer, at: number, key: Buffer): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[at + i] !== key[i]) return false
  return true
}
