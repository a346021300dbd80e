import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Disk } from '../base/disk.ts'
import { isDiskError, isMissing, isPassing } from './disk-error.ts'
import { IndexFeed } from './index-feed.ts'
import { emptyHeader, nextIndexFileName, type IndexFormat } from './index-file.ts'
import { dropFrom, listIndexFiles, readIndexState, type IndexFileState } from './index-files.ts'
import { countGapless, countItemsAt } from './index-gaps.ts'
import { loadIndex } from './index-load.ts'
import { IndexTable } from './index-table.ts'
import { IndexWriter, type IndexWriterParts } from './index-writer.ts'
import type { LogFiles } from './log-files.ts'
import { Fault, Thread, type LogShared } from './log-memory.ts'
import { HEAD_LENGTH, storeTimeIn, type RecordParts } from './log-record.ts'
import { RecordKeys } from './record-keys.ts'

/** Slots and header reach the disk this long after the first item: a crash then repeats fewer items. */
const SAVE_MS = 30_000
/** Or after so many items. */
const SAVE_ITEMS = 2_000_000
/** By then the kernel has written a full file back, and syncing it stalls nobody. */
const SETTLE_MS = 60_000
/** While the disk refuses, the index is opened again this often. */
const RETRY_MS = 1000
/** Slots that are emptied in one turn. */
const CLEAR_SLOTS = 128 * 1024

export interface KeyIndexParts {
  disk: Disk
  clock: Clock
  /** Dispatch's own. */
  files: LogFiles
  format: IndexFormat
  /** Of the store. */
  root: string
  /** Of the index. */
  directory: string
}

/**
 * Moves `indexed`: gives every message that was dispatched an item per key in the newest index file.
 * Dispatch's, but it never makes dispatch wait: while it starts, rolls or repairs itself it falls
 * behind, a bit of that is done per turn, and then it reads the log up to where dispatch is.
 */
export class KeyIndex {
  readonly #shared: LogShared
  readonly #parts: KeyIndexParts & IndexWriterParts
  readonly #keys = new RecordKeys()
  #file: IndexWriter | null = null
  #lastName: string | null = null
  /** The slots in memory are not all empty. */
  #isUsed = false
  /** Messages below are in the index; -1 until that is known. */
  #position = -1
  /** Keys of the message at `#position` that are in already. */
  #done = 0
  /** What takes more than a turn. */
  #job: Generator<void> | null
  #saveDueMs = Infinity
  #retryDueMs = Infinity
  /** Full files that are not synced yet, oldest first. */
  #sealed: { name: string; endTimestamp: number; dueMs: number }[] = []

  constructor(shared: LogShared, parts: KeyIndexParts) {
    this.#shared = shared
    this.#parts = { ...parts, table: new IndexTable(shared.memory.index) }
    this.#job = this.#start()
  }

  /** Dispatch is at this record. While the index is behind it comes to it later. */
  take(record: RecordParts, bytes: Buffer, position: number): void {
    if (position !== this.#position) return
    try {
      if (this.#put(record, bytes, position)) this.#position += record.length
    } catch (error) {
      this.#onError(error)
    }
  }

  /** Dispatch is at a blank record. */
  pass(position: number, length: number): void {
    if (position === this.#position) this.#position += length
  }

  /** At the end of a turn: what was taken can be found. */
  flush(): void {
    this.#guard(() => {
      if (this.#position !== -1) this.#publish()
    })
  }

  /** Does a bit of what is not urgent; 0 when there is nothing. */
  work(): number {
    if (this.#job === null) this.#job = this.#dueJob()
    if (this.#job === null) return 0
    const job = this.#job
    this.#guard(() => {
      if (job.next().done === true && this.#job === job) this.#job = null
    })
    return 1
  }

  idleMs(): number {
    const due = Math.min(this.#saveDueMs, this.#retryDueMs, this.#sealed[0]?.dueMs ?? Infinity)
    return due === Infinity ? Infinity : Math.max(0, due - this.#parts.clock.now())
  }

  /** A clean stop. It may still be behind: the next start goes on from what the header says. */
  close(): void {
    this.#guard(() => {
      this.#job?.return(undefined)
      while (this.#sealed.length > 0) this.#settle() // before anything later is said to be durable
      if (this.#file === null) return
      this.#file.saveAll(this.#shared.indexDurable.value())
      this.#sync(this.#file.descriptor)
      this.#shared.indexDurable.publish(this.#file.header.endTimestamp)
      this.#closeFile()
    })
  }

  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#onError(error)
    }
  }

  /** Nothing is lost by it that the log and the files do not tell: the index is opened anew. */
  #onError(error: unknown): void {
    if (!isDiskError(error)) throw error
    this.#abandon()
    // Missing: somebody deletes files.
    if (isMissing(error) || isPassing(error)) {
      this.#retryDueMs = this.#parts.clock.now() + RETRY_MS
      return
    }
    this.#shared.setFault(Fault.FENCED)
    this.#shared.signalOf(Thread.MAIN).wake()
  }

  #abandon(): void {
    this.#position = -1
    this.#job = null
    this.#saveDueMs = Infinity
    this.#parts.table.hide()
    this.#parts.table.setExact(false)
    this.#closeFile()
  }

  #closeFile(): void {
    const file = this.#file
    this.#file = null
    file?.close()
  }

