import { StepHeap } from './step-heap.ts'

/** Times are kept in steps of this many ms: never early, and late by no more. */
const STEP_MS = 50
/** So many steps that are over lie in the heap at most, besides as many as there are others. */
const OVER_MAX = 64

/** Things that are due at some time each: clients choose it, so there may be as many steps as things. */
export class DueSet<T> {
  readonly #steps = new Map<number, Set<T>>()
  /** All of those, and some that are over. */
  readonly #order = new StepHeap()

  /** The first time at which something is due; Infinity when nothing is. */
  get nextMs(): number {
    while (this.#order.size > 0 && !this.#steps.has(this.#order.first)) this.#order.pop()
    return this.#order.first * STEP_MS
  }

  add(item: T, dueMs: number): void {
    if (dueMs === Infinity) return
    const step = Math.ceil(dueMs / STEP_MS)
    let items = this.#steps.get(step)
    if (items === undefined) {
      this.#steps.set(step, (items = new Set<T>()))
      this.#order.push(step)
    }
    items.add(item)
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
    while (taken.length < count && this.nextMs <= now) {
      const step = this.#order.first
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
    const { size } = this.#steps
    if (this.#order.size > 2 * size + OVER_MAX) this.#order.replace(this.#steps.keys())
  }
}
