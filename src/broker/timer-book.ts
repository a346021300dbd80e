import { javaHashCode } from '../base/java-hash.ts'
import type { TimerFiles } from '../store/timer-files.ts'
import type { TimerSlot } from '../store/timer-wheel.ts'
import { dueTime, slotBegin, storedTime } from '../store/timer-time.ts'
import { TimerMagic, type TimerUnit } from '../store/timer-unit.ts'
import { type ReadLater, TimerChain } from './timer-chain.ts'
import { type DueTimer, TimerHeap } from './timer-heap.ts'
import type { TimedMessage } from './timer-message.ts'
import { UnreadTimers } from './unread-timers.ts'

/** Slots are taken into memory so long before they begin. */
const LEAD_MS = 1000
/** Ticks that one look ahead covers. */
const LOOK_TICKS = 2000

export interface TimerBookOptions {
  precisionMs: number
  /** What is further away than so many slots is put in for an earlier one, and then once more. */
  rollSlots: number
  readLater: ReadLater
  limits: TimerLimits
}

/** How much is in memory at a time. */
export interface TimerLimits {
  /** While so many timers are there, no further ones are taken from slots. */
  loadedMax: number
  /** Timers of a large slot that are taken together. */
  partMax: number
  /** Deletions of one slot that are taken. */
  deletionsMax: number
}

/** Timers that were taken from a slot. */
export interface LoadedTimers {
  /** Newest first. */
  timers: readonly DueTimer[]
  /** Those of a slot come with its first timers. */
  deletions: readonly DueTimer[]
  /** So many more there was no room for. */
  deletionsLeft: number
}

const NOTHING: LoadedTimers = { timers: [], deletions: [], deletionsLeft: 0 }

/** All timers: those of slots that are near in memory, the others on the disk. */
export class TimerBook {
  readonly heap = new TimerHeap()
  readonly unread = new UnreadTimers()
  readonly #files: TimerFiles
  readonly #options: TimerBookOptions
  /** Slots below it are in the heap, or about to be. */
  #loadedTick = 0
  /** The last of them, when not all of it is in the heap. */
  #chain: TimerChain | null = null
  #readMs = 0

  constructor(files: TimerFiles, options: TimerBookOptions) {
    this.#files = files
    this.#options = options
  }

  /** Whatever was due up to then is done with. */
  get readMs(): number {
    return this.#readMs
  }

  /** While so many timers are in memory, no further ones are taken from slots. */
  get loadedMax(): number {
    return this.#options.limits.loadedMax
  }

  /** Slots are taken into memory from there on. */
  begin(readMs: number): void {
    this.#readMs = readMs
    this.#loadedTick = this.#tickOf(readMs)
    this.#chain = null
  }

  /** What is due up to then may be delivered: what deletes it, or comes before it, is known. */
  get knownMs(): number {
    const chain = this.#chain
    if (chain === null) return Infinity
    return (chain.slot.tick + (chain.isKnown ? 1 : 0)) * this.#options.precisionMs
  }

  /** Whether the wheel has room for its slot: it goes round once in so many slots. */
  hasRoomFor({ outMs }: TimedMessage, now: number): boolean {
    const furthest = Math.min(outMs, now + this.#options.rollSlots * this.#options.precisionMs)
    return this.#tickOf(furthest) - this.#tickOf(this.#readMs) < this.#files.wheel.slots - 1
  }

  /**
   * Puts a message in. What comes too late for its time is due at once. Returns its timer when it is of a slot
   * that is in memory. Throws when the disk refuses: it is not put in.
   */
  put(
    message: TimedMessage,
    place: { position: number; length: number; now: number },
  ): DueTimer | null {
    const { precisionMs } = this.#options
    const unit = this.#unitFor(message, place)
    const storedMs = unit.writtenMs + unit.delayMs
    const tick = this.#tickOf(storedMs)
    const slot = this.#files.wheel.slot(tick)
    unit.previous = slot?.last ?? -1
    const unitAt = this.#files.log.append(unit)
    const change = message.deletes === null ? 1 : -1
    this.#files.wheel.put({
      tick,
      first: slot?.first ?? unitAt,
      last: unitAt,
      count: (slot?.count ?? 0) + change,
    })
    if (tick >= this.#loadedTick) return null
    const { position, length, magic, writtenMs } = unit
    const dueMs = dueTime(storedMs, precisionMs)
    return { dueMs, unitAt, position, length, magic, writtenMs }
  }

  /** What was put in is in the files. Throws when the disk refuses; the next call goes on. */
  write(): void {
    this.#files.log.write()
    this.#files.wheel.write()
  }

