/** Times are kept in steps of this many ms: never early, and late by no more. */
const STEP_MS = 50

/** Things that are due at some time each. */
export class DueSet<T> {
  readonly #steps = new Map<number, Set<T>>()
  /** The first step; NaN: not known. */
  #first = Infinity

  /** The first time at which something is due; Infinity when nothing is. */
  get nextMs(): number {
    if (Number.isNaN(this.#first)) this.#first = Math.min(...this.#steps.keys())
    return this.#first * STEP_MS
  }

  add(item: T, dueMs: number): void {
    if (dueMs === Infinity) return
    const step = Math.ceil(dueMs / STEP_MS)
    let items = this.#steps.get(step)
    if (items === undefined) this.#steps.set(step, (items = new Set<T>()))
    items.add(item)
    if (step < this.#first) this.#first = step
  }

  /** With the time it was added with. */
  delete(item: T, dueMs: number): void {
    const step = Math.ceil(dueMs / STEP_MS)
    const items = this.#steps.get(step)
    items?.delete(item)
    if (items?.size === 0) this.#end(step)
  }

  /** What is due by now, up to `count`, the earliest first. */
  take(now: number, count = Infinity): T[] {
    const taken: T[] = []
    if (this.nextMs > now) return taken
    for (const step of [...this.#steps.keys()].toSorted((one, other) => one - other)) {
      if (step * STEP_MS > now) break
      const items = this.#steps.get(step)!
      for (const item of items) {
        if (taken.length === count) return taken
        items.delete(item)
        taken.push(item)
      }
      this.#end(step)
    }
    return taken
  }

  #end(step: number): void {
    this.#steps.delete(step)
    if (step === this.#first) this.#first = NaN
  }
}
