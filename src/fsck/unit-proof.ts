import { dirname, join } from 'node:path'
import { crc32 } from '../base/crc32.ts'
import { viewOf } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'
import { UNIT_LENGTH, readUnit, type Unit } from '../store/consume-queue.ts'
import { LogFiles, logFileName } from '../store/log-files.ts'
import { RecordKind, RecordParts, readRecord } from '../store/log-record.ts'
import { otherQueues, propertiesOf } from './record-text.ts'
import type { QueueFiles, Segments } from './store-map.ts'

/** A record with its topic and properties, and then some: entries that say more are wrong. */
const LENGTH_MAX = 128 * 1024 * 1024

/** Holds entries of one queue against the records that they point to. */
export class UnitProof {
  readonly #disk: Disk
  readonly #files: LogFiles
  readonly #log: Segments
  readonly #queue: QueueFiles
  readonly #record = new RecordParts()
  #isOther = false
  #bytes = Buffer.alloc(4096)

  constructor(disk: Disk, log: Segments, queue: QueueFiles) {
    this.#disk = disk
    this.#files = new LogFiles(disk, log)
    this.#log = log
    this.#queue = queue
  }

  /** Null when the message of this offset stands there. */
  fault({ position, length }: Unit, offset: number): string | null {
    this.#isOther = false
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
    this.#isOther = !this.#isOf(offset)
    return this.#isOther ? `where ${this.whose()} stands` : null
  }

  /** Whether the entry that was looked at last leads to a whole message of another name. */
  get isOther(): boolean {
    return this.#isOther
  }

  /** Whether that message has an entry where its own name says. */
  isClaimed(): boolean {
    const { queueId, queueOffset, position } = this.#record
    const topic = this.#topic()
    const at = queueOffset * UNIT_LENGTH
    if (!Number.isSafeInteger(at) || at < 0 || /^\.{0,2}$|[/\0]/.test(topic)) return false
    const { directory, fileSize } = this.#queue
    const folder = join(dirname(dirname(directory)), topic, String(queueId))
    const path = join(folder, logFileName(at - (at % fileSize)))
    return this.#disk.exists(path) && this.#positionAt(path, at % fileSize) === position
  }

  /** The name that the message gives itself. */
  whose(): string {
    const { queueId, queueOffset } = this.#record
    return `message ${queueOffset} of topic ${this.#topic()} queue ${queueId}`
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

  /** Of the message that an entry leads to; -1 when none is there. */
  #positionAt(path: string, at: number): number {
    const buffer = Buffer.alloc(UNIT_LENGTH)
    const descriptor = this.#disk.openRead(path)
    this.#disk.pread(descriptor, { buffer, offset: 0, length: UNIT_LENGTH, position: at })
    this.#disk.close(descriptor)
    const unit: Unit = { position: 0, length: 0, tagsCode: 0 }
    readUnit(unit, viewOf(buffer), 0)
    return unit.length > 0 ? unit.position : -1
  }

  #topic(): string {
    const { topicAt, topicLength } = this.#record
    return this.#bytes.toString('utf8', topicAt, topicAt + topicLength)
  }
}
