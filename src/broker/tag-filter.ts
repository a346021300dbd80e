import { javaHashCode } from '../base/java-hash.ts'
import { SqlFilter } from '../filter/sql-filter.ts'

/**
 * A subscription to tags, as far as a broker filters: by hash. Clients compare the tags themselves
 * again, since different tags may have one hash. Null stands for "all messages".
 */
export type TagFilter = ReadonlySet<number> | null

/** `*`, nothing, or tags with `||` between them (Apache 5.3.3, FilterAPI). */
export function parseTags(expression: string | undefined): TagFilter {
  if (expression === undefined || expression === '' || expression === '*') return null
  const tags = expression
    .split('||')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  return tags.length === 0 ? null : new Set(tags.map(javaHashCode))
}

/** What a consumer wants of a topic: tags, or a condition on properties. Null, null stands for all messages. */
export interface MessageFilter {
  tags: TagFilter
  sql: SqlFilter | null
}

/** Of a subscription. Throws SqlError for a condition that is none. */
export function filterOf(
  expressionType: string | undefined,
  expression: string | undefined,
): MessageFilter {
  if (expressionType === 'SQL92') return { tags: null, sql: SqlFilter.of(expression ?? '') }
  return { tags: parseTags(expression), sql: null }
}
