import type { BrokerStatsData } from '../protocol/bodies/broker-stats.ts'

/** Sums that grow, as they were at some moment. */
interface Moment {
  time: number
  total: number
  /** How often something was added to it. */
  times: number
}

const MINUTE_MS = 60_000
/** The looks that a window keeps: how far apart, and how many. */
const MINUTE = { everyMs: 0, max: 7 }
const HOUR = { everyMs: 10 * MINUTE_MS, max: 7 }
const DAY = { everyMs: 60 * MINUTE_MS, max: 25 }
/** Looks are ten seconds apart: these windows are 10, 60 and 600 s. */
const SPEEDS = [1, 6, 60]

/**
 * What was added to a sum in the last minute, hour and day: the newest look minus the oldest of each
 * (Apache 5.3.3, StatsItem).
 */
export class StatsWindows {
  readonly #minute: Moment[] = []
  readonly #hour: Moment[] = []
  readonly #day: Moment[] = []

  /** `total` is the sum since the start, `now` in ms. */
  note(now: number, total: number, times: number): void {
    const moment = { time: now, total, times }
    add(this.#minute, moment, MINUTE)
    add(this.#hour, moment, HOUR)
    add(this.#day, moment, DAY)
  }

  data(): BrokerStatsData {
    return {
      statsDay: difference(this.#day),
      statsHour: difference(this.#hour),
      statsMinute: difference(this.#minute),
    }
  }
}

/** How fast a sum grows: a second, in the last 10, 60 and 600 s (Apache 5.3.3, StoreStatsService). */
export class Speeds {
  readonly #moments: Moment[] = []

  note(now: number, total: number): void {
    add(this.#moments, { time: now, total, times: 0 }, { everyMs: 0, max: SPEEDS.at(-1)! + 1 })
  }

  /** Fewer numbers soon after the start. */
  perSecond(): number[] {
    const known = SPEEDS.filter((looks) => this.#moments.length > looks)
    return known.map((looks) => difference(this.#moments.slice(-looks - 1)).tps)
  }
}

function add(moments: Moment[], moment: Moment, { everyMs, max }: typeof MINUTE): void {
  const last = moments.at(-1)
  if (last !== undefined && moment.time - last.time < everyMs) return
  moments.push(moment)
  if (moments.length > max) moments.shift()
}

function difference(moments: readonly Moment[]): BrokerStatsData['statsDay'] {
  const [first, last] = [moments[0], moments.at(-1)]
  if (first === undefined || last === undefined) return { sum: 0, tps: 0, avgpt: 0 }
  const sum = last.total - first.total
  const times = last.times - first.times
  const ms = last.time - first.time
  return { sum, tps: ms > 0 ? (sum * 1000) / ms : 0, avgpt: times > 0 ? sum / times : 0 }
}
