import { ByteTable } from '../base/byte-table.ts'
import type { Disk } from '../base/disk.ts'
import { LogFiles } from '../store/log-files.ts'
import { BLANK_LENGTH, BLANK_MAGIC, type RecordParts } from '../store/log-record.ts'
import { LogScan, type Span } from '../store/log-scan.ts'
import { Findings, Part, type Finding, type FoundSome } from './finding.ts'
import { IndexMatch } from './index-match.ts'
import { QueueMatch } from './queue-match.ts'
import { holdsPropertyCrc, propertiesOf } from './record-text.ts'
import { shownPath, type StoreMap } from './store-map.ts'
import type { Tally } from './tally.ts'

const ZEROS = Buffer.alloc(1024 * 1024)

/** What the check of one file of the log found out. */
export interface SegmentChecked {
  start: number
  records: number
  /** Bytes of good records. */
  bytes: number
  /** Behind the last good record; the end of the file when a blank closes it. */
  end: number
  /** Store time of the last good record, ms; 0 without one. */
  lastTimestamp: number
  /** What lies between good records and is none. */
  damage: Span[]
  /** Where bytes that are not zero stand behind the last good record of a file without blank; -1 if none do. */
  tailFrom: number
  /** Right entries by queue. */
  matched: [string, number][]
  deleted: Tally
  behind: Tally
  uncovered: number
  items: number
  found: FoundSome
}

/** One file of the log, record by record, with what queues and index say of each. */
export class SegmentCheck {
  readonly #map: StoreMap
  readonly #start: number
  readonly #files: LogFiles
  readonly #findings = new Findings()
  readonly #queues: QueueMatch
  readonly #index: IndexMatch
  readonly #topics = new ByteTable<string>()
  #records = 0
  #bytes = 0
  #lastEnd: number
  #lastTimestamp = 0

  constructor(disk: Disk, map: StoreMap, start: number) {
    this.#map = map
    this.#start = start
    this.#lastEnd = start
    this.#files = new LogFiles(disk, map.log)
    this.#queues = new QueueMatch(disk, map, this.#findings)
    this.#index = new IndexMatch(disk, map, this.#findings)
  }

  run(): SegmentChecked {
    const fileEnd = this.#files.endOfFile(this.#start)
    this.#index.begin(this.#start)
    const scan = new LogScan(this.#files, { checkCrc: true, timestamp: 0, isMiddle: () => true })
    const end = scan.run(this.#start, fileEnd, (record, bytes, position) => {
      this.#take(record, bytes, position, scan.damage)
    })
    const isClosed = end === fileEnd
    if (isClosed) this.#checkBlank(fileEnd)
    const tailFrom = isClosed ? -1 : this.#firstUsed(end, fileEnd)
    this.#index.end(isClosed || tailFrom === -1 ? fileEnd : end, scan.damage)
    this.#queues.close()
    this.#files.closeAll()
    return this.#result(end, tailFrom, scan.damage)
  }

  #take(record: RecordParts, bytes: Buffer, position: number, damage: readonly Span[]): void {
    this.#records++
    this.#bytes += record.length
    this.#lastEnd = position + record.length
    this.#lastTimestamp = record.storeTimestamp
    const properties = propertiesOf(bytes, record)
    const topic = this.#topicOf(record, bytes)
    const asked = { topic, position, record, bytes, properties }
    const { queueId, queueOffset } = record
    if (properties.has('__CRC32#') && !holdsPropertyCrc(bytes, record)) {
      const text = 'the checksum over the whole record is wrong'
      this.#tell({ position, topic, queueId, offset: queueOffset, text })
    }
    if (record.hasQueueEntry()) this.#queues.take(asked)
    this.#index.take(asked, damage)
  }

  #topicOf({ topicAt, topicLength }: RecordParts, bytes: Buffer): string {
    const known = this.#topics.get(bytes, topicAt, topicLength)
    if (known !== undefined) return known
    const topic = bytes.toString('utf8', topicAt, topicAt + topicLength)
    this.#topics.set(topic, topic)
    return topic
  }

  /** A reader looks at nothing but its magic; a slave takes its length. */
  #checkBlank(fileEnd: number): void {
    const bytes = Buffer.alloc(BLANK_LENGTH)
    this.#files.read(this.#lastEnd, BLANK_LENGTH, bytes, 0)
    if (bytes.readInt32BE(4) !== BLANK_MAGIC) return // told as damage, or the file is full
    const [length, left] = [bytes.readInt32BE(0), fileEnd - this.#lastEnd]
    if (length === left) return
    const text = `the blank record says ${length} bytes, and ${left} are left in the file`
    this.#tell({ position: this.#lastEnd, text })
  }

  /** The first byte that is not zero; -1 when all are. */
  #firstUsed(from: number, end: number): number {
    const bytes = Buffer.alloc(ZEROS.length)
    for (let at = from; at < end;) {
      const read = this.#files.read(at, bytes.length, bytes, 0)
      if (read === 0) return -1
      if (bytes.compare(ZEROS, 0, read, 0, read) !== 0) {
        return at + bytes.findIndex((byte) => byte !== 0)
      }
      at += read
    }
    return -1
  }

  #tell(finding: Omit<Finding, 'part' | 'file'>): void {
    const file = shownPath(this.#map.root, this.#files.path(this.#start))
    this.#findings.add({ part: Part.LOG, file, ...finding })
  }

  #result(end: number, tailFrom: number, damage: Span[]): SegmentChecked {
    return {
      start: this.#start,
      records: this.#records,
      bytes: this.#bytes,
      end,
      lastTimestamp: this.#lastTimestamp,
      damage,
      tailFrom,
      matched: [...this.#queues.matched],
      deleted: this.#queues.deleted,
      behind: this.#queues.behind,
      uncovered: this.#index.uncovered,
      items: this.#index.items,
      found: this.#findings.found(),
    }
  }
}
