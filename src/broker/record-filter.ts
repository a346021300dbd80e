import { viewOf } from '../base/bytes.ts'
import type { SqlFilter } from '../filter/sql-filter.ts'
import { propertyIn } from '../protocol/message.ts'
import { readRecord, RecordKind, RecordParts } from '../store/log-record.ts'

/** Which records a reply keeps. */
export interface RecordCondition {
  /** On properties; null: whatever they are. */
  sql: SqlFilter | null
  /** Stored then or later, in ms. */
  since: number
}

/** Takes records out of a reply that a consumer does not want, or not any more. For one thread. */
export class RecordFilter {
  readonly #record = new RecordParts()
  #bytes: Buffer = Buffer.alloc(0)
  /** Of the record that is looked at, once a property was asked for. */
  #text: string | null = null

  /** How many records the last `keep` has kept. */
  count = 0

  /** Moves those that match together from `at` on; returns how many bytes they have. */
  keep({ sql, since }: RecordCondition, bytes: Buffer, at: number, length: number): number {
    const view = viewOf(bytes)
    const end = at + length
    let keptEnd = at
    this.#bytes = bytes
    this.count = 0
    for (let next = at; next < end; next += this.#record.length) {
      if (readRecord(this.#record, view, next, end) !== RecordKind.MESSAGE) break
      this.#text = null
      if (this.#record.storeTimestamp < since) continue
      if (sql !== null && !sql.matches(this.#lookup)) continue
      if (keptEnd !== next) bytes.copyWithin(keptEnd, next, next + this.#record.length)
      keptEnd += this.#record.length
      this.count++
    }
    return keptEnd - at
  }

  readonly #lookup = (name: string): string | null => {
    return propertyIn((this.#text ??= this.#properties()), name)
  }

  #properties(): string {
    const { propertiesAt, propertiesLength } = this.#record
    return this.#bytes.toString('utf8', propertiesAt, propertiesAt + propertiesLength)
  }
}
