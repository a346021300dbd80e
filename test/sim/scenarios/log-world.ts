import { UNIT_LENGTH } from '../../../src/store/consume-queue.ts'
import { LogFiles } from '../../../src/store/log-files.ts'
import type { HeldPull } from '../../../src/broker/held-pulls.ts'
import type { LogAppender } from '../../../src/store/log-appender.ts'
import type { LogMemory, LogShared } from '../../../src/store/log-memory.ts'
import type { LogReader } from '../../../src/store/log-reader.ts'
import type { LogWindow } from '../../../src/store/log-window.ts'
import type { LogWriter } from '../../../src/store/log-writer.ts'
import { BLANK_LENGTH } from '../../../src/store/log-record.ts'
import { LogModel } from '../log-model.ts'
import { SimDisk, steppedDisk } from '../sim-disk.ts'
import { SIM_APPEND_MAX } from '../sim-source.ts'
import type { Simulation } from '../simulation.ts'
import { atOnce } from '../steps.ts'

const WINDOWS = [512, 1024]
/** Multiples of the window and others; all hold the longest append. */
const FILE_SIZES = [400, 512, 700, 1024, 1537]
const START_MAX = 3000

/** What one thread has of the core. */
export interface LogParts {
  shared: LogShared
  window: LogWindow
  files: LogFiles
  appender: LogAppender
  writer: LogWriter
  reader: LogReader
}

/** Memory, files and model of a log, before any thread runs. */
export class LogWorld {
  readonly simulation: Simulation
  readonly disk = new SimDisk()
  readonly memory: LogMemory
  readonly model: LogModel
  readonly fileSize: number
  readonly rows: number
  /** Network workers that hold pulls. */
  readonly pullers: number
  /** Threads that append: main and further network workers. */
  readonly senders: number[]
  readonly pulls: HeldPull[] = []
  readonly isSyncFlush: boolean
  readonly dirty: SharedArrayBuffer[]
  readonly places = { root: '/store/consumequeue', fileSize: 8 * UNIT_LENGTH }
  /** Senders that are not through yet. */
  busy: number
  isOver = false
  readonly #fullOneIn: number

  constructor(simulation: Simulation) {
    const { core, random } = simulation
    this.simulation = simulation
    this.fileSize = random.pick(FILE_SIZES)
    this.rows = 1 + random.below(2)
    this.pullers = 1 + random.below(2)
    const first = core.Thread.NETWORK + this.pullers
    this.senders = [core.Thread.MAIN, first, first + 1].slice(0, 1 + random.below(3))
    this.busy = this.senders.length
    this.isSyncFlush = random.oneIn(3)
    this.#fullOneIn = random.pick([Infinity, Infinity, 10])
    const { rows, fileSize } = this
    this.memory = core.allocateLogMemory({
      windowSize: random.pick(WINDOWS),
      slack: SIM_APPEND_MAX,
      threads: first + 2,
      rows,
    })
    this.dirty = Array.from({ length: this.pullers }, () => core.DirtyBits.allocate(rows))
    // The log crosses 4 GiB, or a window's end, soon after the start.
    const near = random.pick([2 ** 32, 3 * 2 ** 32, 2 ** 32 + 2 ** 31]) - random.below(START_MAX)
    const fileEnd = near - (near % fileSize) + fileSize
    const start = fileEnd - near < BLANK_LENGTH ? fileEnd : near // no record ends in a blank's place
    this.model = new LogModel(simulation, { start, fileSize, rows })
    this.#prepare(start)
  }

  /** As BrokerStore does it. */
  #prepare(start: number): void {
    const { shared, files } = this.parts(0)
    atOnce(shared.start(start, { minPosition: start, timestamp: 0 }))
    const firstFree = Math.ceil(start / this.fileSize) * this.fileSize
    if (firstFree > start) files.create(firstFree - this.fileSize)
    atOnce(shared.publishCreated(firstFree))
    atOnce(shared.publishMetadataVersion(1))
    if (start % 3 === 0) atOnce(shared.setStalled(true)) // flush begins with the writing
  }

  parts(thread: number): LogParts {
    const { core, random } = this.simulation
    const { fileSize } = this
    const shared = new core.LogShared(this.memory, thread)
    const window = new core.LogWindow(shared)
    const files = new LogFiles(this.disk, { directory: '/store/commitlog', fileSize })
    const disk = steppedDisk(this.disk, random, this.#fullOneIn)
    return {
      shared,
      window,
      files,
      appender: new core.LogAppender(shared, window, { fileSize, clock: this.clock(thread) }),
      writer: new core.LogWriter(shared, window, files, disk, this.clock(thread)),
      reader: new core.LogReader(shared, window, files),
    }
  }

  /** Threads read it at different times: it seems to go back from one to the next. */
  clock(thread: number): { now: () => number } {
    return { now: () => 1000 + Math.floor(this.simulation.scheduler.steps / 50) - 3 * thread }
  }

  /** Whether every message is written and has reached every pull. */
  isAnswered(): boolean {
    const { queues } = this.model
    return this.busy === 0 && this.pulls.every(({ row, offset }) => offset === queues[row]!.length)
  }

  /** A file of the log as it is. */
  readonly fileAt = (start: number): Buffer =>
    this.disk.readFile(new LogFiles(this.disk, this.#place).path(start))

  get #place() {
    return { directory: '/store/commitlog', fileSize: this.fileSize }
  }
}
