import { Poison } from '../ring/poison.ts'
import { SharedLock } from '../ring/lock.ts'
import { SharedPosition } from '../ring/position.ts'
import { Signal } from '../ring/signal.ts'
import { Floor, floorsAreAbove } from '../ring/floor.ts'
import { Rows } from '../ring/rows.ts'
import { IndexTable } from './index-table.ts'

/** Threads by number: each has a floor, a signal and a flag of its own. Network workers follow. */
export const Thread = { MAIN: 0, FLUSH: 1, DISPATCH: 2, REPLICATE: 3, NETWORK: 4 } as const

/** Main's bit among the waiters of a queue's row; the others belong to network workers. */
export const MAIN_WAITER = 31

/** What stops sends (never reads). `Fault.NO_SPACE` ends by itself, `Fault.FENCED` at a restart. */
export const Fault = { NONE: 0, NO_SPACE: 1, FENCED: 2 } as const

/**
 * Bits beside those of `Fault` in the same word, so that a send looks at one: flush's, for what it
 * lacks while writes go well.
 */
export const Shortage = {
  /** The next log file could not be made. */
  NO_FILE: 4,
  /** The disk is fuller than diskSpaceWarningLevelRatio. */
  OVER_LEVEL: 8,
} as const

/** What main asks of retention, as bits. */
export const RetentionAsk = {
  /** All queues of the store have been told: nothing is deleted before that. */
  BEGIN: 1,
  /** Log files past their time go now, whatever the hour. */
  DELETE_EXPIRED: 2,
  /** Queue and index files of messages that are gone go now. */
  CLEAN_QUEUES: 4,
  /** Settings have changed. */
  SETTINGS: 8,
} as const

/** Whoever waits looks at the poison word this often: the wake-up may have come just before. */
const POISON_CHECK_MS = 200

// Words that different threads write lie two cache lines apart, or they would slow each other down.
const LINE = 32
const APPEND_LOCK = 0 * LINE
const WRITE_LOCK = 1 * LINE
const APPENDED = 2 * LINE
const STORE_TIMESTAMP = 2 * LINE + 4
const VERIFIED = 2 * LINE + 8
const WRITTEN = 3 * LINE
const WRITTEN_TIMESTAMP = 3 * LINE + 4
const FLUSHED = 4 * LINE
const CREATED = 4 * LINE + 4
const MIN_POSITION = 4 * LINE + 8
const DELETABLE = 4 * LINE + 12
const DISK_PERCENT = 4 * LINE + 16
const ASKED = 4 * LINE + 20
const DISPATCHED = 5 * LINE
const DISPATCHED_TIMESTAMP = 5 * LINE + 4
const INDEXED = 5 * LINE + 8
const INDEX_DURABLE = 5 * LINE + 12
const REPLICATED = 6 * LINE
const RECLAIMED = 7 * LINE
const POISON = 8 * LINE
const FAULT = 9 * LINE
const STOPPED = 10 * LINE
const STALLED = 10 * LINE + 4
const WRITE_ASKED = 10 * LINE + 8
const METADATA_VERSION = 11 * LINE
const THREADS = 12 * LINE
const FLOOR = 0
const SIGNAL = 4
const WAITING = 8
const APPLIED = 12
const HOLDING = 16
const CLOSED = 20

/** The SharedArrayBuffers that all threads of a broker share, as they travel to a worker. */
export interface LogMemory {
  control: SharedArrayBuffer
  window: SharedArrayBuffer
  rows: SharedArrayBuffer
  /** See IndexTable. */
  index: SharedArrayBuffer
  threads: number
  windowSize: number
}

/**
 * `windowSize` is a power of two below 2 GiB; `slack` is the longest append, encoded contiguously
 * behind the window's end when it straddles it.
 */
export function allocateLogMemory(options: {
  windowSize: number
  slack: number
  threads: number
  rows: number
  /** Of an index file; none: there is no index. */
  indexSlots?: number
}): LogMemory {
  const bytes = options.windowSize + options.slack
  return {
    control: new SharedArrayBuffer((THREADS + options.threads * LINE) * 4),
    window: new SharedArrayBuffer(bytes, { maxByteLength: bytes }), // growable ones are page-aligned
    rows: Rows.allocate(options.rows),
    index: IndexTable.allocate(options.indexSlots ?? 0),
    threads: options.threads,
    windowSize: options.windowSize,
  }
}

/** One thread's views of the shared words. docs/threads.md says who may move which, by what right. */
export class LogShared {
  readonly memory: LogMemory
  readonly thread: number
  readonly rows: Rows
  readonly poison: Poison
  readonly appendLock: SharedLock
  readonly writeLock: SharedLock
  readonly appended: SharedPosition
  readonly storeTimestamp: SharedPosition
  readonly verified: SharedPosition
  readonly written: SharedPosition
  readonly writtenTimestamp: SharedPosition
  readonly flushed: SharedPosition
  readonly created: SharedPosition
  readonly minPosition: SharedPosition
  /** Files below are about to go: each thread closes them and says so. */
  readonly deletable: SharedPosition
  readonly dispatched: SharedPosition
  readonly dispatchedTimestamp: SharedPosition
  /** Messages below have their items in the index. May lie far behind at a start. */
  readonly indexed: SharedPosition
  /** Store time in ms up to which a power failure takes nothing of the index. */
  readonly indexDurable: SharedPosition
  readonly replicated: SharedPosition
  readonly floor: Floor
  readonly signal: Signal
  readonly #reclaimed: SharedPosition
  readonly #words: Int32Array

