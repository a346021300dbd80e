import type { BrokerConfig } from '../config/broker.ts'
import { filesIn } from '../store/file-source.ts'
import { IndexReader, type IndexAnswer, type IndexQuery } from '../store/index-reader.ts'
import { IndexTable } from '../store/index-table.ts'
import type { LogShared } from '../store/log-memory.ts'
import { LogWindow } from '../store/log-window.ts'
import { storePlaces } from '../store/store-places.ts'
import { type LotItem, type Place, StoredLots } from '../store/stored-lots.ts'
import { StoredRecords } from '../store/stored-records.ts'
import { visibleOf } from '../store/visible.ts'

/** Messages that are looked for one by one: what main's handlers see of them. */
export interface MessageQueries {
  /** The newest messages that have the key. */
  byKey(query: IndexQuery): Promise<IndexAnswer>
  /** The stored bytes of the message that begins there; null when there is none (any more). */
  at(position: number): Promise<Buffer | null>
  /** Many at once. */
  lot(places: readonly Place[]): Promise<LotItem[]>
}

/** Those of a store that is open. For main. */
export function messageQueries(shared: LogShared, config: BrokerConfig): MessageQueries {
  const { logDirectory, logFileSize, indexDirectory } = storePlaces(config)
  const log = {
    window: new LogWindow(shared),
    files: filesIn(logDirectory),
    fileSize: logFileSize,
    visible: visibleOf(shared, config.flushDiskType === 'SYNC_FLUSH'),
  }
  const records = new StoredRecords(shared, log)
  const lots = new StoredLots(shared, log)
  const reader = new IndexReader({
    files: filesIn(indexDirectory),
    format: { slots: config.maxHashSlotNum, items: config.maxIndexNum },
    table: config.messageIndexEnable ? new IndexTable(shared.memory.index) : null,
    records,
  })
  return {
    byKey: (query) => reader.query(query),
    at: async (position) => (await records.at(position))?.bytes ?? null,
    lot: (places) => lots.read(places),
  }
}
