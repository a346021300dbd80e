/** Positions that are kept: a message that turns out to be damaged is not counted. */
const KEPT_MAX = 1000

/** Messages that are counted in a note. Plain data once a task has handed it back. */
export class Tally {
  count = 0
  readonly positions: number[] = []

  add(position: number): void {
    this.count++
    if (this.positions.length < KEPT_MAX) this.positions.push(position)
  }
}

/** How many there are besides the damaged ones. */
export function sumOf(tallies: readonly Tally[], damaged: ReadonlySet<number>): number {
  return tallies.reduce((sum, { count, positions }) => {
    return sum + count - positions.filter((position) => damaged.has(position)).length
  }, 0)
}
