import type { Clock } from '../base/clock.ts'
import type { RemotingCommand } from '../protocol/remoting-command.ts'

/** A request that waits for its answer. Exactly one of its functions is called, once. */
export interface PendingCall {
  /** By the client's clock, in milliseconds. */
  deadline: number
  settle(answer: RemotingCommand): void
  /** The connection has broken. */
  fail(): void
  /** The deadline has passed. */
  expire(): void
}

/**
 * Requests that wait for an answer, by opaque. One timer for all, set to the earliest deadline. It stays when that
 * one is answered, and looks then for the next: to set it for each call took a tenth of a call's time. It keeps no
 * process alive: while something waits, the connection does.
 */
export class PendingCalls {
  readonly #clock: Clock
  readonly #calls = new Map<number, PendingCall>()
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#calls.size
  }

  has(opaque: number): boolean {
    return this.#calls.has(opaque)
  }

  add(opaque: number, call: PendingCall): void {
    this.#calls.set(opaque, call)
    if (call.deadline < this.#timerAt) this.#arm(call.deadline)
  }

  /** Ignores an answer that nobody waits for, or no longer. */
  settle(answer: RemotingCommand): void {
    const call = this.#calls.get(answer.opaque)
    if (call === undefined) return
    this.#calls.delete(answer.opaque)
    call.settle(answer)
  }

  failAll(): void {
    this.#disarm()
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const call of calls) call.fail()
  }

  #arm(at: number): void {
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => this.#sweep(), at - this.#clock.now()).unref()
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
  }

  #sweep(): void {
    const now = this.#clock.now()
    this.#disarm()
    let next = Infinity
    for (const [opaque, call] of this.#calls) {
      if (call.deadline > now) {
        next = Math.min(next, call.deadline)
        continue
      }
      this.#calls.delete(opaque)
      call.expire()
    }
    if (next < this.#timerAt) this.#arm(next)
  }
}
