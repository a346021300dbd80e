import { join } from 'node:path'
import { systemDisk, type Disk } from '../../src/base/disk.ts'
import { logFileName } from '../../src/store/log-files.ts'
import { entryCodeOf } from '../../src/store/tags-code.ts'
import { readRecord, RecordParts } from '../../src/store/log-record.ts'
import { messageBytes, type RecordParams } from './records.ts'

/** One message of a log that was built, and the entry that its queue must have. */
export interface BuiltRecord {
  topic: string
  queueId: number
  queueOffset: number
  position: number
  bytes: Buffer
  storeTimestamp: number
  unit: [number, number, number]
}

const BLANK_LENGTH = 8

/** Puts messages one behind the other as a log has them, with a blank at the end of each full file. */
export class LogBuilder {
  readonly fileSize: number
  readonly records: BuiltRecord[] = []
  readonly #files = new Map<number, Buffer>()
  readonly #next = new Map<string, number>()
  #end: number
  #timestamp = 1_700_000_000_000

  constructor({ fileSize, start = 0 }: { fileSize: number; start?: number }) {
    this.fileSize = fileSize
    this.#end = start
  }

  get end(): number {
    return this.#end
  }

  /** The time that the next message is stored at; each takes a millisecond. */
  set timestamp(ms: number) {
    this.#timestamp = ms
  }

  /** Offset of a queue's next message, for logs that begin in the middle. */
  setNext(topic: string, queueId: number, offset: number): this {
    this.#next.set(`${topic}/${queueId}`, offset)
    return this
  }

  add(params: RecordParams = {}): BuiltRecord {
    const { topic = 'Topic', queueId = 0 } = params
    const key = `${topic}/${queueId}`
    const queueOffset = this.#next.get(key) ?? 0
    const storeTimestamp = this.#timestamp++
    const { length } = messageBytes(params)
    this.#makeRoom(length)
    const position = this.#end
    const bytes = messageBytes(params, { position, queueOffset, storeTimestamp })
    this.#put(bytes)
    if ((bytes.readInt32BE(36) & 4) === 0) this.#next.set(key, queueOffset + 1)
    const unit = unitOf(bytes)
    const record = { topic, queueId, queueOffset, position, bytes, storeTimestamp, unit }
    this.records.push(record)
    return record
  }

  addMany(count: number, params: (nth: number) => RecordParams = () => ({})): BuiltRecord[] {
    return Array.from({ length: count }, (_, nth) => this.add(params(nth)))
  }

  /** Units of a queue as recovery must leave them. */
  unitsOf(topic: string, queueId: number): [number, number, number][] {
    return this.records
      .filter((record) => record.topic === topic && record.queueId === queueId)
      .map(({ unit }) => unit)
  }

  /** Changes bytes that were put already. */
  overwrite(position: number, bytes: Uint8Array): void {
    this.#fileOf(position).set(bytes, position % this.fileSize)
  }

  /** Writes the files, and an empty one more when asked for. */
  write(directory: string, options: { isNextMade?: boolean; disk?: Disk } = {}): void {
    const { isNextMade = false, disk = systemDisk } = options
    disk.makeDirectory(directory)
    const files = [...this.#files]
    const next = this.#startOf(this.#end) + this.fileSize
    if (isNextMade) files.push([next, Buffer.alloc(this.fileSize)])
    for (const [start, buffer] of files) {
      const descriptor = disk.create(join(directory, logFileName(start)))
      disk.pwrite(descriptor, { buffer, offset: 0, length: buffer.length, position: 0 })
      disk.truncate(descriptor, buffer.length)
      disk.close(descriptor)
    }
  }

  #makeRoom(length: number): void {
    const left = this.#startOf(this.#end) + this.fileSize - this.#end
    if (length + BLANK_LENGTH <= left) return
    const blank = Buffer.alloc(BLANK_LENGTH)
    blank.writeInt32BE(left, 0)
    blank.writeInt32BE(0xcbd43194 | 0, 4)
    this.#put(blank)
    this.#end += left - BLANK_LENGTH
  }

  #put(bytes: Buffer): void {
    this.#fileOf(this.#end).set(bytes, this.#end % this.fileSize)
    this.#end += bytes.length
  }

  #startOf(position: number): number {
    return position - (position % this.fileSize)
  }

  #fileOf(position: number): Buffer {
    const start = this.#startOf(position)
    let file = this.#files.get(start)
    if (file === undefined) {
      file = Buffer.alloc(this.fileSize)
      this.#files.set(start, file)
    }
    return file
  }
}

function unitOf(bytes: Buffer): [number, number, number] {
  const parts = new RecordParts()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  readRecord(parts, view, 0, bytes.length)
  return [parts.position, parts.length, entryCodeOf(bytes, parts)]
}
