import { javaHashCode } from '../base/java-hash.ts'
import type { SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import { ClientError } from './client-error.ts'

/**
 * `'*'`, `'TagA || TagB'`, or an SQL92 condition over properties, which the broker must have
 * enabled.
 */
export type FilterExpression = string | { readonly sql: string }

export interface Subscription {
  readonly topic: string
  readonly expressionType: 'TAG' | 'SQL92'
  /** As typed; `*` for everything. */
  readonly expression: string
  /** Empty when everything is wanted, and for SQL92. */
  readonly tags: ReadonlySet<string>
  /**
   * The broker keeps the subscription with the larger version: milliseconds since 1970 of its
   * making.
   */
  readonly version: number
}

/** Throws ClientError when the expression selects nothing at all. */
export function subscription(
  topic: string,
  filter: FilterExpression,
  version: number,
): Subscription {
  if (typeof filter !== 'string') {
    return { topic, expressionType: 'SQL92', expression: filter.sql, tags: new Set(), version }
  }
  const isAll = filter.trim() === '' || filter.trim() === '*'
  const expression = isAll ? '*' : filter
  return { topic, expressionType: 'TAG', expression, tags: tagsOf(topic, expression), version }
}

function tagsOf(topic: string, expression: string): Set<string> {
  if (expression === '*') return new Set()
  const tags = new Set(expression.split('||').map((tag) => tag.trim()))
  tags.delete('')
  if (tags.size === 0) {
    throw new ClientError(`no tag in '${expression}' for topic ${topic}: use '*' or 'TagA || TagB'`)
  }
  return tags
}

/**
 * The broker filters by hash only, so a tag of the same hash can slip through: the text decides.
 */
export function isWanted(wanted: Subscription, tag: string | undefined): boolean {
  return wanted.tags.size === 0 || (tag !== undefined && wanted.tags.has(tag))
}

/** As heartbeats tell it. */
export function subscriptionData(wanted: Subscription): SubscriptionData {
  const tags = [...wanted.tags]
  return {
    topic: wanted.topic,
    expressionType: wanted.expressionType,
    subString: wanted.expression,
    tagsSet: tags,
    codeSet: tags.map(javaHashCode), // the broker finds these in its consume queues
    subVersion: wanted.version,
    classFilterMode: false,
  }
}
