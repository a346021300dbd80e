import { assert } from '../base/assert.ts'
import type { Disk } from '../base/disk.ts'
import type { Agent } from '../ring/agent.ts'
import type { DirtyBits } from '../ring/dirty-bits.ts'
import { ConsumeQueue, queueDirectory, type QueuePlace } from './consume-queue.ts'
import { DescriptorCache } from './descriptor-cache.ts'
import { isDiskError, isPassing } from './disk-error.ts'
import type { KeyIndex } from './key-index.ts'
import { LIGHT_QUEUE_ID, lightEntriesOf } from './light-entries.ts'
import type { LogFiles } from './log-files.ts'
import { Fault, MAIN_WAITER, Thread, type LogShared } from './log-memory.ts'
import { RecordKind, RecordParts, readRecord } from './log-record.ts'
import type { LogWindow } from './log-window.ts'
import { QueueTail, UnitBuffers } from './queue-tail.ts'
import { entryCodeOf } from './tags-code.ts'
import { RowsByTopic, type RowsChange } from './topic-rows.ts'

/** One turn looks at this much of the log at most, so that what it found becomes readable soon. */
const TURN_BYTES = 256 * 1024
const DESCRIPTORS_MAX = 2048
/**
 * While messages come in and nobody waits for one, entries are made in lots: a wake-up per write
 * costs the network worker more than the entries do. Then it sleeps until it is woken again.
 */
const NAP_MS = 2
/** While the disk is full, the entries that it has not taken are tried again this often. */
const RETRY_MS = 200
/** Queues that are made durable at a clean stop: some seconds on a slow disk. */
const SYNCED_MAX = 1000
/** While there is always something to dispatch, an index that is behind gets every so many turns. */
const INDEX_TURNS = 8

export interface DispatchParts {
  window: LogWindow
  files: LogFiles
  disk: Disk
  visible: () => number
  queues: QueuePlace
  /** One set per network worker. */
  dirty: DirtyBits[]
  /** Changes of topics that main has published, oldest first. */
  takeChanges: () => RowsChange[]
  /** Of delay levels 1, 2, …; Apache's default when absent. */
  delaysMs?: readonly number[]
  /** Messages may stand in light queues, too. */
  hasLightQueues?: boolean
  /** None with messageIndexEnable=false. */
  index?: KeyIndex | null
}

/**
 * Moves `dispatched`: gives every visible record its entry in its consume queue, then tells the
 * network workers that hold pulls on that queue.
 */
export class DispatchAgent implements Agent {
  readonly #shared: LogShared
  readonly #parts: DispatchParts
  readonly #descriptors: DescriptorCache
  readonly #rows = new RowsByTopic()
  readonly #tails: (QueueTail | undefined)[] = []
  readonly #touched: QueueTail[] = []
  readonly #buffers = new UnitBuffers()
  readonly #record = new RecordParts()
  readonly #behind = Buffer.alloc(TURN_BYTES)
  #big = Buffer.alloc(0)
  #position: number
  /** Store time of the last message below `#position`. */
  #timestamp: number
  #appliedVersion = 0
  #hasWorked = false
  #isRefused = false
  #isNapping = false
  readonly #index: KeyIndex | null
  readonly #hasLightQueues: boolean
  #turns = 0

  constructor(shared: LogShared, parts: DispatchParts) {
    this.#shared = shared
    this.#parts = parts
    this.#descriptors = new DescriptorCache(parts.disk, { max: DESCRIPTORS_MAX })
    this.#position = shared.dispatched.value()
    this.#timestamp = shared.dispatchedTimestamp.value()
    this.#index = parts.index ?? null
    this.#hasLightQueues = parts.hasLightQueues ?? false
  }

