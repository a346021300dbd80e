import { lightText } from '../protocol/light-queues.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import type { Rows } from '../ring/rows.ts'
import type { MessageRecord } from './message-record.ts'

/** As long as an offset can get. */
const LONGEST = Number.MAX_SAFE_INTEGER

/**
 * The light queues that one message stands in besides its own. Its offsets there are taken with the one in
 * its own queue, and become a property; until then the message is as long as it can get.
 */
export class LightCopies {
  readonly #record: MessageRecord
  readonly #rows: readonly number[]
  /** The record's suffix without what is written here. */
  readonly #suffix: Buffer

  /** Before the record is prepared. */
  constructor(record: MessageRecord, rows: readonly number[]) {
    this.#record = record
    this.#rows = rows
    const { buffer, at, length } = record.fields.suffix
    this.#suffix = Buffer.from(buffer.subarray(at, at + length))
    this.#write(rows.map(() => LONGEST))
  }

  /** Under the append lock, before the append. */
  number(rows: Rows): void {
    this.#write(this.#rows.map((row) => rows.next(row)))
    this.#record.measure()
  }

  /** Under the append lock, after it. */
  count(rows: Rows): void {
    for (const row of this.#rows) rows.publishNext(row, rows.next(row) + 1)
  }

  #write(offsets: readonly number[]): void {
    const name = MessageProperty.INNER_MULTI_QUEUE_OFFSET
    const pair = Buffer.from(`${name}\u0001${lightText(offsets)}\u0002`)
    this.#record.fields.suffix.setAll(Buffer.concat([this.#suffix, pair]))
  }
}
