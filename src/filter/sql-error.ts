/** An expression that is none, or that compares what cannot be compared. Says where, counted from 1. */
export class SqlError extends Error {
  override name = 'SqlError'
  readonly position: number

  constructor(problem: string, index: number) {
    super(`${problem} at position ${index + 1}`)
    this.position = index + 1
  }
}
