import { parseSql } from './sql-parser.ts'
import type { Evaluate, Lookup } from './sql-expression.ts'
import { INCOMPARABLE } from './sql-values.ts'

/** Compiled once and shared by all who ask for it; the least recently used go. */
const KEPT_MAX = 256
const kept = new Map<string, SqlFilter>()

/** A condition on the properties of messages. */
export class SqlFilter {
  readonly expression: string
  readonly #evaluate: Evaluate

  private constructor(expression: string) {
    this.expression = expression
    this.#evaluate = parseSql(expression)
  }

  /** Throws SqlError, which says what is wrong and where. */
  static of(expression: string): SqlFilter {
    const filter = kept.get(expression) ?? new SqlFilter(expression)
    kept.delete(expression)
    kept.set(expression, filter)
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!)
    return filter
  }

  /** What is unknown, or cannot be compared, does not match. */
  matches(lookup: Lookup): boolean {
    try {
      return this.#evaluate(lookup) === true
    } catch (error) {
      if (error === INCOMPARABLE) return false
      throw error
    }
  }
}
