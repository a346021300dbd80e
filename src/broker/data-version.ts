import type { JsonValue } from '../protocol/json.ts'

/**
 * Which state a table is in. Name servers and slaves take a table for unchanged while all three are
 * equal. Source: Apache 5.3.3, DataVersion.
 */
export interface DataVersion {
  /** Changes so far. */
  counter: number
  /** Set by failover; kept as it was read. */
  stateVersion: number
  /** When the last change was, in ms. */
  timestamp: number
}

export function firstVersion(now: number): DataVersion {
  return { counter: 0, stateVersion: 0, timestamp: now }
}

/** The version after one more change. Its time never goes back, so that versions stay in order. */
export function nextVersion(version: DataVersion, now: number): DataVersion {
  const { counter, stateVersion, timestamp } = version
  return { counter: counter + 1, stateVersion, timestamp: Math.max(now, timestamp) }
}

export function isNewer(version: DataVersion, than: DataVersion): boolean {
  if (version.timestamp !== than.timestamp) return version.timestamp > than.timestamp
  return version.counter > than.counter
}

/** What stands in a file or body. What is missing counts as 0, as in a table that nobody changed yet. */
export function readVersion(value: JsonValue | undefined): DataVersion {
  const field = (name: string): number => {
    const number = value instanceof Map ? value.get(name) : undefined
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : 0
  }
  return {
    counter: field('counter'),
    stateVersion: field('stateVersion'),
    timestamp: field('timestamp'),
  }
}
