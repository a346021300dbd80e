import type { Clock } from '../base/clock.ts'
import type { LiveBroker } from './brokers.ts'
import type { RouteTable } from './route-table.ts'

export interface ExpiryOptions {
  table: RouteTable
  clock: Clock
  /** Milliseconds between two looks, at least. */
  intervalMs: () => number
  onExpired: (broker: LiveBroker) => void
}

/** Looks for silent brokers when the first of them is due, and not at all without brokers. */
export class ExpiryTimer {
  readonly #options: ExpiryOptions
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor(options: ExpiryOptions) {
    this.#options = options
  }

  /** A broker has registered: it may be the first that is due. */
  watch(): void {
    const next = this.#options.table.nextExpiry()
    if (next < this.#timerAt) this.#arm(next)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
  }

  #arm(at: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => this.#look(), at - this.#options.clock.now()).unref()
  }

  #look(): void {
    const { table, clock, intervalMs, onExpired } = this.#options
    this.#timerAt = Infinity
    for (const broker of table.expire()) onExpired(broker)
    const next = table.nextExpiry()
    if (next < Infinity) this.#arm(Math.max(next, clock.now() + intervalMs()))
  }
}