  turn(): number {
    const done = this.#dispatch()
    if (this.#index === null) return done
    if (done > 0) this.#index.flush()
    if (done > 0 && ++this.#turns % INDEX_TURNS !== 0) return done
    return done + this.#index.work()
  }

  #dispatch(): number {
    const visible = this.#parts.visible()
    this.#applyChanges() // after: a record below was appended by somebody who knew its topic
    try {
      const before = this.#shared.dispatched.value()
      this.#follow(visible)
      this.#isRefused = false
      if (this.#position === before) return 0 // the rest of a record is still being written
      this.#publish()
      this.#hasWorked = true
      return 1
    } catch (error) {
      this.#onError(error)
      return 0
    }
  }

  #follow(visible: number): void {
    if (this.#isRefused) for (const tail of this.#touched) tail.flush()
    if (this.#position >= visible) return
    try {
      if (this.#shared.floor.guard(this.#position)) this.#followWindow(visible)
      else this.#followFile(visible)
    } finally {
      this.#shared.floor.clear()
    }
  }

  /** What was taken and not written yet stays in the tails: the next turn writes it. */
  #onError(error: unknown): void {
    if (!isDiskError(error)) throw error
    this.#isRefused = true
    if (isPassing(error)) return
    this.#shared.setFault(Fault.FENCED)
    this.#shared.signalOf(Thread.MAIN).wake()
  }

  /** Its short naps under load are not to be cut shorter by every write. */
  get naps(): boolean {
    return this.#isNapping
  }

  idleMs(): number {
    this.#isNapping = this.#isRefused
    if (this.#isRefused) return this.#shared.fault() === Fault.FENCED ? Infinity : RETRY_MS
    const isLazy = this.#hasWorked && !this.#shared.isAnyoneHolding()
    this.#hasWorked = false
    this.#isNapping = isLazy
    return isLazy ? NAP_MS : (this.#index?.idleMs() ?? Infinity)
  }

  /** Files of the log that end at or below the position, and of queues those below their `min`. */
  closeBelow(position: number): boolean {
    this.#parts.files.closeBelow(position)
    for (const tail of this.#tails) tail?.queue.closeBelow(this.#shared.rows.min(tail.row))
    return true
  }

  close(): void {
    this.#index?.close()
    this.#syncTails()
    this.#descriptors.closeAll()
    this.#parts.files.closeAll()
  }

  /**
   * Apache believes every queue after a clean stop, also when the machine lost its power since. We do
   * not (see CleanStop): where there are very many queues, a stop must not take minutes for that.
   */
  #syncTails(): void {
    const written = this.#tails.filter((tail) => tail?.wasWritten === true)
    if (written.length > SYNCED_MAX) return
    for (const tail of written) tail!.sync(this.#shared.rows.min(tail!.row))
  }

  #applyChanges(): void {
    const version = this.#shared.metadataVersion()
    if (version === this.#appliedVersion) return
    for (const change of this.#parts.takeChanges()) {
      if (change.rows.length === 0) this.#forget(change.topic)
      this.#rows.apply(change)
    }
    this.#appliedVersion = version
    this.#shared.publishApplied(version)
  }

  #forget(topic: string): void {
    const bytes = Buffer.from(topic)
    for (const row of this.#rows.find(bytes, 0, bytes.length)?.rows ?? []) {
      const tail = this.#tails[row]
      if (tail === undefined) continue
      this.#descriptors.closeUnder(tail.queue.directory)
      this.#tails[row] = undefined
      if (tail.isTouched) this.#touched.splice(this.#touched.indexOf(tail), 1)
    }
  }

  /** Records in the window are complete, and each is contiguous from where it starts. */
  #followWindow(visible: number): void {
    const { bytes, view } = this.#parts.window
    const end = Math.min(visible, this.#position + TURN_BYTES)
    while (this.#position < end) {
      const at = this.#parts.window.index(this.#position)
      const kind = readRecord(this.#record, view, at, view.byteLength)
      // `visible` may lie within a record: pieces end at the window's end, too.
      if (this.#position + this.#record.length > visible) return
      this.#take(kind, bytes)
    }
  }

  /** The window has moved on: reads a piece of the file, at least one whole record. */
  #followFile(visible: number): void {
    const length = this.#read(this.#behind, visible)
    if (this.#followBytes(this.#behind, length) > 0) return
    const longer = length < 4 ? Infinity : this.#behind.readInt32BE(0)
    if (this.#position + longer > visible) return
    if (this.#big.length < longer) this.#big = Buffer.alloc(longer)
    const taken = this.#followBytes(this.#big, this.#read(this.#big, visible))
    assert(taken > 0, `no record at position ${this.#position} of the log`)
  }

  #read(target: Buffer, visible: number): number {
    const length = Math.min(target.length, visible - this.#position)
    return this.#parts.files.read(this.#position, length, target, 0)
  }

  /** Takes the whole records of `bytes`, whose first byte is `#position`; returns how many. */
  #followBytes(bytes: Buffer, length: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let taken = 0
    for (let at = 0; at < length; at += this.#record.length, taken++) {
      const kind = readRecord(this.#record, view, at, length)
      // Of a blank record only the head need be here: the rest may not be visible yet.
      if (kind === RecordKind.BAD || at + this.#record.length > length) break
      this.#take(kind, bytes)
    }
    return taken
  }

  #take(kind: RecordKind, bytes: Buffer): void {
    const record = this.#record
    assert(kind !== RecordKind.BAD, `no record at position ${this.#position} of the log`)
    if (kind === RecordKind.MESSAGE) {
      assert(record.position === this.#position, `the record at ${this.#position} says otherwise`)
      if (record.hasQueueEntry()) {
        this.#addUnit(bytes)
        if (this.#hasLightQueues) this.#addLightUnits(bytes)
      }
      this.#timestamp = record.storeTimestamp
      this.#index?.take(record, bytes, this.#position)
    } else this.#index?.pass(this.#position, record.length)
    this.#position += record.length
  }

  #addUnit(bytes: Buffer): void {
    const record = this.#record
    const found = this.#rows.find(bytes, record.topicAt, record.topicLength)
    const row = found?.rows[record.queueId]
    if (row === undefined || this.#position < found!.from!) return // its topic was deleted since
    const tail = this.#tails[row] ?? this.#openTail(row, found!.topic, record.queueId)
    // A queue's records come in order and without gaps: the append lock gave them their offsets.
    if (record.queueOffset < tail.next) return // dispatched before the restart
    assert(record.queueOffset === tail.next, `queue offset ${record.queueOffset}, not ${tail.next}`)
    this.#addTo(tail, bytes)
  }

  /** A light queue counts by what its messages say: one that does not fit is none of those we took. */
  #addLightUnits(bytes: Buffer): void {
    for (const { topic, offset } of lightEntriesOf(bytes, this.#record)) {
      const name = Buffer.from(topic)
      const found = this.#rows.find(name, 0, name.length)
      const row = found?.rows[LIGHT_QUEUE_ID]
      if (row === undefined || this.#position < found!.from!) continue
      const tail = this.#tails[row] ?? this.#openTail(row, topic, LIGHT_QUEUE_ID)
      if (offset === tail.next) this.#addTo(tail, bytes)
    }
  }

  #addTo(tail: QueueTail, bytes: Buffer): void {
    const record = this.#record
    if (!tail.isTouched) {
      tail.isTouched = true
      this.#touched.push(tail)
    }
    tail.add(this.#position, record.length, entryCodeOf(bytes, record, this.#parts.delaysMs))
  }

  #openTail(row: number, topic: string, queueId: number): QueueTail {
    const { queues, disk } = this.#parts
    const directory = queueDirectory(queues, topic, queueId)
    const queue = new ConsumeQueue(directory, {
      fileSize: queues.fileSize,
      disk,
      descriptors: this.#descriptors,
    })
    const tail = new QueueTail(row, queue, this.#shared.rows.max(row), this.#buffers)
    this.#tails[row] = tail
    return tail
  }

  /** Entries readable, then `max`, then the waiters: a pull that parks in between sees the new max. */
  #publish(): void {
    let workers = 0
    for (const tail of this.#touched) tail.flush()
    for (const tail of this.#touched) {
      tail.isTouched = false
      this.#shared.rows.publishMax(tail.row, tail.next)
      const waiters = this.#shared.rows.takeWaiters(tail.row)
      if (waiters !== 0) this.#markDirty(tail.row, waiters)
      workers |= waiters
    }
    this.#touched.length = 0
    this.#shared.dispatched.publish(this.#position)
    this.#shared.dispatchedTimestamp.publish(this.#timestamp)
    this.#wake(workers)
  }

  #markDirty(row: number, waiters: number): void {
    for (const [worker, dirty] of this.#parts.dirty.entries()) {
      if ((waiters & (1 << worker)) !== 0) dirty.add(row)
    }
  }

  #wake(workers: number): void {
    for (let worker = 0; workers !== 0; worker++, workers >>>= 1) {
      const thread = worker === MAIN_WAITER ? Thread.MAIN : Thread.NETWORK + worker
      if ((workers & 1) === 1) this.#shared.signalOf(thread).wake()
    }
  }
}
