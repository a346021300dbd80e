/** A half message whose outcome is not known yet. */
export interface OpenHalf {
  readonly offset: number
  /** How often its producers were asked in this run. */
  checks: number
  /** Its outcome is being stored. */
  isEnding: boolean
}

/** Which messages of the half queue are open: all below `seen` are either here or ended. */
export class OpenHalves {
  readonly #open = new Map<number, OpenHalf>()
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
      this.#open.set(this.#seen, { offset: this.#seen, checks: 0, isEnding: false })
    }
  }

  /** Whoever gets true stores the outcome, and then says `ended` or `reopen`. */
  claim(offset: number): boolean {
    const half = this.#open.get(offset)
    if (half === undefined || half.isEnding) return false
    half.isEnding = true
    return true
  }

  ended(offset: number): void {
    this.#open.delete(offset)
  }

  reopen(offset: number): void {
    this.#open.get(offset)!.isEnding = false
  }

  /** Messages below are deleted. */
  dropBelow(min: number): void {
    for (const { offset, isEnding } of this.#open.values()) {
      if (offset >= min) return
      if (!isEnding) this.#open.delete(offset)
    }
  }
}
