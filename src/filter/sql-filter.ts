import { SqlError } from './sql-error.ts'
import { parseSql } from './sql-parser.ts'
import type { Evaluate, Lookup } from './sql-expression.ts'
import { INCOMPARABLE } from './sql-values.ts'

/** Compiled once and shared by all who ask for it; the least recently used go. */
const KEPT_MAX = 256
const kept = new Map<string, SqlFilter | SqlError>()

/** A condition on the properties of messages. */
export class SqlFilter {
  readonly #evaluate: Evaluate

  constructor(evaluate: Evaluate) {
    this.#evaluate = evaluate
  }

  /** Throws SqlError, which says what is wrong and where. */
  static of(expression: string): SqlFilter {
    const filter = kept.get(expression) ?? compile(expression)
    kept.delete(expression)
    kept.set(expression, filter)
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!)
    if (filter instanceof SqlError) throw filter
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

/** A mistake is kept, too: who makes one repeats it with each pull. */
function compile(expression: string): SqlFilter | SqlError {
  try {
    return new SqlFilter(parseSql(expression))
  } catch (error) {
    if (error instanceof SqlError) return error
    throw error
  }
}
