/**
 * Changes of topics and groups, one line each, synced before the request that made them is
 * answered. RingMQ's own file beside Apache's JSONs, which follow a moment later; then it is emptied.
 *
 *   3f2a90b1 {"table":"topics", …}\n        CRC-32 of the text in eight hex digits, blank, text
 *
 * A crash can tear the last lines; reading stops at the first line whose CRC does not hold.
 */
import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncFolder } from './config-json.ts'

const CRC_LENGTH = 8
const LINE_FEED = 0x0a

/** A change could not be made durable. It is in memory, and in the JSONs once the disk takes them. */
export class JournalError extends Error {
  override name = 'JournalError'
}

export class MetadataJournal {
  readonly #path: string
  readonly #file: FileHandle
  /** Bytes whose lines are whole and durable. */
  #length: number
  #lines: string[] = []
  /** The write that takes the lines gathered in this turn; null when it has not been asked for yet. */
  #batch: Promise<void> | null = null
  #lastBatch: Promise<void> = Promise.resolve()
  /** After a failed write or sync nobody knows what is in the file, until it is emptied. */
  #fault: JournalError | null = null

  private constructor(path: string, file: FileHandle, length: number) {
    this.#path = path
    this.#file = file
    this.#length = length
  }

  /** Opens or makes the file. `texts` are the changes found in it; what is torn behind them is cut off. */
  static async open(path: string): Promise<{ journal: MetadataJournal; texts: string[] }> {
    await mkdir(dirname(path), { recursive: true })
    const file = await open(path, constants.O_RDWR | constants.O_CREAT)
    await syncFolder(dirname(path))
    const { texts, length } = readLines(await file.readFile())
    await file.truncate(length)
    return { journal: new MetadataJournal(path, file, length), texts }
  }

  /** Bytes of all changes that are durable. */
  get length(): number {
    return this.#length
  }

  /** Adds one change. Resolves when it is durable; all of one turn share one sync. Rejects with JournalError. */
  append(text: string): Promise<void> {
    if (this.#fault !== null) return Promise.reject(this.#fault)
    this.#lines.push(toLine(text))
    if (this.#batch === null) {
      this.#batch = this.#lastBatch.then(() => this.#writeLines())
      this.#lastBatch = this.#batch.catch(() => {}) // whoever appended hears of it
    }
    return this.#batch
  }

  /** Resolves when nothing is on its way to the disk any more, whether it got there or not. */
  settled(): Promise<void> {
    return this.#lastBatch
  }

  /** Empties the file if it still ends at `length`: someone has made all before it durable elsewhere. */
  async clear(length: number): Promise<boolean> {
    await this.settled()
    if (this.#length !== length || this.#lines.length > 0) return false
    if (length === 0 && this.#fault === null) return true
    this.#length = 0 // first: a change that comes now is written from the start
    this.#lastBatch = this.#truncate().catch(() => {})
    await this.#lastBatch
    return this.#fault === null
  }

  async close(): Promise<void> {
    await this.settled()
    await this.#file.close()
  }

  async #truncate(): Promise<void> {
    try {
      await this.#file.truncate(0)
      await this.#file.sync()
      this.#fault = null
    } catch (error) {
      throw this.#fail(error)
    }
  }

  async #writeLines(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#batch = null
    if (this.#fault !== null) throw this.#fault
    try {
      await writeWhole(this.#file, bytes, this.#length)
      await this.#file.datasync()
    } catch (error) {
      throw this.#fail(error)
    }
    this.#length += bytes.length
  }

  #fail(cause: unknown): JournalError {
    this.#fault = new JournalError(`${this.#path}: ${(cause as Error).message}`, { cause })
    return this.#fault
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function toLine(text: string): string {
  return `${crcOf(text)} ${text}\n`
}

function crcOf(text: string | Uint8Array): string {
  return crc32(text).toString(16).padStart(CRC_LENGTH, '0')
}

/** The texts of all whole lines from the start, and how many bytes they take. */
function readLines(bytes: Buffer): { texts: string[]; length: number } {
  const texts: string[] = []
  let length = 0
  for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, length)) {
    const crc = bytes.toString('latin1', length, length + CRC_LENGTH)
    const text = bytes.subarray(length + CRC_LENGTH + 1, end)
    if (crc !== crcOf(text)) break
    texts.push(text.toString())
    length = end + 1
  }
  return { texts, length }
}
