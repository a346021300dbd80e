import { setImmediate as nextTurn } from 'node:timers/promises'
import { MessageProperty } from '../protocol/message-property.ts'
import { decodeProperties } from '../protocol/message.ts'
import type { FileReader, FileSource } from './file-source.ts'
import { IndexChain } from './index-chain.ts'
import {
  isIndexFileName,
  type IndexFormat,
  type IndexHeader,
  type IndexItem,
} from './index-file.ts'
import type { CurrentIndex, IndexTable } from './index-table.ts'
import { keyHash } from './record-keys.ts'
import type { RecordSieve, StoredRecord, StoredRecords } from './stored-records.ts'

/** Items that one query looks at, at most: chains of a key that every message has are long. */
const ITEMS_MAX = 100_000
/** Messages of other keys with the same hash that one query looks at, at most: anybody can make some. */
const REJECTED_MAX = 1000
/** Bytes of the log that one query reads, at most, whatever comes of them. */
const READ_MAX = 32 * 1024 * 1024
/** Bytes of messages in one answer, beyond the first: well below what a client takes in one frame. */
const BYTES_MAX = 8 * 1024 * 1024
/** A slot may name an item that dispatch is about to write: it is in the file a moment later. */
const TRIES = 50
const TRY_MS = 2
/** Items know the second. */
const SECOND_MS = 1000

export interface IndexQuery {
  topic: string
  key: string
  max: number
  /** Store times in ms; both are included. */
  begin: number
  end: number
}

export interface IndexAnswer {
  /** In the order of the log. */
  records: Buffer[]
  /** Of the newest message in the index; zeros without one. */
  lastTimestamp: number
  lastPosition: number
}

export interface IndexReaderParts {
  files: FileSource
  format: IndexFormat
  /** Null: nobody adds to the index. */
  table: IndexTable | null
  records: StoredRecords
}

/** What one query has found so far, and what it has cost. */
class Search implements RecordSieve {
  readonly query: IndexQuery
  readonly hash: number
  readonly found = new Map<number, Buffer>()
  readonly rejected = new Set<number>()
  looked = 0
  bytes = 0
  bytesRead = 0

  constructor(query: IndexQuery) {
    this.query = query
    this.hash = keyHash(query.topic, query.key)
  }

  /** With what was found by then. */
  get isOver(): boolean {
    return (
      this.found.size >= this.query.max ||
      this.looked >= ITEMS_MAX ||
      this.rejected.size >= REJECTED_MAX ||
      this.bytesRead >= READ_MAX ||
      this.bytes >= BYTES_MAX
    )
  }

  /** A message may have an item for each of its keys. */
  hasSeen(position: number): boolean {
    return this.found.has(position) || this.rejected.has(position)
  }

  isWanted(record: StoredRecord): boolean {
    return isSought(record, this.query)
  }

  take(position: number, record: StoredRecord | null): void {
    if (record === null) this.rejected.add(position)
    else {
      this.found.set(position, record.bytes)
      this.bytes += record.bytes.length
    }
  }
}

/**
 * Finds messages by key, newest first, in the index files and in what dispatch shares of the newest
 * one. Every message that is found is looked at: its key, not only the hash of it, is the one sought.
 */
export class IndexReader {
  readonly #parts: IndexReaderParts

  constructor(parts: IndexReaderParts) {
    this.#parts = parts
  }

  /** The newest `max` messages of the topic that have the key and were stored between the times. */
  async query(query: IndexQuery): Promise<IndexAnswer> {
    const search = new Search(query)
    let last: IndexHeader | null = null
    for await (const { chain, current } of this.#filesNewestFirst()) {
      const isNewest = last === null
      last ??= chain.header
      const { beginTimestamp, endTimestamp } = chain.header
      // The newest file's header may be an old one while dispatch takes up what it does not count.
      if (beginTimestamp <= query.end && (isNewest || endTimestamp >= query.begin)) {
        await this.#searchFile(search, chain, current)
      }
      if (search.isOver || beginTimestamp < query.begin) break
    }
    const sorted = [...search.found].toSorted(([a], [b]) => a - b)
    return {
      records: sorted.map(([, bytes]) => bytes),
      lastTimestamp: last?.endTimestamp ?? 0,
      lastPosition: last?.endPosition ?? 0,
    }
  }

  async *#filesNewestFirst(): AsyncGenerator<{
    chain: IndexChain
    current: CurrentIndex | null
  }> {
    const { files, format, table } = this.#parts
    const current = table?.current() ?? null
    const names = (await files.names()).filter(isIndexFileName)
    if (current !== null && !names.includes(current.name)) names.push(current.name)
    for (const name of names.toSorted().toReversed()) {
      const file = await files.open(name)
      if (file === null) continue
      try {
        const isCurrent = name === current?.name
        const chain = isCurrent
          ? new IndexChain(file, format, current.header)
          : await openChain(file, format)
        if (chain !== null) yield { chain, current: isCurrent ? current : null }
      } finally {
        await file.close()
      }
    }
  }

  async #searchFile(
    search: Search,
    chain: IndexChain,
    current: CurrentIndex | null,
  ): Promise<void> {
    const { begin, end } = search.query
    const { beginTimestamp } = chain.header
    const item: IndexItem = { hash: 0, position: 0, seconds: 0, previous: 0 }
    let nth = await this.#newest(search.hash % this.#parts.format.slots, chain, current)
    while (!search.isOver && (await chain.read(item, nth))) {
      search.looked++
      // The first item tells its time from the end of the file before.
      const time = nth === 1 ? beginTimestamp : beginTimestamp + item.seconds * SECOND_MS
      const isNear = time <= end && time + SECOND_MS > begin
      if (item.hash === search.hash && isNear) await this.#look(search, item.position)
      if (item.previous >= nth || time + SECOND_MS <= begin) return
      nth = item.previous
    }
  }

  async #newest(slot: number, chain: IndexChain, current: CurrentIndex | null): Promise<number> {
    const { table } = this.#parts
    for (let tries = 0; current !== null && tries < TRIES; tries++) {
      const nth = table!.itemOf(slot, current.generation)
      if (nth === null) break // by now the file is full, and its slots are in it
      if (nth < (table!.current()?.header.count ?? 0)) return nth
      await new Promise((resolve) => setTimeout(resolve, TRY_MS))
    }
    return chain.newest(slot)
  }

  async #look(search: Search, position: number): Promise<void> {
    if (search.hasSeen(position)) return
    search.take(position, await this.#parts.records.at(position, search))
    await nextTurn() // what lies in memory is found without one, and there may be many queries
  }
}

async function openChain(file: FileReader, format: IndexFormat): Promise<IndexChain | null> {
  const chain = await IndexChain.open(file, format)
  return chain !== null && chain.header.count > 1 ? chain : null
}

function isSought({ bytes, parts }: StoredRecord, query: IndexQuery): boolean {
  const { topicAt, topicLength, propertiesAt, propertiesLength, storeTimestamp } = parts
  if (storeTimestamp < query.begin || storeTimestamp > query.end) return false
  if (bytes.toString('utf8', topicAt, topicAt + topicLength) !== query.topic) return false
  const text = bytes.toString('utf8', propertiesAt, propertiesAt + propertiesLength)
  const properties = decodeProperties(text)
  if (properties.get(MessageProperty.UNIQ_KEY) === query.key) return true
  return properties.get(MessageProperty.KEYS)?.split(' ').includes(query.key) === true
}
