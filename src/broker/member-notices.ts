/** Shortest time between two notices to the same group. */
const SPACING_MS = 200

/**
 * Tells groups that their members changed: the first time at once, then, while changes go on, at
 * most every 200 ms. A hundred consumers that start together would else be told ten thousand times.
 */
export class MemberNotices {
  readonly #send: (group: string) => void
  /** Groups that were told a moment ago, and whether they are to be told again after it. */
  readonly #resting = new Map<string, { timer: NodeJS.Timeout; isDue: boolean }>()

  constructor(send: (group: string) => void) {
    this.#send = send
  }

  changed(group: string): void {
    const rest = this.#resting.get(group)
    if (rest !== undefined) rest.isDue = true
    else this.#rest(group, { delayMs: 0, isDue: true }) // not in this turn: more may change in it
  }

  close(): void {
    for (const { timer } of this.#resting.values()) clearTimeout(timer)
    this.#resting.clear()
  }

  #rest(group: string, { delayMs, isDue }: { delayMs: number; isDue: boolean }): void {
    const timer = setTimeout(() => this.#wake(group), delayMs)
    this.#resting.set(group, { timer, isDue })
  }

  #wake(group: string): void {
    const { isDue } = this.#resting.get(group)!
    this.#resting.delete(group)
    if (!isDue) return
    this.#rest(group, { delayMs: SPACING_MS, isDue: false })
    this.#send(group)
  }
}
