import { DataVersion } from '../protocol/bodies/data-version.ts'
import type { JsonValue } from '../protocol/json.ts'

/** The version of a table that nobody has changed yet. */
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

/** The version in a file; all 0 when there is none. Throws JsonError. */
export function readVersion(value: JsonValue | undefined): DataVersion {
  return DataVersion.read(value ?? new Map())
}
