import type { Rows } from '../ring/rows.ts'
import type { ClientSession } from './client-session.ts'
import type { SerializeType } from '../protocol/frame.ts'
import type { TagFilter } from './tag-filter.ts'

/** A pull that found nothing and waits for a message of its queue, or for its time to be over. */
export interface HeldPull {
  session: ClientSession
  opaque: number
  serializeType: SerializeType
  topic: string
  queueId: number
  row: number
  offset: number
  countMax: number
  filter: TagFilter
  deadlineMs: number
}

/** Pulls held by one connection; a client holds one per queue it owns. */
const HELD_PER_SESSION_MAX = 16_384

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
  readonly #byRow = new Map<number, HeldPull[]>()
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
    return session.heldCount < HELD_PER_SESSION_MAX
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
    const pulls = this.#byRow.get(row)
    if (pulls === undefined) return []
    this.#byRow.delete(row)
    this.#forget(pulls)
    return pulls
  }

  /** Takes all pulls whose time is over. */
  takeExpired(now: number): HeldPull[] {
    return this.#takeWhere((pull) => pull.deadlineMs <= now)
  }

  /** The connection is gone, and with it whom to answer. */
  dropSession(session: ClientSession): void {
    if (session.heldCount > 0) this.#takeWhere((pull) => pull.session === session)
  }

  #takeWhere(matches: (pull: HeldPull) => boolean): HeldPull[] {
    const taken: HeldPull[] = []
    this.#earliest = Infinity
    for (const [row, pulls] of this.#byRow) {
      const rest = pulls.filter((pull) => !matches(pull))
      if (rest.length < pulls.length) taken.push(...pulls.filter(matches))
      if (rest.length === 0) this.#byRow.delete(row)
      else this.#byRow.set(row, rest)
      for (const { deadlineMs } of rest) this.#earliest = Math.min(this.#earliest, deadlineMs)
    }
    this.#forget(taken)
    return taken
  }

  #add(pull: HeldPull): void {
    const pulls = this.#byRow.get(pull.row)
    if (pulls === undefined) this.#byRow.set(pull.row, [pull])
    else pulls.push(pull)
    this.#earliest = this.#count === 0 ? pull.deadlineMs : Math.min(this.#earliest, pull.deadlineMs)
    this.#count++
    pull.session.heldCount++
  }

  #remove(pull: HeldPull): void {
    const pulls = this.#byRow.get(pull.row)!
    pulls.splice(pulls.indexOf(pull), 1)
    if (pulls.length === 0) this.#byRow.delete(pull.row)
    this.#forget([pull])
  }

  #forget(pulls: HeldPull[]): void {
    this.#count -= pulls.length
    for (const { session } of pulls) session.heldCount--
  }
}