  #dueJob(): Generator<void> | null {
    const now = this.#parts.clock.now()
    if (now >= this.#retryDueMs) return this.#start()
    if (this.#isBehind()) return this.#catchUp()
    const file = this.#file
    if (file !== null && file.unsaved > 0) {
      if (this.#saveDueMs === Infinity) this.#saveDueMs = now + SAVE_MS
      if (now >= this.#saveDueMs || file.unsaved >= SAVE_ITEMS) return this.#save(file)
    }
    const sealed = this.#sealed[0]
    return sealed !== undefined && now >= sealed.dueMs ? this.#settleSoon() : null
  }

  /** Also when the file is full: the next one is made while it catches up. */
  #isBehind(): boolean {
    return this.#position !== -1 && this.#position < this.#shared.dispatched.peek()
  }

  /** False: the file is full, or there is none; goes on with the same key in the next one. */
  #put(record: RecordParts, bytes: Buffer, position: number): boolean {
    const count = this.#keys.find(bytes, record)
    for (; this.#done < count; this.#done++) {
      const hash = this.#keys.hashes[this.#done]!
      if (this.#file?.add(hash, position, record.storeTimestamp) !== true) return false
    }
    this.#done = 0
    return true
  }

  #publish(): void {
    this.#file?.flush()
    this.#shared.indexed.publish(this.#position)
  }

  *#start(): Generator<void> {
    this.#retryDueMs = Infinity
    const files = yield* this.#soundFiles()
    const last = files.at(-1)
    this.#lastName = last?.name ?? null
    this.#unsettle(files.slice(0, -1))
    yield* this.#clearSlots()
    if (last !== undefined && !(yield* this.#load(last))) {
      this.#drop(files, files.length - 1)
      yield* this.#start()
      return
    }
    this.#resume(files)
    yield* this.#catchUp()
  }

  /** Files up to the first gap; what lies behind is taken away, to be made anew. */
  *#soundFiles(): Generator<void, IndexFileState[]> {
    const { disk, directory } = this.#parts
    const names = listIndexFiles(disk, directory)
    const files = names.map((name) => readIndexState(disk, { ...this.#parts, name }))
    const whole = wholeFiles(files)
    const minPosition = () => this.#shared.minPosition.value()
    const count = yield* countGapless(new IndexFeed(this.#parts.files), whole, minPosition)
    if (count < names.length) this.#drop(whole, count)
    return whole.slice(0, count)
  }

  /** All but the first `keep` files are made anew. */
  #drop(files: readonly IndexFileState[], keep: number): void {
    const { disk, directory } = this.#parts
    const endTimestamp = files[keep - 1]?.header.endTimestamp ?? 0
    const durable = Math.min(endTimestamp, this.#shared.indexDurable.value())
    this.#shared.indexDurable.publish(durable) // flush writes the checkpoint, too
    dropFrom(disk, this.#parts, listIndexFiles(disk, directory), { keep, endTimestamp })
  }

  *#load({ name, header }: IndexFileState): Generator<void, boolean> {
    this.#isUsed = true
    this.#file = yield* loadIndex(this.#parts, {
      name,
      header,
      isExact: this.#parts.table.isExact,
      end: this.#shared.dispatched.peek(),
      timestampAt: (position) => this.#timestampAt(position),
    })
    if (this.#file !== null) this.#parts.table.show(name, this.#file.header)
    return this.#file !== null
  }

  /** Goes on at the last message in the index, which perhaps has not all of its items. */
  #resume(files: readonly IndexFileState[]): void {
    const header = this.#file?.header ?? null
    const minPosition = this.#shared.minPosition.value()
    this.#done = 0
    this.#position = Math.max(minPosition, header?.endPosition ?? 0)
    if (header === null || header.endPosition < minPosition) return
    const counts = files.map(({ name, header: { count } }) => ({ name, count }))
    counts.at(-1)!.count = header.count // with what was taken up
    this.#done = countItemsAt(header.endPosition, this.#parts, counts)
  }

  *#catchUp(): Generator<void> {
    const feed = new IndexFeed(this.#parts.files)
    let isFull = false
    for (;;) {
      this.#skipDeleted()
      const end = this.#shared.dispatched.peek()
      const next = feed.piece(this.#position, end, (record, bytes, position) => {
        if (isFull || position >= end) return
        if (position !== this.#position) this.#done = 0 // passed over damage
        this.#position = position
        isFull = !this.#put(record, bytes, position)
      })
      if (!isFull) this.#position = next
      this.#publish()
      if (isFull) yield* this.#replace()
      else if (this.#position >= end) return // dispatch has not gone on since
      isFull = false
      yield
    }
  }

  /** Retention may have taken what it wanted to read. */
  #skipDeleted(): void {
    const minPosition = this.#shared.minPosition.value()
    if (this.#position >= minPosition) return
    this.#position = minPosition
    this.#done = 0
  }

  /** The next file. Its name is later than that of the last, its head tells where that one ended. */
  *#replace(): Generator<void> {
    const before = this.#file === null ? null : this.#file.header
    if (this.#file !== null) yield* this.#seal(this.#file)
    yield* this.#clearSlots()
    const name = nextIndexFileName(this.#parts.clock.now(), this.#lastName)
    this.#file = IndexWriter.create(this.#parts, name, emptyHeader(before))
    this.#isUsed = true
    this.#lastName = name
    this.#parts.table.show(name, this.#file.header)
  }

  /** Main finds all of it in the file from then on. */
  *#seal(file: IndexWriter): Generator<void> {
    yield* this.#save(file)
    this.#parts.table.hide()
    const dueMs = this.#parts.clock.now() + SETTLE_MS
    this.#sealed.push({ name: file.name, endTimestamp: file.header.endTimestamp, dueMs })
    this.#closeFile()
  }

  /** A run that was killed may have filled them a moment ago. */
  #unsettle(full: readonly IndexFileState[]): void {
    const durable = this.#shared.indexDurable.value()
    const dueMs = this.#parts.clock.now() + SETTLE_MS
    this.#sealed = full
      .map(({ name, header: { endTimestamp } }) => ({ name, endTimestamp, dueMs }))
      .filter(({ endTimestamp }) => endTimestamp > durable)
  }

  *#save(file: IndexWriter): Generator<void> {
    this.#saveDueMs = Infinity
    for (;;) {
      file.flush()
      if (file.savePiece(this.#shared.indexDurable.value())) return
      yield
    }
  }

  *#clearSlots(): Generator<void> {
    const { slots } = this.#parts.table
    if (!this.#isUsed) return // pages never touched cost no memory
    for (let first = 0; first < slots.length; first += CLEAR_SLOTS) {
      slots.fill(0, first, first + CLEAR_SLOTS)
      yield
    }
    this.#isUsed = false
  }

  *#settleSoon(): Generator<void> {
    this.#settle()
    yield
  }

  /** From now on a power failure takes nothing of the oldest full file. */
  #settle(): void {
    const { name, endTimestamp } = this.#sealed[0]!
    const path = join(this.#parts.directory, name)
    const isThere = this.#parts.disk.exists(path) // else its messages are gone, and it with them
    if (isThere) this.#syncAt(path)
    this.#sealed.shift()
    if (isThere) this.#publishDurable(endTimestamp)
  }

  /** Of files that end in the same millisecond none is believed before all are synced. */
  #publishDurable(endTimestamp: number): void {
    if (this.#sealed.some((file) => file.endTimestamp <= endTimestamp)) return
    const file = this.#file
    if (file !== null && file.savedTimestamp <= endTimestamp) this.#sync(file.descriptor)
    this.#shared.indexDurable.publish(endTimestamp)
  }

  #syncAt(path: string): void {
    const descriptor = this.#parts.disk.open(path)
    try {
      this.#sync(descriptor)
    } finally {
      this.#parts.disk.close(descriptor)
    }
  }

  /** Its bytes and its name. */
  #sync(descriptor: number): void {
    const { disk, directory } = this.#parts
    disk.fdatasync(descriptor)
    disk.syncDirectory(directory)
  }

  #timestampAt(position: number): number | null {
    if (position < this.#shared.minPosition.value()) return null
    const head = Buffer.alloc(HEAD_LENGTH)
    const length = this.#parts.files.read(position, HEAD_LENGTH, head, 0)
    return storeTimeIn(head.subarray(0, length), position)
  }
}

/** Up to the first that is damaged, or older than the one before it: it was being made. */
function wholeFiles(files: readonly (IndexFileState | null)[]): IndexFileState[] {
  const whole: IndexFileState[] = []
  for (const file of files) {
    const before = whole.at(-1)?.header.endPosition ?? 0
    if (file === null || file.header.beginPosition < before) break
    whole.push(file)
  }
  return whole
}
