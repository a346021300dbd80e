/** Steps of time, the earliest first. Those that are in it twice, or no more needed, are its user's business. */
export class StepHeap {
  readonly #steps: number[] = []

  get size(): number {
    return this.#steps.length
  }

  /** Infinity when it is empty. */
  get first(): number {
    return this.#steps[0] ?? Infinity
  }

  push(step: number): void {
    const steps = this.#steps
    let at = steps.length
    for (; at > 0; at = (at - 1) >> 1) {
      const above = steps[(at - 1) >> 1]!
      if (above <= step) break
      steps[at] = above
    }
    steps[at] = step
  }

  /** Takes the first one out. */
  pop(): void {
    const last = this.#steps.pop()
    if (last !== undefined && this.#steps.length > 0) this.#sink(last)
  }

  /** Only these. */
  replace(steps: Iterable<number>): void {
    this.#steps.length = 0
    for (const step of steps) this.push(step)
  }

  /** From the top, which is free. */
  #sink(step: number): void {
    const steps = this.#steps
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= steps.length) break
      if (below + 1 < steps.length && steps[below + 1]! < steps[below]!) below++
      if (steps[below]! >= step) break
      steps[at] = steps[below]!
      at = below
    }
    steps[at] = step
  }
}
