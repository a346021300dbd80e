/** A half message whose outcome is not known yet. */
export interface OpenHalf {
  readonly offset: number
  /** How often its producers were asked in this run. */
  checks: number
  /** Its outcome is being stored. */
  isEnding: boolean
}

/**
 * Which messages of the half queue are open. All below `seen` are either here or ended; those above are
 * known only when somebody has ended them before dispatch told of them.
 */
export class OpenHalves {
  readonly #open = new Map<number, OpenHalf>()
  /** Claimed before dispatch told of them; whether they have ended. */
  readonly #early = new Map<number, boolean>()
  #seen: number

  constructor(seen: number) {
    this.#seen = seen
  }

  get size(): number {
    return this.#open.size
  }

  /** All below it have ended. */
  get lowest(): number {
    for (const offset of this.#open.keys()) return offset // in the order of their offsets
    return this.#seen
  }

  /** In the order of their offsets. */
  [Symbol.iterator](): IterableIterator<OpenHalf> {
    return this.#open.values()
  }

  /** The queue has grown to `max`. */
  extend(max: number): void {
    for (; this.#seen < max; this.#seen++) {
      const offset = this.#seen
      const hasEnded = this.#early.get(offset)
      this.#early.delete(offset)
      if (hasEnded === true) continue
      this.#open.set(offset, { offset, checks: 0, isEnding: hasEnded === false })
    }
  }

  /** Whoever gets true stores the outcome, and then says `ended` or `reopen`. */
  claim(offset: number): boolean {
    if (offset >= this.#seen) {
      if (this.#early.has(offset)) return false
      this.#early.set(offset, false)
      return true
    }
    const half = this.#open.get(offset)
    if (half === undefined || half.isEnding) return false
    half.isEnding = true
    return true
  }

  ended(offset: number): void {
    if (offset >= this.#seen) this.#early.set(offset, true)
    else this.#open.delete(offset)
  }

  reopen(offset: number): void {
    if (offset >= this.#seen) this.#early.delete(offset)
    else this.#open.get(offset)!.isEnding = false
  }

  /** Messages below are deleted. */
  dropBelow(min: number): void {
    for (const { offset, isEnding } of this.#open.values()) {
      if (offset >= min) return
      if (!isEnding) this.#open.delete(offset)
    }
  }
}
