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
  readonly #early = new Set<number>()
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
      if (this.#early.delete(this.#seen)) continue
      this.#open.set(this.#seen, { offset: this.#seen, checks: 0, isEnding: false })
    }
  }

  /** Whoever gets true stores the outcome, and then says `ended` or `reopen`. */
  claim(offset: number): boolean {
    if (offset >= this.#seen) return this.#claimEarly(offset)
    const half = this.#open.get(offset)
    if (half === undefined || half.isEnding) return false
    half.isEnding = true
    return true
  }

  ended(offset: number): void {
    this.#open.delete(offset)
  }

  reopen(offset: number): void {
    this.#early.delete(offset)
    const half = this.#open.get(offset)
    if (half !== undefined) half.isEnding = false
    else if (offset < this.#seen) this.#insert(offset)
  }

  /** Messages below are deleted. */
  dropBelow(min: number): void {
    for (const { offset, isEnding } of this.#open.values()) {
      if (offset >= min) return
      if (!isEnding) this.#open.delete(offset)
    }
  }

  #claimEarly(offset: number): boolean {
    if (this.#early.has(offset)) return false
    this.#early.add(offset)
    return true
  }

  /** It was passed over as ended early, and now is not: rare, so the order is made anew. */
  #insert(offset: number): void {
    const all = [...this.#open.values(), { offset, checks: 0, isEnding: false }]
    this.#open.clear()
    for (const half of all.toSorted((a, b) => a.offset - b.offset))
      this.#open.set(half.offset, half)
  }
}
