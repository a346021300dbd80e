import type { Agent } from '../ring/agent.ts'
import type { LogShared } from './log-memory.ts'

/** One thread's part in a deletion: it closes files that are about to go, and says so. */
export class Closing {
  readonly #shared: LogShared
  readonly #close: (position: number) => boolean
  #closed = 0

  /** `close` closes files of the log that end at or below a position, and of queues those below `min`. */
  constructor(shared: LogShared, close: (position: number) => boolean) {
    this.#shared = shared
    this.#close = close
  }

  /** Whenever the thread is woken. What is being read right now is closed some later time. */
  turn(): void {
    const position = this.#shared.deletable.value()
    if (position === this.#closed || !this.#close(position)) return
    this.#closed = position
    this.#shared.publishClosed(position)
  }
}

/** The same for a thread that runs an agent. */
export function withClosing(agent: Agent, closing: Closing): Agent {
  return {
    turn: () => {
      closing.turn()
      return agent.turn()
    },
    idleMs: () => agent.idleMs(),
    get naps() {
      return agent.naps === true
    },
    close: () => agent.close(),
  }
}
