import { crc32 } from '../base/crc32.ts'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import type { Unit } from '../store/consume-queue.ts'
import { LogFiles } from '../store/log-files.ts'
import { RecordKind, RecordParts, readRecord } from '../store/log-record.ts'
import { otherQueues, propertiesOf } from './record-text.ts'
import type { QueueFiles, Segments } from './store-map.ts'

/** A record with its topic and properties, and then some: entries that say more are wrong. */
const LENGTH_MAX = 128 * 1024 * 1024

/** Holds entries of one queue against the records that they point to. */
export class UnitProof {
  readonly #files: LogFiles
  readonly #log: Segments
  readonly #queue: QueueFiles
  readonly #record = new RecordParts()
  #bytes = Buffer.alloc(4096)

  constructor(disk: Disk, log: Segments, queue: QueueFiles) {
    this.#files = new LogFiles(disk, log)
    this.#log = log
    this.#queue = queue
  }

  /** Null when the message of this offset stands there. */
  fault({ position, length }: Unit, offset: number): string | null {
    const start = this.#files.startOfFile(position)
    if (position < 0 || !this.#log.starts.includes(start)) return 'and the log has no such file'
    if (length <= 0 || length > Math.min(LENGTH_MAX, this.#log.fileSize)) {
      return `and says ${length} bytes`
    }
    if (length > this.#bytes.length) this.#bytes = Buffer.alloc(length)
    const read = this.#files.read(position, length, this.#bytes, 0)
    const kind = readRecord(this.#record, viewOf(this.#bytes), 0, read)
    if (kind !== RecordKind.MESSAGE || this.#record.position !== position) {
      return 'where no message stands'
    }
    if (this.#record.length !== length) return `and says ${length} bytes of ${this.#record.length}`
    if (!this.#hasGoodBody()) return 'where a damaged message stands'
    return this.#isOf(offset) ? null : this.#whose()
  }

  close(): void {
    this.#files.closeAll()
  }

  #hasGoodBody(): boolean {
    const { bodyAt, bodyLength, bodyCrc } = this.#record
    return (crc32(viewOf(this.#bytes), bodyAt, bodyLength) & 0x7fffffff) === bodyCrc
  }

  #isOf(offset: number): boolean {
    const { topic, queueId } = this.#queue
    const record = this.#record
    const isItsOwn = record.queueId === queueId && record.queueOffset === offset
    if (isItsOwn && this.#topic() === topic) return true
    return otherQueues(propertiesOf(this.#bytes, record), record.queueId).some(
      (other) => other.name === topic && other.queueId === queueId && other.offset === offset,
    )
  }

  #whose(): string {
    const { queueId, queueOffset } = this.#record
    return `where message ${queueOffset} of topic ${this.#topic()} queue ${queueId} stands`
  }

  #topic(): string {
    const { topicAt, topicLength } = this.#record
    return this.#bytes.toString('utf8', topicAt, topicAt + topicLength)
  }
}
