import { roundUp } from '../base/bytes.ts'
import type { Rows } from '../ring/rows.ts'
import type { ClientSession } from './client-session.ts'
import type { SerializeType } from '../protocol/frame.ts'
import type { MessageFilter } from './tag-filter.ts'

/** A pull that found nothing and waits for a message of its queue, or for its time to be over. */
export interface HeldPull {
  session: ClientSession
  opaque: number
  serializeType: SerializeType
  topic: string
  queueId: number
  /** Where what the group gets of the topic is counted. */
  counter: number
  row: number
  offset: number
  countMax: number
  filter: MessageFilter
  /** Older messages are passed over; 0: none are too old. */
  ttlMs: number
  deadlineMs: number
}

/** Pulls held by one connection; a client holds one per queue it owns. */
const HELD_PER_SESSION_MAX = 16_384
/** All connections of a worker together; a held pull takes some 400 bytes. */
const HELD_MAX = 500_000
/** A hold may last this much longer than asked for (Apache's: 5 s). */
const TICK_MS = 50

/**
 * Held pulls of one network worker, by queue.
 *
 * Parking never misses a message: the pull is on the list, then the worker's bit is set in the
 * queue's row, then `max` is read again. Dispatch stores `max` first and takes the bits after. So
 * either dispatch sees the bit, or the pull sees the new `max`.
 */
export class HeldPulls {
  readonly #rows: Rows
  readonly #worker: number
  readonly #byRow = new Map<number, Set<HeldPull>>()
  /** By when their time is over, rounded up: one look ends all that end about then. */
  readonly #byTick = new Map<number, Set<HeldPull>>()
  #count = 0
  #earliest = Infinity

  constructor(rows: Rows, worker: number) {
    this.#rows = rows
    this.#worker = worker
  }

  get count(): number {
    return this.#count
  }

  /** When the first one's time is over, or earlier; Infinity when nothing is held. */
  get nextDeadline(): number {
    return this.#count === 0 ? Infinity : this.#earliest
  }

  hasRoom(session: ClientSession): boolean {
    return session.held.size < HELD_PER_SESSION_MAX && this.#count < HELD_MAX
  }

  /** False: a message came in between; the pull is not held, read again. */
  park(pull: HeldPull): boolean {
    this.#add(pull)
    this.#rows.setWaiter(pull.row, this.#worker)
    if (this.#rows.max(pull.row) <= pull.offset) return true // after the bit: see above
    this.#remove(pull)
    return false
  }

  /** Dispatch has told that this queue moved: takes all pulls held on it. */
  take(row: number): HeldPull[] {
    return this.#takeAll(this.#byRow.get(row))
  }

  /** Takes all pulls whose time is over. */
  takeExpired(now: number): HeldPull[] {
    if (now < this.nextDeadline) return []
    const over = [...this.#byTick.keys()].filter((tick) => tick <= now)
    const taken = over.flatMap((tick) => this.#takeAll(this.#byTick.get(tick)))
    this.#earliest = Infinity
    for (const tick of this.#byTick.keys()) this.#earliest = Math.min(this.#earliest, tick)
    return taken
  }

  /** The connection is gone, and with it whom to answer. */
  dropSession(session: ClientSession): void {
    this.#takeAll(session.held)
  }

  #takeAll(pulls: Iterable<HeldPull> = []): HeldPull[] {
    const taken = [...pulls]
    for (const pull of taken) this.#remove(pull)
    return taken
  }

  #add(pull: HeldPull): void {
    const tick = tickOf(pull)
    addTo(this.#byRow, pull.row, pull)
    addTo(this.#byTick, tick, pull)
    pull.session.held.add(pull)
    this.#earliest = this.#count === 0 ? tick : Math.min(this.#earliest, tick)
    this.#count++
  }

  #remove(pull: HeldPull): void {
    removeFrom(this.#byRow, pull.row, pull)
    removeFrom(this.#byTick, tickOf(pull), pull)
    pull.session.held.delete(pull)
    this.#count--
  }
}

function tickOf({ deadlineMs }: HeldPull): number {
  return roundUp(deadlineMs, TICK_MS)
}

function addTo(sets: Map<number, Set<HeldPull>>, key: number, pull: HeldPull): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([pull]))
  else set.add(pull)
}

function removeFrom(sets: Map<number, Set<HeldPull>>, key: number, pull: HeldPull): void {
  const set = sets.get(key)!
  set.delete(pull)
  if (set.size === 0) sets.delete(key)
}
