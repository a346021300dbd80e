import { readSafeInt64, viewOf } from '../../base/bytes.ts'
import { MAIN_WAITER } from '../../store/log-memory.ts'
import { RecordAt } from '../../store/log-record.ts'
import { type PullReader, ReadStatus } from '../../store/pull-reader.ts'
import type { BrokerStore } from '../broker-store.ts'
import { RecordFilter } from '../record-filter.ts'
import type { PopFound, PopPlace, PopRange, PopStore } from './pop-store.ts'

const NOTHING = Buffer.alloc(0)

/** The store as POP sees it. For main. */
export class StoreReads implements PopStore {
  readonly #store: BrokerStore
  readonly #reader: PullReader
  readonly #records = new RecordFilter()

  constructor(store: BrokerStore) {
    this.#store = store
    this.#reader = store.reader
  }

  rowOf(topic: string, queueId: number): number | undefined {
    return this.#store.rows.row(topic, queueId)
  }

  min(row: number): number {
    return this.#store.shared.rows.min(row)
  }

  max(row: number): number {
    return this.#store.shared.rows.max(row)
  }

  next(row: number): number {
    return this.#store.shared.rows.next(row)
  }

  watch(row: number): void {
    this.#store.shared.rows.setWaiter(row, MAIN_WAITER)
  }

  deletedBelow(topic: string): number {
    return this.#store.deleted.below.get(topic) ?? 0
  }

  read(place: PopPlace, range: PopRange): PopFound | Promise<PopFound> {
    const reader = this.#reader
    const { topic, queueId, row } = place
    const { offset, countMax, filter } = range
    const queue = this.#store.unitReader(topic, queueId, row)
    for (;;) {
      reader.find({ row, queue, offset, countMax, filter: filter.tags })
      if (reader.status !== ReadStatus.FOUND) return this.#found(NOTHING)
      if (!reader.isAtHand()) return this.#load(place, range)
      const bytes = Buffer.allocUnsafeSlow(reader.length)
      if (reader.copyOut(bytes, 0)) return this.#filtered(bytes, range)
    }
  }

  /** What was brought is there for sure only while the reader calls back. */
  #load(place: PopPlace, range: PopRange): Promise<PopFound> {
    return new Promise((resolve, reject) => {
      this.#reader.load((error) => {
        if (error === null || this.#reader.isBelowMin(place.row, range.offset)) {
          resolve(this.read(place, range))
        } else reject(error)
      })
    })
  }

  #filtered(bytes: Buffer, { filter: { sql }, since = 0 }: PopRange): PopFound {
    if (sql === null && since === 0) return this.#found(bytes)
    const length = this.#records.keep({ sql, since }, bytes, 0, bytes.length)
    if (length === 0) this.#reader.passOver()
    return this.#found(bytes.subarray(0, length))
  }

  #found(bytes: Buffer): PopFound {
    const { status, nextOffset, minOffset, maxOffset } = this.#reader
    return { status, nextOffset, minOffset, maxOffset, bytes, offsets: offsetsIn(bytes) }
  }
}

function offsetsIn(bytes: Buffer): number[] {
  const view = viewOf(bytes)
  const offsets: number[] = []
  for (let at = 0; at < bytes.length; at += view.getInt32(at)) {
    offsets.push(readSafeInt64(view, at + RecordAt.QUEUE_OFFSET))
  }
  return offsets
}
