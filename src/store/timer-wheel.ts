import { readSafeInt64, viewOf, writeSafeInt64 } from '../base/bytes.ts'
import type { Disk } from '../base/disk.ts'

/** Twice seven days of seconds (Apache 5.3.3, TimerWheel), whatever the precision is. */
export const WHEEL_SLOTS = 7 * 86_400 * 2
const SLOT_LENGTH = 32
/** Slots that a search reads at once. */
const BLOCK_SLOTS = 2048

/** The chain of one slot: its units are found from `last` on, backwards. */
export interface TimerSlot {
  /** Time of its begin, divided by the precision. */
  tick: number
  first: number
  last: number
  /** Timers less deletions, since the slot was begun. */
  count: number
}

/**
 * The file of slots, by time, one behind the other and round again. It has its full length from the beginning,
 * and holes where nothing was ever due; nothing of it is kept in memory but what is not yet written.
 */
export class TimerWheel {
  readonly #disk: Disk
  readonly #descriptor: number
  readonly #bytes = Buffer.alloc(SLOT_LENGTH)
  readonly #block = Buffer.alloc(BLOCK_SLOTS * SLOT_LENGTH)
  readonly #changed = new Map<number, TimerSlot>()
  /** The file was made, or had not the length of a wheel: what it said is lost. */
  readonly isNew: boolean

  readonly slots: number

  constructor(disk: Disk, path: string, slots: number) {
    this.#disk = disk
    this.slots = slots
    this.#descriptor = disk.create(path)
    const length = disk.size(this.#descriptor)
    this.isNew = length !== slots * SLOT_LENGTH
  }

  ensureLength(): void {
    if (!this.isNew) return
    this.#disk.truncate(this.#descriptor, 0)
    this.#disk.truncate(this.#descriptor, this.slots * SLOT_LENGTH)
  }

  get descriptor(): number {
    return this.#descriptor
  }

  /** Null: nothing was put in for this tick. */
  slot(tick: number): TimerSlot | null {
    const changed = this.#changed.get(tick)
    if (changed !== undefined) return changed
    const { buffer, offset } = { buffer: this.#bytes, offset: 0 }
    const position = (tick % this.slots) * SLOT_LENGTH
    this.#disk.pread(this.#descriptor, { buffer, offset, length: SLOT_LENGTH, position })
    const slot = slotIn(viewOf(buffer), 0)
    return slot.tick === tick && slot.last >= 0 ? slot : null
  }

  /** Kept until `write`. */
  put(slot: TimerSlot): void {
    this.#changed.set(slot.tick, slot)
  }

  /** Throws when the disk refuses: nothing is forgotten, the next call goes on. */
  write(): void {
    const view = viewOf(this.#bytes)
    for (const [tick, { first, last, count }] of this.#changed) {
      const isNone = last < 0
      writeSafeInt64(view, 0, isNone ? 0 : tick)
      writeSafeInt64(view, 8, isNone ? 0 : first)
      writeSafeInt64(view, 16, isNone ? 0 : last)
      view.setInt32(24, isNone ? 0 : count)
      view.setInt32(28, 0)
      const position = (tick % this.slots) * SLOT_LENGTH
      const span = { buffer: this.#bytes, offset: 0, length: SLOT_LENGTH, position }
      this.#disk.pwrite(this.#descriptor, span)
      this.#changed.delete(tick)
    }
  }

  /** The first slot in use in `[from, to)`, ticks; null when there is none. Everything is written. */
  next(from: number, to: number): TimerSlot | null {
    for (let tick = from; tick < to;) {
      const index = tick % this.slots
      const count = Math.min(BLOCK_SLOTS, to - tick, this.slots - index)
      const view = this.#readBlock(index, count)
      for (let nth = 0; nth < count; nth++) {
        if (isUnused(view, nth * SLOT_LENGTH)) continue
        const slot = slotIn(view, nth * SLOT_LENGTH)
        if (slot.tick === tick + nth) return slot
      }
      tick += count
    }
    return null
  }

  /** All slots in use whose tick is not below `tick`, in pieces: the caller may rest between them. */
  *all(tick: number): Generator<TimerSlot[]> {
    for (let index = 0; index < this.slots; index += BLOCK_SLOTS) {
      const count = Math.min(BLOCK_SLOTS, this.slots - index)
      const view = this.#readBlock(index, count)
      const slots: TimerSlot[] = []
      for (let nth = 0; nth < count; nth++) {
        if (isUnused(view, nth * SLOT_LENGTH)) continue // nearly all
        const slot = slotIn(view, nth * SLOT_LENGTH)
        if (slot.tick >= tick && slot.tick % this.slots === index + nth) slots.push(slot)
      }
      yield slots
    }
  }

  close(): void {
    this.#disk.close(this.#descriptor)
  }

  #readBlock(index: number, count: number): DataView {
    const length = count * SLOT_LENGTH
    const span = { buffer: this.#block, offset: 0, length, position: index * SLOT_LENGTH }
    this.#disk.pread(this.#descriptor, span)
    return viewOf(this.#block)
  }
}

function isUnused(view: DataView, at: number): boolean {
  return view.getInt32(at + 4) === 0 && view.getInt32(at) === 0
}

function slotIn(view: DataView, at: number): TimerSlot {
  return {
    tick: readSafeInt64(view, at),
    first: readSafeInt64(view, at + 8),
    last: readSafeInt64(view, at + 16),
    count: view.getInt32(at + 24),
  }
}
