import type { HeaderScanner } from '../protocol/header-scanner.ts'
import { KEY } from './handlers/pull-keys.ts'
import { resetKey } from './offset-resets.ts'

/** A network worker's copy of OffsetResets: which pulls main must answer. Empty nearly always. */
export class ResetQueues {
  readonly #groups = new Map<string, ReadonlySet<string>>()

  /** All of a group. Returns the topics and queues that are new. */
  apply(group: string, queues: readonly string[]): { topic: string; queueId: number }[] {
    const known = this.#groups.get(group)
    if (queues.length === 0) this.#groups.delete(group)
    else this.#groups.set(group, new Set(queues))
    return queues.filter((key) => known?.has(key) !== true).map(placeOf)
  }

  /** Whether a pull is of a group that was moved in this queue. */
  isHit(fields: HeaderScanner): boolean {
    if (this.#groups.size === 0) return false
    const queues = this.#groups.get(fields.text(KEY.group) ?? '')
    if (queues === undefined) return false
    return queues.has(resetKey(fields.text(KEY.topic) ?? '', fields.integer(KEY.queueId)))
  }
}

function placeOf(key: string): { topic: string; queueId: number } {
  const at = key.lastIndexOf('@')
  return { topic: key.slice(0, at), queueId: Number(key.slice(at + 1)) }
}
