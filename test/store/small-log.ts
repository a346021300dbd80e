import { LogAppender, type AppendStatus, type RecordSource } from '../../src/store/log-appender.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import { SimDisk } from '../sim/sim-disk.ts'

export const SMALL_WINDOW = 256
const SMALL_SLACK = 128
const ROWS = 4
const THREADS = 6
const FILES = 8

/** A log of a few hundred bytes on files in memory, with one thread on it. */
export class SmallLog {
  readonly disk = new SimDisk()
  readonly shared: LogShared
  readonly window: LogWindow
  readonly files: LogFiles
  readonly appender: LogAppender
  readonly writer: LogWriter
  readonly fileSize: number
  now = 1000

  constructor({ fileSize = 1024, start = 0, files = FILES } = {}) {
    const memory = allocateLogMemory({
      windowSize: SMALL_WINDOW,
      slack: SMALL_SLACK,
      threads: THREADS,
      rows: ROWS,
    })
    this.fileSize = fileSize
    this.shared = new LogShared(memory, Thread.MAIN)
    this.shared.start(start, { minPosition: start, timestamp: 0 })
    this.window = new LogWindow(this.shared)
    this.files = new LogFiles(this.disk, { directory: '/log', fileSize })
    const first = start - (start % fileSize)
    for (let nth = 0; nth < files; nth++) this.files.create(first + nth * fileSize)
    this.shared.publishCreated(first + files * fileSize)
    const clock = { now: () => this.now }
    this.appender = new LogAppender(this.shared, this.window, { fileSize, clock })
    this.writer = new LogWriter(this.shared, this.window, this.files, this.disk)
  }

  /** Appends a record of `length` bytes that are all `fill`. */
  append(length: number, { fill = 1, row = 0, count = 1 } = {}): SmallAppend {
    const source = new FilledSource({ length, fill, row, count })
    const status = this.appender.append(source)
    const { position, queueOffset, storeTimestamp } = source
    return { status, position, queueOffset, storeTimestamp }
  }

  /** What the files hold of `[position, position + length)`; all in one of them. */
  fileBytes(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    const count = this.files.read(position, length, bytes, 0)
    return bytes.subarray(0, count)
  }

  windowBytes(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    this.window.copyOut(position, length, bytes, 0)
    return bytes
  }
}

export interface SmallAppend {
  status: AppendStatus
  position: number
  queueOffset: number
  storeTimestamp: number
}

class FilledSource implements RecordSource {
  readonly row: number
  readonly length: number
  readonly count: number
  position = 0
  queueOffset = 0
  storeTimestamp = 0
  readonly #fill: number

  constructor(source: { length: number; fill: number; row: number; count: number }) {
    this.row = source.row
    this.length = source.length
    this.count = source.count
    this.#fill = source.fill
  }

  encodeInto(window: LogWindow, index: number): void {
    window.bytes.fill(this.#fill, index, index + this.length)
  }
}