  /**
   * Takes the next slot that is near, or a part of it. Null when there is none, or no room for it. Everything
   * that was put in is written.
   */
  async load(now: number): Promise<LoadedTimers | null> {
    if (this.#isFull) return null
    if (this.#chain !== null) return this.#loadFrom(this.#chain)
    const end = this.#tickOf(now + LEAD_MS) + 1
    if (end <= this.#loadedTick) return null
    const to = Math.min(end, this.#loadedTick + LOOK_TICKS)
    const slot = this.#files.wheel.next(this.#loadedTick, to)
    this.#loadedTick = slot === null ? to : slot.tick + 1
    if (slot !== null) this.#chain = this.#chainOf(slot)
    return NOTHING
  }

  get #isFull(): boolean {
    return this.heap.size + this.unread.size >= this.#options.limits.loadedMax
  }

  async #loadFrom(chain: TimerChain): Promise<LoadedTimers> {
    const isFirst = !chain.isKnown
    const timers = await chain.take()
    if (this.#chain !== chain || timers === null) return NOTHING
    if (chain.isOver) this.#chain = null
    const { deletions, deletionsLeft } = chain
    return isFirst ? { timers, deletions, deletionsLeft } : { ...NOTHING, timers }
  }

  #chainOf(slot: TimerSlot): TimerChain {
    const { precisionMs, readLater, limits } = this.#options
    const options = { precisionMs, readLater, ...limits, readMs: this.#readMs }
    return new TimerChain(slot, this.#files.log, options)
  }

  /** When something is to be done next, as far as is to be seen; at most some time from now. */
  nextMs(now: number): number {
    const { precisionMs } = this.#options
    const dueMs = Math.min(this.heap.dueMs, this.unread.retryMs, now + LOOK_TICKS * precisionMs)
    if (this.#isFull) return dueMs
    if (this.#chain !== null) return now
    const end = this.#tickOf(now) + LOOK_TICKS
    const slot = end > this.#loadedTick ? this.#files.wheel.next(this.#loadedTick, end) : null
    return slot === null ? dueMs : Math.min(dueMs, slot.tick * precisionMs - LEAD_MS)
  }

  /** Nothing below the first in memory is left, up to now. */
  advance(now: number): void {
    const { precisionMs } = this.#options
    const loadedMs = (this.#chain?.slot.tick ?? this.#loadedTick) * precisionMs
    const heldMs = Math.min(this.heap.dueMs, this.unread.dueMs) - 1
    this.#readMs = Math.max(this.#readMs, Math.min(now, loadedMs, heldMs))
  }

  /** The clock was set back: what was put in for the time that is to come once more is done with already. */
  setBack(now: number): void {
    const { wheel } = this.#files
    const from = this.#tickOf(now)
    const end = Math.min(this.#tickOf(this.#readMs), from + wheel.slots) // once round, however far back
    for (let tick = from; tick < end;) {
      const slot = wheel.next(tick, end)
      if (slot === null) break
      wheel.put({ ...slot, first: -1, last: -1, count: 0 })
      tick = slot.tick + 1
    }
    wheel.write()
    this.heap.clear()
    this.unread.clear()
    this.begin(now)
  }

  #tickOf(timeMs: number): number {
    return Math.floor(timeMs / this.#options.precisionMs)
  }

  #unitFor(
    message: TimedMessage,
    { position, length, now }: { position: number; length: number; now: number },
  ): TimerUnit {
    const { precisionMs } = this.#options
    const writtenMs = slotBegin(now, precisionMs)
    const dueMs = Math.max(message.dueMs, this.#readMs + 1)
    const rollMs = this.#rollTime(message.outMs, writtenMs)
    const timeMs = rollMs ?? storedTime(dueMs, precisionMs)
    let magic: number = TimerMagic.DEFAULT
    if (rollMs !== null) magic |= TimerMagic.ROLL
    if (message.deletes !== null) magic |= TimerMagic.DELETE
    const topicHash = javaHashCode(message.topic)
    const delayMs = timeMs - writtenMs
    return { previous: -1, magic, writtenMs, delayMs, position, length, topicHash }
  }

  /** The slot that it is put in for instead (Apache 5.3.3, TimerMessageStore.doEnqueue); null: its own. */
  #rollTime(outMs: number, writtenMs: number): number | null {
    const { precisionMs, rollSlots } = this.#options
    const window = rollSlots * precisionMs
    const beyond = outMs - writtenMs - window
    if (beyond < 0) return null
    const isLittle = beyond < Math.floor(rollSlots / 3) * precisionMs // leave time for the next roll
    return writtenMs + (isLittle ? Math.floor(rollSlots / 2) * precisionMs : window)
  }
}
