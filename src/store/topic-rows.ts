import { ByteTable } from '../base/byte-table.ts'

/** A topic's queues and their rows in shared memory: `rows[queueId]`. */
export interface TopicRows {
  topic: string
  rows: number[]
  /** Records below this position are of a deleted topic of the same name; there is none without it. */
  from?: number
}

/** What main tells dispatch: a topic and its rows; no rows means that the topic is gone. */
export type RowsChange = TopicRows

/**
 * Rows by topic name as bytes and queueId. Remembers the last topic: messages of one topic come in
 * runs, so most look-ups are one comparison.
 */
export class RowsByTopic {
  readonly #table = new ByteTable<TopicRows>()
  #last: TopicRows | undefined
  #lastKey = Buffer.alloc(0)

  apply({ topic, rows, from = 0 }: RowsChange): void {
    if (rows.length === 0) this.#table.delete(topic)
    else this.#table.set(topic, { topic, rows, from })
    this.#last = undefined
  }

  find(bytes: Buffer, at: number, length: number): TopicRows | undefined {
    if (this.#last !== undefined && this.#isLast(bytes, at, length)) return this.#last
    const found = this.#table.get(bytes, at, length)
    if (found === undefined) return undefined
    this.#last = found
    this.#lastKey = Buffer.from(found.topic)
    return found
  }

  all(): TopicRows[] {
    return [...this.#table.entries()].map(([, value]) => value)
  }

  #isLast(bytes: Buffer, at: number, length: number): boolean {
    const key = this.#lastKey
    if (key.length !== length) return false
    for (let i = 0; i < length; i++) if (key[i] !== bytes[at + i]) return false
    return true
  }
}
