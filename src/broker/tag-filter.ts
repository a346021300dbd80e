import { javaHashCode } from '../base/java-hash.ts'

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

export function isWanted(filter: TagFilter, tagsCode: number): boolean {
  return filter === null || filter.has(tagsCode)
}