  constructor(memory: LogMemory, thread: number) {
    const words = new Int32Array(memory.control)
    const own = THREADS + thread * LINE
    this.#words = words
    this.memory = memory
    this.thread = thread
    this.rows = new Rows(memory.rows)
    this.poison = new Poison(words, POISON)
    this.appendLock = new SharedLock(words, APPEND_LOCK, this.poison)
    this.writeLock = new SharedLock(words, WRITE_LOCK, this.poison)
    this.appended = new SharedPosition(words, APPENDED)
    this.storeTimestamp = new SharedPosition(words, STORE_TIMESTAMP)
    this.verified = new SharedPosition(words, VERIFIED)
    this.written = new SharedPosition(words, WRITTEN)
    this.writtenTimestamp = new SharedPosition(words, WRITTEN_TIMESTAMP)
    this.flushed = new SharedPosition(words, FLUSHED)
    this.created = new SharedPosition(words, CREATED)
    this.minPosition = new SharedPosition(words, MIN_POSITION)
    this.deletable = new SharedPosition(words, DELETABLE)
    this.dispatched = new SharedPosition(words, DISPATCHED)
    this.dispatchedTimestamp = new SharedPosition(words, DISPATCHED_TIMESTAMP)
    this.indexed = new SharedPosition(words, INDEXED)
    this.indexDurable = new SharedPosition(words, INDEX_DURABLE)
    this.replicated = new SharedPosition(words, REPLICATED)
    this.#reclaimed = new SharedPosition(words, RECLAIMED)
    this.floor = new Floor(words, own + FLOOR, this.#reclaimed)
    this.signal = new Signal(words, own + SIGNAL)
  }

  /** Before any other thread runs: the log ends at `end`, all of it is in files, none in the window. */
  start(end: number, { minPosition, timestamp }: { minPosition: number; timestamp: number }): void {
    for (const position of [this.appended, this.written, this.flushed, this.dispatched]) {
      position.publish(end)
    }
    this.verified.publish(end)
    this.minPosition.publish(minPosition)
    this.deletable.publish(minPosition)
    for (const time of [this.storeTimestamp, this.writtenTimestamp, this.dispatchedTimestamp]) {
      time.publish(timestamp)
    }
    this.#reclaimed.publish(end)
    for (let thread = 0; thread < this.memory.threads; thread++) {
      this.#words[THREADS + thread * LINE + FLOOR] = Floor.CLEAR
    }
  }

  /** An appender, under the append lock: from now on bytes below `position` are read from files. */
  moveReclaimed(position: number): void {
    // Never back: a longer append may have moved it further, and then found no room.
    if (position > this.#reclaimed.value()) this.#reclaimed.publish(position) // then read all floors
  }

  floorsAreAbove(position: number): boolean {
    return floorsAreAbove(this.#words, {
      first: THREADS + FLOOR,
      step: LINE,
      count: this.memory.threads,
      position,
    })
  }

  signalOf(thread: number): Signal {
    return new Signal(this.#words, THREADS + thread * LINE + SIGNAL)
  }

  fault(): number {
    const bits = this.refusal()
    if ((bits & Fault.FENCED) !== 0) return Fault.FENCED
    return (bits & (Fault.NO_SPACE | Shortage.NO_FILE)) === 0 ? Fault.NONE : Fault.NO_SPACE
  }

  /** Zero: sends are taken. Else bits of `Fault` and `Shortage`. */
  refusal(): number {
    return Atomics.load(this.#words, FAULT) // set by whoever met the error
  }

  /** FENCED stays, nobody takes its bit away; NO_SPACE comes and goes with the space. */
  setFault(fault: number): void {
    if (fault === Fault.NONE) Atomics.and(this.#words, FAULT, ~Fault.NO_SPACE)
    else Atomics.or(this.#words, FAULT, fault)
  }

  /** Flush: a bit of `Shortage`. Main is told when it changes. */
  setShortage(shortage: number, isShort: boolean): void {
    const before = isShort
      ? Atomics.or(this.#words, FAULT, shortage)
      : Atomics.and(this.#words, FAULT, ~shortage)
    if (((before & shortage) !== 0) !== isShort) this.signalOf(Thread.MAIN).wake()
  }

  /** Flush: how full the disks of the log and of the queues are, in percent. */
  publishDiskPercent(log: number, queues: number): void {
    Atomics.store(this.#words, DISK_PERCENT, log)
    Atomics.store(this.#words, DISK_PERCENT + 1, queues)
  }

  /** Zeros until flush has looked. */
  diskPercent(): { log: number; queues: number } {
    const log = Atomics.load(this.#words, DISK_PERCENT)
    return { log, queues: Atomics.load(this.#words, DISK_PERCENT + 1) }
  }

  /** Main: a bit of `RetentionAsk`; flush gets to it soon. */
  askRetention(ask: number): void {
    Atomics.or(this.#words, ASKED, ask)
    this.signalOf(Thread.FLUSH).rouse()
  }

  takeAsks(): number {
    if (Atomics.load(this.#words, ASKED) === 0) return 0
    return Atomics.exchange(this.#words, ASKED, 0)
  }

  /** This thread holds no file open any more that lies below. */
  publishClosed(position: number): void {
    this.#closedBy(this.thread).publish(position)
    this.signalOf(Thread.FLUSH).wake()
  }

  closedBy(thread: number): number {
    return this.#closedBy(thread).value()
  }

  #closedBy(thread: number): SharedPosition {
    return new SharedPosition(this.#words, THREADS + thread * LINE + CLOSED)
  }

  /** This thread has answers that wait for `flushed` to move; re-read it after setting the flag. */
  setWaiting(isWaiting: boolean): void {
    Atomics.store(this.#words, THREADS + this.thread * LINE + WAITING, isWaiting ? 1 : 0)
  }

  /** After `flushed` moved: wakes the threads that said they wait for it, each once. */
  wakeWaiting(): void {
    for (let thread = 0; thread < this.memory.threads; thread++) {
      const flag = THREADS + thread * LINE + WAITING
      if (Atomics.load(this.#words, flag) === 0) continue
      if (Atomics.exchange(this.#words, flag, 0) === 1) this.signalOf(thread).wake()
    }
  }

  /** This network worker holds pulls, or main pops: from now on each write wakes dispatch. */
  setHolding(isHolding: boolean): void {
    const at = THREADS + this.thread * LINE + HOLDING
    if (Atomics.load(this.#words, at) === Number(isHolding)) return
    Atomics.store(this.#words, at, Number(isHolding))
    // What was written just before must not wait for the end of dispatch's nap.
    if (isHolding && this.dispatched.value() < this.written.value()) {
      this.signalOf(Thread.DISPATCH).rouse()
    }
  }

  isAnyoneHolding(): boolean {
    for (let thread: number = Thread.MAIN; thread < this.memory.threads; thread++) {
      if (Atomics.load(this.#words, THREADS + thread * LINE + HOLDING) === 1) return true
    }
    return false
  }

  /** The disk is slow: flush does the writing, until writes are quick again. */
  isStalled(): boolean {
    return Atomics.load(this.#words, STALLED) === 1
  }

  /** The holder of the write lock, who has just seen how long a write takes. */
  setStalled(isStalled: boolean): void {
    Atomics.store(this.#words, STALLED, isStalled ? 1 : 0)
  }

  /** Flush is to write what is appended by now. */
  askToWrite(): void {
    Atomics.store(this.#words, WRITE_ASKED, 1)
    this.signalOf(Thread.FLUSH).rouse()
  }

  /** Flush: whether somebody has asked since the last time. */
  takeWriteAsked(): boolean {
    if (Atomics.load(this.#words, WRITE_ASKED) === 0) return false // mostly; an exchange costs more
    return Atomics.exchange(this.#words, WRITE_ASKED, 0) === 1
  }

  isStopped(): boolean {
    return Atomics.load(this.#words, STOPPED) === 1
  }

  /** Main: everyone finishes what is there, closes its files and leaves. */
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1)
    this.rouseAll()
  }

  rouseAll(): void {
    for (let thread = 0; thread < this.memory.threads; thread++) this.signalOf(thread).rouse()
    for (const lock of [APPEND_LOCK, WRITE_LOCK]) Atomics.notify(this.#words, lock)
    Atomics.notify(this.#words, CREATED + 1)
  }

  /** Waits until files exist up to `position`, about `ms` at most. Throws when a thread broke. */
  awaitCreated(position: number, ms: number): boolean {
    for (let left = ms; left > 0; left -= POISON_CHECK_MS) {
      const low = Atomics.load(this.#words, CREATED + 1) // before the check: a move ends the wait
      if (this.created.value() >= position) return true
      this.signalOf(Thread.FLUSH).rouse()
      Atomics.wait(this.#words, CREATED + 1, low, Math.min(left, POISON_CHECK_MS))
      this.poison.check() // nobody makes files any more
    }
    return this.created.value() >= position
  }

  publishCreated(position: number): void {
    this.created.publish(position)
    Atomics.notify(this.#words, CREATED + 1)
  }

  metadataVersion(): number {
    return Atomics.load(this.#words, METADATA_VERSION)
  }

  publishMetadataVersion(version: number): void {
    Atomics.store(this.#words, METADATA_VERSION, version)
  }

  /** What this thread has taken over of the topics, groups and subscriptions. */
  publishApplied(version: number): void {
    Atomics.store(this.#words, THREADS + this.thread * LINE + APPLIED, version)
    this.signalOf(Thread.MAIN).wake()
  }

  appliedBy(thread: number): number {
    return Atomics.load(this.#words, THREADS + thread * LINE + APPLIED)
  }
}
