import type { Disk } from '../base/disk.ts'
import {
  emptyHeader,
  indexFileName,
  nextIndexFileName,
  type IndexFormat,
} from '../store/index-file.ts'
import { IndexTable } from '../store/index-table.ts'
import { IndexWriter, type IndexWriterParts } from '../store/index-writer.ts'
import type { RecordParts } from '../store/log-record.ts'
import { indexHashes, propertiesOf } from './record-text.ts'

/** Makes an index from the records of a log in their order. */
export class IndexBuilder {
  readonly #parts: IndexWriterParts
  readonly #nowMs: number
  #writer: IndexWriter | null = null

  constructor(
    disk: Disk,
    directory: string,
    { format, nowMs }: { format: IndexFormat; nowMs: number },
  ) {
    const table = new IndexTable(IndexTable.allocate(format.slots))
    this.#parts = { disk, directory, format, table }
    this.#nowMs = nowMs
  }

  take(record: RecordParts, bytes: Buffer, position: number): void {
    const { topicAt, topicLength, sysFlag, storeTimestamp } = record
    const topic = bytes.toString('utf8', topicAt, topicAt + topicLength)
    for (const hash of indexHashes(topic, sysFlag, propertiesOf(bytes, record))) {
      this.#writer ??= this.#create()
      if (this.#writer.add(hash, position, storeTimestamp)) continue
      this.#writer = this.#create()
      this.#writer.add(hash, position, storeTimestamp)
    }
  }

  close(): void {
    if (this.#writer === null) return
    this.#writer.saveAll(Infinity) // the checkpoint may say already that it is durable
    this.#parts.disk.fdatasync(this.#writer.descriptor)
    this.#writer.close()
  }

  #create(): IndexWriter {
    const before = this.#writer
    this.close()
    this.#parts.table.slots.fill(0)
    const name =
      before === null ? indexFileName(this.#nowMs) : nextIndexFileName(this.#nowMs, before.name)
    return IndexWriter.create(this.#parts, name, emptyHeader(before?.header ?? null))
  }
}
