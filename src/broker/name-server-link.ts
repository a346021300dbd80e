import type { Log } from '../log/log.ts'

/** First pause after a failure; it doubles up to the period. */
const RETRY_MS = 1000

export interface NameServerLinkParts {
  address: string
  /** Registers once. Rejects when the name server cannot be reached or refuses. */
  register: (address: string) => Promise<void>
  /** Between two registrations that go well, in ms. */
  periodMs: number
  log: Log
}

/** One name server: registers with it in time, and knows whether it is there. */
export class NameServerLink {
  readonly address: string
  readonly #parts: NameServerLinkParts
  #failures = 0
  #hasAnswered = false
  #isStopped = false
  #underWay: Promise<void> | null = null
  #next: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(parts: NameServerLinkParts) {
    this.address = parts.address
    this.#parts = parts
  }

  /** The last registration failed. */
  get isDown(): boolean {
    return this.#failures > 0
  }

  /** It has answered, and not failed since. */
  get isUp(): boolean {
    return this.#hasAnswered && !this.isDown
  }

  /**
   * Registers now, or once more after the one under way, which may have begun before what changed.
   * Resolves when that is over, well or not.
   */
  refresh(): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    if (this.#underWay === null) return this.#run()
    this.#next ??= this.#underWay.then(() => {
      this.#next = null
      return this.#run()
    })
    return this.#next
  }

  /** No registration begins after this. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#isStopped) return Promise.resolve()
    this.#underWay = this.#attempt().then(() => {
      this.#underWay = null
      this.#schedule()
    })
    return this.#underWay
  }

  async #attempt(): Promise<void> {
    const { address, register, log } = this.#parts
    try {
      await register(address)
      if (!this.isUp) log.info({ nameServer: address }, 'registered with the name server')
      this.#hasAnswered = true
      this.#failures = 0
    } catch (error) {
      const fields = { nameServer: address, reason: (error as Error).message }
      if (!this.isDown) log.warn(fields, 'cannot register with the name server, trying again')
      this.#failures++
    }
  }

  #schedule(): void {
    if (this.#isStopped) return
    const { periodMs } = this.#parts
    const backOffMs = RETRY_MS * 2 ** (this.#failures - 1)
    const delayMs = this.isDown ? Math.min(backOffMs, periodMs) : periodMs
    this.#timer = setTimeout(() => void this.refresh(), delayMs)
  }
}
