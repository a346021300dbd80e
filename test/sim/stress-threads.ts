import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { AppendStatus, LogAppender } from '../../src/store/log-appender.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { BLANK_LENGTH } from '../../src/store/log-record.ts'
import { LogShared, Thread, type LogMemory } from '../../src/store/log-memory.ts'
import { LogReader } from '../../src/store/log-reader.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import { Random } from './random.ts'
import {
  BLANK,
  readStressRecord,
  STRESS_APPEND_MAX,
  StressSource,
  type StressRecord,
} from './stress-record.ts'

/** What every thread of a stress run is started with. */
export interface StressBoot {
  memory: LogMemory
  thread: number
  role: 'appender' | 'follower' | 'keeper'
  appender: number
  appenders: number
  appends: number
  directory: string
  fileSize: number
  seed: number
}

/** What a thread has done, for the record of the run. */
export interface StressCounts {
  appends: number
  records: number
  noRoom: number
  noFile: number
  windowReads: number
  fileReads: number
  filesMade: number
}

export function noCounts(): StressCounts {
  return {
    appends: 0,
    records: 0,
    noRoom: 0,
    noFile: 0,
    windowReads: 0,
    fileReads: 0,
    filesMade: 0,
  }
}

/** Followers may be this far behind before no more files are made: they lie in a temp folder. */
const LAG_FILES_MAX = 64
/** So much is appended at most before a write, as in a turn of a worker: sometimes more than fits. */
const TURN_MAX = 120
const CHUNK = 64 * 1024

/** One thread's part; `step` does a little of it and says whether there is more. */
export interface StressThread {
  readonly counts: StressCounts
  step(): boolean
}

export function stressThread(boot: StressBoot): StressThread {
  if (boot.role === 'keeper') return new FileKeeper(boot)
  return boot.role === 'follower' ? new Follower(boot) : new Appender(boot)
}

class Parts {
  readonly shared: LogShared
  readonly window: LogWindow
  readonly files: LogFiles

  constructor(boot: StressBoot) {
    this.shared = new LogShared(boot.memory, boot.thread)
    this.window = new LogWindow(this.shared)
    this.files = new LogFiles(systemDisk, boot)
  }

  /** A moment for others; ended by any wake. */
  pause(ms: number): void {
    this.shared.signal.sleep(this.shared.signal.seen(), ms)
  }
}

/** Appends as a network worker does: a turn of appends, then a write; and reads back some. */
class Appender implements StressThread {
  readonly counts = noCounts()
  readonly #parts: Parts
  readonly #boot: StressBoot
  readonly #source: StressSource
  readonly #appender: LogAppender
  readonly #writer: LogWriter
  readonly #reader: LogReader
  readonly #random: Random
  readonly #copy = Buffer.alloc(STRESS_APPEND_MAX)
  readonly #copyView = new DataView(this.#copy.buffer, this.#copy.byteOffset)
  readonly #record: StressRecord = newRecord()
  #kept = { position: -1, length: 0 }

  constructor(boot: StressBoot) {
    this.#boot = boot
    this.#parts = new Parts(boot)
    const { shared, window, files } = this.#parts
    this.#source = new StressSource(boot.appender)
    this.#appender = new LogAppender(shared, window, { ...boot, clock: systemClock })
    this.#writer = new LogWriter(shared, window, files, systemDisk)
    this.#reader = new LogReader(shared, window, files)
    this.#random = new Random(boot.seed * 64 + boot.appender)
  }

  step(): boolean {
    const turn = 1 + this.#random.below(TURN_MAX)
    const left = this.#boot.appends - this.counts.appends
    for (let nth = Math.min(turn, left); nth > 0; nth--) this.#append()
    this.#write()
    this.#readBack()
    this.#parts.files.closeBelow(this.#parts.shared.minPosition.value())
    return this.counts.appends < this.#boot.appends
  }

