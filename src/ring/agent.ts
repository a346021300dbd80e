import type { Signal } from './signal.ts'

/** A job that does not know it has a thread: a test can step several of them in one thread. */
export interface Agent {
  /** Does a bounded amount of work, never awaits. Returns how much: 0 means nothing to do. */
  turn(): number
  /** Milliseconds until something is due without a wake; Infinity when nothing is. */
  idleMs(): number
  /** Whether it wants its idle time undisturbed: waiting then is a nap, not a sleep. */
  readonly naps?: boolean
  close(): void
}

/** Runs turns until stopped. Without work it sleeps until a wake or its next deadline. */
export function run(agent: Agent, signal: Signal, stopped: () => boolean): void {
  while (!stopped()) {
    const seen = signal.seen() // before the turn: a wake during it ends the wait at once
    if (agent.turn() > 0) continue
    if (stopped()) break
    const ms = agent.idleMs()
    if (agent.naps === true && ms !== Infinity) signal.nap(ms)
    else signal.sleep(seen, ms)
  }
  agent.close()
}

/** The same for a thread with an event loop. The caller keeps the loop alive (a waitAsync does not). */
export async function runOnLoop(
  turn: () => void,
  signal: Signal,
  stopped: () => boolean,
): Promise<void> {
  while (!stopped()) {
    const seen = signal.seen()
    turn()
    if (stopped()) break
    await signal.doze(seen)
  }
}
