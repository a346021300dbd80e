/** Where a message was stored. */
export interface StoredAt {
  readonly queueId: number
  readonly queueOffset: number
  readonly position: number
  /** Behind its last byte in the log. */
  readonly end: number
  /** In ms. */
  readonly storeTimestamp: number
}

/** The messages of one topic that are no older than a time, by their keys. */
export class DedupWindow {
  readonly windowMs: number
  /** In the order in which they were stored. */
  readonly #byKey = new Map<string, StoredAt>()

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  get size(): number {
    return this.#byKey.size
  }

  /** What was stored under this key within the window; null: nothing. */
  find(key: string, now: number): StoredAt | null {
    const found = this.#byKey.get(key)
    return found === undefined || this.#isOver(found, now) ? null : found
  }

  /** Stored later than all before. A key that is there already counts from now on. */
  add(key: string, stored: StoredAt): void {
    this.#byKey.delete(key)
    this.#byKey.set(key, stored)
  }

  expire(now: number): void {
    for (const [key, stored] of this.#byKey) {
      if (!this.#isOver(stored, now)) return
      this.#byKey.delete(key)
    }
  }

  dropOldest(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key)
      return
    }
  }

  #isOver({ storeTimestamp }: StoredAt, now: number): boolean {
    return storeTimestamp < now - this.windowMs
  }
}