  #append(): void {
    const source = this.#source
    source.next()
    for (;;) {
      const status = this.#appender.append(source)
      if (status === AppendStatus.OK) break
      if (status === AppendStatus.NO_FILE) this.#awaitFile()
      else this.#makeRoom()
    }
    this.counts.appends++
    this.counts.records += source.count
    if (this.counts.appends % 16 === 0) {
      this.#kept = { position: source.position, length: source.length }
    }
  }

  #awaitFile(): void {
    this.counts.noFile++
    this.#parts.shared.signalOf(Thread.FLUSH).rouse()
    this.#parts.pause(0.05)
  }

  #makeRoom(): void {
    this.counts.noRoom++
    this.#write()
    this.#parts.pause(0.05) // a reader may have its floor there
  }

  #write(): void {
    if (!this.#writer.write()) throw new Error('the disk refused')
    this.#parts.shared.signalOf(Thread.DISPATCH).wake()
  }

  /** Some record of its own, from the window or the file. */
  #readBack(): void {
    const { position, length } = this.#kept
    const { shared } = this.#parts
    if (position < shared.minPosition.value() || position + length > shared.written.value()) return
    if (this.#reader.readWindow(position, length, this.#copy, 0)) this.counts.windowReads++
    else if (!this.#readFile(position, length)) return
    readStressRecord(this.#record, this.#copyView, 0, position)
    if (this.#record.appender !== this.#boot.appender) throw new Error(`${position} is not ours`)
  }

  /** False: its file was deleted meanwhile. */
  #readFile(position: number, length: number): boolean {
    this.counts.fileReads++
    try {
      return this.#parts.files.read(position, length, this.#copy, 0) === length
    } catch (error) {
      if (position < this.#parts.shared.minPosition.value()) return false
      throw error
    }
  }
}

/** Reads every record once, in order, and keeps account of what each must be. */
class Follower implements StressThread {
  readonly counts = noCounts()
  readonly #parts: Parts
  readonly #boot: StressBoot
  readonly #record: StressRecord = newRecord()
  readonly #chunk = Buffer.alloc(CHUNK)
  readonly #chunkView = new DataView(this.#chunk.buffer, this.#chunk.byteOffset)
  readonly #nextSequence: number[]
  readonly #nextOffset = new Map<number, number>()
  #position: number
  #timestamp = 0

  constructor(boot: StressBoot) {
    this.#boot = boot
    this.#parts = new Parts(boot)
    this.#position = this.#parts.shared.dispatched.value()
    this.#nextSequence = Array.from({ length: boot.appenders }, () => 0)
  }

  step(): boolean {
    const { shared } = this.#parts
    const isStopped = shared.isStopped() // first: then everything is written
    const seen = shared.signal.seen()
    const before = this.#position
    this.#follow(shared.written.value())
    shared.dispatched.publish(this.#position)
    this.#parts.files.closeBelow(shared.minPosition.value())
    if (this.#position > before) return true
    if (isStopped) this.#checkEnd()
    else shared.signal.sleep(seen, 20)
    return !isStopped
  }

  #follow(written: number): void {
    if (this.#position === written) return
    if (this.#parts.shared.floor.guard(this.#position)) {
      this.counts.windowReads++
      this.#followWindow(Math.min(written, this.#position + CHUNK))
      this.#parts.shared.floor.clear()
    } else this.#followFile(written)
  }

  #followWindow(end: number): void {
    const { view } = this.#parts.window
    while (this.#position < end && this.#take(view, this.#parts.window.index(this.#position), end));
  }

  #followFile(written: number): void {
    this.counts.fileReads++
    const start = this.#position
    const length = Math.min(CHUNK, written - start)
    const count = this.#parts.files.read(start, length, this.#chunk, 0)
    // The fixed part must be here; the rest of a record that was cut comes with the next read.
    while (this.#position + 8 <= start + count) {
      if (!this.#take(this.#chunkView, this.#position - start, start + count)) break
    }
  }

  /** False: it does not end by `end`. */
  #take(bytes: DataView, at: number, end: number): boolean {
    const record = this.#record
    if (this.#position + 8 > end) return false
    const length = bytes.getInt32(at)
    if (length < BLANK_LENGTH || length > STRESS_APPEND_MAX + BLANK_LENGTH) {
      throw new Error(`a record of ${length} bytes at position ${this.#position}`)
    }
    if (this.#position + length > end) return false
    readStressRecord(record, bytes, at, this.#position)
    if (record.appender !== BLANK) this.#account()
    this.#position += length
    return true
  }

  #account(): void {
    const { appender, sequence, row, queueOffset, timestamp } = this.#record
    const at = `position ${this.#position}: ${JSON.stringify(this.#record)}`
    const next = this.#nextOffset.get(row) ?? 0
    if (sequence !== this.#nextSequence[appender]) throw new Error(`a record is missing at ${at}`)
    if (queueOffset !== next) throw new Error(`queue offset ${next} is missing at ${at}`)
    if (((timestamp - this.#timestamp) | 0) < 0 && this.counts.records > 0) {
      throw new Error(`time goes back at ${at}`)
    }
    this.#nextSequence[appender] = sequence + 1
    this.#nextOffset.set(row, next + 1)
    this.#timestamp = timestamp
    this.counts.records++
  }

  #checkEnd(): void {
    const { shared } = this.#parts
    if (this.#position !== shared.appended.value()) throw new Error('the log has an unread end')
    for (const [row, next] of this.#nextOffset) {
      if (shared.rows.next(row) !== next) throw new Error(`queue ${row} ends at ${next}`)
    }
    const sequences = this.#nextSequence.reduce((sum, next) => sum + next, 0)
    if (sequences !== this.counts.records) throw new Error('records were read twice')
    if (this.#boot.appenders !== this.#nextSequence.length) throw new Error('an unknown appender')
  }
}

/** Makes files ahead of the appenders and deletes what the follower has read. */
class FileKeeper implements StressThread {
  readonly counts = noCounts()
  readonly #parts: Parts
  #deletedBelow: number

  constructor(boot: StressBoot) {
    this.#parts = new Parts(boot)
    this.#deletedBelow = this.#parts.shared.minPosition.value()
    this.#createAhead()
  }

  step(): boolean {
    const { shared } = this.#parts
    const isStopped = shared.isStopped()
    const seen = shared.signal.seen()
    shared.flushed.publish(shared.written.value())
    this.#deleteRead()
    if (!this.#createAhead() && !isStopped) shared.signal.sleep(seen, 2)
    return !isStopped
  }

  #createAhead(): boolean {
    const { shared, files } = this.#parts
    const { fileSize } = files
    const created = shared.created.value()
    const isAhead = created >= files.endOfFile(shared.appended.value()) + fileSize
    if (isAhead || created - shared.dispatched.value() > LAG_FILES_MAX * fileSize) return false
    files.create(created)
    shared.publishCreated(created + fileSize)
    this.counts.filesMade++
    return true
  }

  /** Two files more are kept, for those who read back. */
  #deleteRead(): void {
    const { shared, files } = this.#parts
    const { fileSize } = files
    const minPosition = files.startOfFile(shared.dispatched.value()) - 2 * fileSize
    if (minPosition <= this.#deletedBelow) return
    shared.minPosition.publish(minPosition)
    files.closeBelow(minPosition)
    while (this.#deletedBelow < minPosition) {
      systemDisk.remove(files.path(this.#deletedBelow))
      this.#deletedBelow += fileSize
    }
  }
}

function newRecord(): StressRecord {
  return { length: 0, appender: 0, sequence: 0, row: 0, queueOffset: 0, timestamp: 0 }
}
