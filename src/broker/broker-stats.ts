import type { Clock } from '../base/clock.ts'
import type { BrokerStatsData } from '../protocol/bodies/broker-stats.ts'
import { Speeds, StatsWindows } from './stats-windows.ts'
import { Count, type CounterReader } from './worker-counters.ts'

/** Time between two looks at the counters (Apache 5.3.3, StatsItemSet). */
const SAMPLE_MS = 10_000
const LOOKS_A_MINUTE = 7
const TOPIC_STATS = ['TOPIC_PUT_NUMS', 'TOPIC_PUT_SIZE'] as const

export interface BrokerStatsParts {
  counters: CounterReader
  clock: Clock
  clusterName: string
  topics: () => Iterable<string>
  /** The rows of a topic's queues, and the sum of the offsets of their next messages. */
  queuesOf: (topic: string) => { rows: readonly number[]; messages: number }
}

/** Messages. */
export interface Totals {
  puts: number
  gets: number
}

/**
 * How often something happened in the last minute, hour and day. Nothing is counted here: every ten
 * seconds the sums are looked at. Messages that were put are not counted anywhere: they are what the
 * offsets of the queues grew by.
 */
export class BrokerStats {
  /** A second, in the last 10, 60 and 600 s. */
  readonly speeds = {
    puts: new Speeds(),
    found: new Speeds(),
    miss: new Speeds(),
    got: new Speeds(),
  }
  readonly #parts: BrokerStatsParts
  readonly #windows = new Map<string, StatsWindows>()
  /** Of each topic, when the broker started. */
  readonly #before = new Map<string, number>()
  /** Puts by how long they took, as they were at the looks of the last minute. */
  readonly #putTimes: number[][] = []
  readonly #timer: NodeJS.Timeout
  #puts = 0
  #day: number
  #mornings: { today: Totals; yesterday: Totals }

  constructor(parts: BrokerStatsParts) {
    this.#parts = parts
    for (const topic of parts.topics()) this.#before.set(topic, parts.queuesOf(topic).messages)
    this.#day = dayOf(parts.clock.now())
    const none = { puts: 0, gets: 0 }
    this.#mornings = { today: none, yesterday: none }
    this.sample()
    this.#timer = setInterval(() => this.sample(), SAMPLE_MS)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Null: that has not happened since the start, or nobody counts it. */
  view(name: string, key: string): BrokerStatsData | null {
    return this.#windows.get(idOf(name, key))?.data() ?? null
  }

  /** Since the start, when it was last looked. */
  totals(): Totals {
    return { puts: this.#puts, gets: this.#parts.counters.total(Count.TRANSFERRED) }
  }

  /** The totals of the last two midnights. */
  mornings(): { today: Totals; yesterday: Totals } {
    return this.#mornings
  }

  /** Puts of the last minute by how long they took: see PUT_TIMES. */
  putTimes(): number[] {
    const [first, last] = [this.#putTimes[0]!, this.#putTimes.at(-1)!]
    return last.map((count, nth) => count - first[nth]!)
  }

  sample(): void {
    const { counters, clock, clusterName } = this.#parts
    const now = clock.now()
    this.#puts = this.#sampleTopics(now)
    for (const [key, { messages, bytes, answers }] of counters.gets()) {
      this.#note(now, idOf('GROUP_GET_NUMS', key), messages, answers)
      this.#note(now, idOf('GROUP_GET_SIZE', key), bytes, answers)
    }
    const { gets } = this.totals()
    const found = counters.total(Count.FOUND)
    this.#note(now, idOf('BROKER_PUT_NUMS', clusterName), this.#puts, this.#puts)
    this.#note(now, idOf('BROKER_GET_NUMS', clusterName), gets, found)
    this.speeds.puts.note(now, this.#puts)
    this.speeds.found.note(now, found)
    this.speeds.miss.note(now, counters.total(Count.MISS))
    this.speeds.got.note(now, gets)
    this.#putTimes.push(counters.putTimes())
    if (this.#putTimes.length > LOOKS_A_MINUTE) this.#putTimes.shift()
    this.#turnDay(now)
  }

  #sampleTopics(now: number): number {
    const { topics, queuesOf, counters } = this.#parts
    const seen = new Set<string>()
    let puts = 0
    for (const topic of topics()) {
      seen.add(topic)
      const { rows, messages } = queuesOf(topic)
      const count = Math.max(0, messages - (this.#before.get(topic) ?? 0))
      puts += count
      this.#note(now, idOf('TOPIC_PUT_NUMS', topic), count, count)
      this.#note(now, idOf('TOPIC_PUT_SIZE', topic), counters.putBytes(rows), count)
    }
    this.#forgetOthers(seen)
    return Math.max(puts, this.#puts) // a topic that was deleted takes nothing back
  }

  /** Topics that are gone: one of that name that is made later begins at 0. */
  #forgetOthers(topics: ReadonlySet<string>): void {
    for (const topic of this.#before.keys()) if (!topics.has(topic)) this.#before.delete(topic)
    for (const id of this.#windows.keys()) {
      const [name, key] = id.split(' ')
      const isOfTopic = TOPIC_STATS.some((each) => each === name)
      if (isOfTopic && !topics.has(key!)) this.#windows.delete(id)
    }
  }

  /** What never happened has no windows. What begins was 0 at the look before. */
  #note(now: number, id: string, total: number, times: number): void {
    let windows = this.#windows.get(id)
    if (windows === undefined) {
      if (total === 0) return
      windows = new StatsWindows()
      windows.note(now - SAMPLE_MS, 0, 0)
      this.#windows.set(id, windows)
    }
    windows.note(now, total, times)
  }

  #turnDay(now: number): void {
    const day = dayOf(now)
    if (day === this.#day) return
    this.#day = day
    this.#mornings = { today: this.totals(), yesterday: this.#mornings.today }
  }
}

function idOf(name: string, key: string): string {
  return `${name} ${key}`
}

/** Local days, as Apache counts them. */
function dayOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}
