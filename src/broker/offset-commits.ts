/** One consumer group's progress in one queue. */
export interface OffsetCommit {
  group: string
  topic: string
  queueId: number
  offset: number
}

/** Pulls carry a commit each; main hears of the newest per queue this often at most. */
const FORWARD_MS = 500

/** Offsets that pulls committed, gathered by (group, queue) on their way to main. */
export class OffsetCommits {
  readonly #forward: (payload: Buffer) => void
  readonly #pending = new Map<string, OffsetCommit>()
  #timer: NodeJS.Timeout | undefined

  constructor(forward: (payload: Buffer) => void) {
    this.#forward = forward
  }

  add(group: string, topic: string, queueId: number, offset: number): void {
    const key = `${topic}@${group}@${queueId}`
    const known = this.#pending.get(key)
    if (known !== undefined) known.offset = offset
    else this.#pending.set(key, { group, topic, queueId, offset })
    this.#timer ??= setTimeout(() => this.flush(), FORWARD_MS)
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    const commits = [...this.#pending.values()]
    this.#pending.clear()
    this.#forward(Buffer.from(JSON.stringify(commits)))
  }
}

export function readCommits(payload: Buffer): OffsetCommit[] {
  return JSON.parse(payload.toString()) as OffsetCommit[]
}
