import { type CheckPoint, type CheckPointKey, keyText } from './check-point.ts'
import { DueSet } from './due-set.ts'

/** A check point some of whose messages are neither acknowledged nor put back. */
export interface OpenCheckPoint extends CheckPoint {
  /** Where it stands in the revive topic. */
  readonly reviveQueueId: number
  readonly reviveOffset: number
  /** The queue's place in shared memory: a deleted topic that is made anew has others. */
  readonly row: number
  /** Bits of members that are done with. */
  done: number
  /** Bits of members that somebody is storing something of. */
  busy: number
  /** When what is left comes again, ms since 1970. */
  dueMs: number
  /** Another broker wrote it, and its acks come as it came: through the timer wheel. */
  readonly isForeign: boolean
}

/** All check points that are open, by what they are asked for. Only memory: the revive topic is what lasts. */
export class OpenCheckPoints {
  readonly #byKey = new Map<string, OpenCheckPoint>()
  readonly #due = new DueSet<OpenCheckPoint>()
  /** By queue of the revive topic: offsets of those that are open, in the order they came. */
  readonly #own = new Map<number, Set<number>>()
  readonly #foreign = new Map<number, Set<number>>()

  get size(): number {
    return this.#byKey.size
  }

  get(key: CheckPointKey): OpenCheckPoint | undefined {
    return this.#byKey.get(keyText(key))
  }

  /** Another one with its key is replaced, as Apache 5.3.3 does; returns that. */
  add(point: OpenCheckPoint): OpenCheckPoint | undefined {
    const before = this.get(point)
    if (before !== undefined) this.remove(before)
    this.#byKey.set(keyText(point), point)
    this.#due.add(point, point.dueMs)
    setIn(point.isForeign ? this.#foreign : this.#own, point.reviveQueueId).add(point.reviveOffset)
    return before
  }

  remove(point: OpenCheckPoint): void {
    if (!this.#byKey.delete(keyText(point))) return
    this.#due.delete(point, point.dueMs)
    const offsets = point.isForeign ? this.#foreign : this.#own
    offsets.get(point.reviveQueueId)!.delete(point.reviveOffset)
  }

  /** Another time for what is left of it. */
  postpone(point: OpenCheckPoint, dueMs: number): void {
    if (this.get(point) !== point) return
    this.#due.delete(point, point.dueMs)
    point.dueMs = dueMs
    this.#due.add(point, point.dueMs)
  }

  /** Those whose time is over, up to `count`. They stay open, and are not due again before they are postponed. */
  takeDue(now: number, count: number): OpenCheckPoint[] {
    return this.#due.take(now, count)
  }

  /** When the first one's time is over; Infinity when there is none. */
  get nextDueMs(): number {
    return this.#due.nextMs
  }

  /** The lowest offset of an open one in a queue of the revive topic; Infinity when there is none. */
  lowest(reviveQueueId: number): number {
    return Math.min(first(this.#own.get(reviveQueueId)), first(this.#foreign.get(reviveQueueId)))
  }
}

/** Those bits that stand for these offsets; others are no members. */
export function bitsOfOffsets(point: CheckPoint, offsets: readonly number[]): number {
  let bits = 0
  for (const offset of offsets) {
    const nth = point.offsets.indexOf(offset)
    if (nth >= 0) bits |= 1 << nth
  }
  return bits
}

export function offsetsOfBits(point: CheckPoint, bits: number): number[] {
  return point.offsets.filter((_, nth) => (bits & (1 << nth)) !== 0)
}

/** All members. */
export function allBits(point: CheckPoint): number {
  return point.offsets.length === 32 ? -1 : (1 << point.offsets.length) - 1
}

export function bitCount(bits: number): number {
  let count = 0
  for (let left = bits; left !== 0; left &= left - 1) count++
  return count
}

function setIn<K, V>(sets: Map<K, Set<V>>, key: K): Set<V> {
  let set = sets.get(key)
  if (set === undefined) sets.set(key, (set = new Set<V>()))
  return set
}

function first(offsets: Set<number> | undefined): number {
  for (const offset of offsets ?? []) return offset
  return Infinity
}
