import type { FrameSink, Link } from './link.ts'

/** A way of asking a broker. It is the sink of its links; all its state belongs to one run. */
export interface Load extends FrameSink {
  /** Requests without a reply yet. */
  readonly outstanding: number
  /** Resolves when the work is bounded and all of it has been answered. */
  readonly done: Promise<void>
  /** Sends the first requests; every later one is caused by a reply or, in an open loop, by the time. */
  start(links: Link[]): void
  /** Asks nothing more. */
  stop(): void
}

/** Milliseconds since 1970 at a reading of `performance.now()`, without asking the clock again. */
export function wallClock(now: number): number {
  return Math.floor(performance.timeOrigin + now)
}
