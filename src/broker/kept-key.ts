import { createHash } from 'node:crypto'

/** Longer ones are kept as a digest. */
const LENGTH_MAX = 128

/**
 * A key that a client chose, to be remembered: short, and a copy, as what was cut from a text keeps the whole text
 * in memory.
 */
export function keptKey(key: string): string {
  if (key.length > LENGTH_MAX) return createHash('sha256').update(key).digest('hex')
  return Buffer.from(key).toString()
}
