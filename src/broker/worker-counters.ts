import type { Clock } from '../base/clock.ts'
import { isLightQueue, LIGHT_QUEUE_PREFIX } from '../protocol/light-queues.ts'
import type { RecordSource } from '../store/log-appender.ts'

/**
 * What one network worker counts, in memory that main reads whenever it likes. Plain doubles: each
 * has one writer, and a number that is a moment old will do.
 *
 *    0..31    single numbers, see Count
 *    32..     messages, bytes and answers that groups got, three for each (group, topic)
 *    behind   bytes that were put, one for each row of a queue
 */
export const Count = {
  /** Pulls that were answered with messages, and without. */
  FOUND: 0,
  MISS: 1,
  /** Messages in these answers. */
  TRANSFERRED: 2,
  PUTS: 3,
  PUT_BYTES: 4,
  /** The longest time from the append of a message to its answer, in ms. */
  PUT_MS_MAX: 5,
  /** Puts by how long they took: 13 numbers, see PUT_TIMES. */
  PUT_TIMES: 8,
} as const

/** Upper ends in ms of the spans that puts are counted in (Apache 5.3.3, StoreStatsService); the last has none. */
export const PUT_TIMES = [0, 10, 50, 100, 200, 500, 1000, 2000, 3000, 4000, 5000, 10_000] as const

const SINGLES = 32
/** Pairs of group and topic; beyond it they are counted together, as nobody's. */
const GETS = 16_384
const GETS_AT = SINGLES
const GET = 3
const ROWS_AT = GETS_AT + GET * GETS

/** A pair of group and topic that a worker has begun to count. */
export interface CountedPair {
  index: number
  group: string
  topic: string
}

/** Bytes for one worker; pages that nobody writes to take no memory. */
export function allocateCounters(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer((ROWS_AT + rows) * 8)
}

type Appended = Pick<RecordSource, 'row' | 'count' | 'length' | 'position'>

/** The worker's side. No object is made for a message or a pull. */
export class WorkerCounters {
  readonly #values: Float64Array
  readonly #turn: Clock
  readonly #clock: Clock
  readonly #onPair: (pair: CountedPair) => void
  readonly #pairs = new Map<string, Map<string, number>>()
  #pairCount = 0
  /** Of the open turn: when the first came in, how many there are, and where the last ends in the log. */
  #since = 0
  #puts = 0
  #end = 0
  /** Earlier turns whose puts are not all answered, in order. */
  readonly #unanswered: { since: number; puts: number; end: number }[] = []

  /** `turn`: the time at the beginning of the open turn. `onPair` hears of a new pair before it counts. */
  constructor(
    memory: SharedArrayBuffer,
    clocks: { turn: Clock; clock: Clock },
    onPair: (pair: CountedPair) => void,
  ) {
    this.#values = new Float64Array(memory)
    this.#turn = clocks.turn
    this.#clock = clocks.clock
    this.#onPair = onPair
  }

  /** One message, or a batch, that has been appended. */
  addPut({ row, count, length: bytes, position }: Appended): void {
    if (this.#puts === 0) this.#since = this.#turn.now()
    this.#puts += count
    this.#end = position + bytes
    this.#values[ROWS_AT + row]! += bytes
    this.#values[Count.PUT_BYTES]! += bytes
  }

  /** The turn ends: answers leave for puts that end below `held`. Those of a turn are counted with its last. */
  endPuts(held: number): void {
    const unanswered = this.#unanswered
    while (unanswered.length > 0 && unanswered[0]!.end < held) {
      const { since, puts } = unanswered.shift()!
      this.#countPuts(since, puts)
    }
    if (this.#puts === 0) return
    const [since, puts, end] = [this.#since, this.#puts, this.#end]
    this.#puts = 0
    if (end < held) this.#countPuts(since, puts)
    else unanswered.push({ since, puts, end })
  }

  #countPuts(since: number, puts: number): void {
    const values = this.#values
    const ms = this.#clock.now() - since
    values[Count.PUTS]! += puts
    values[Count.PUT_TIMES + spanOf(Math.floor(ms))]! += puts
    if (ms > values[Count.PUT_MS_MAX]!) values[Count.PUT_MS_MAX] = ms
  }

  /** Where a group's messages of a topic are counted. */
  pair(group: string, topic: string): number {
    let topics = this.#pairs.get(group)
    if (topics === undefined) this.#pairs.set(group, (topics = new Map<string, number>()))
    return topics.get(topic) ?? this.#newPair(topics, group, topic)
  }

  addFound(pair: number, messages: number, bytes: number): void {
    const values = this.#values
    values[Count.FOUND]!++
    values[Count.TRANSFERRED]! += messages
    const at = GETS_AT + GET * pair
    values[at]! += messages
    values[at + 1]! += bytes
    values[at + 2]!++
  }

  addMiss(): void {
    this.#values[Count.MISS]!++
  }

  /** Light queues are counted as one (Apache 5.3.3, LmqBrokerStatsManager). */
  #newPair(topics: Map<string, number>, group: string, topic: string): number {
    if (isLight(group) || isLight(topic)) return this.pair(folded(group), folded(topic))
    const index = this.#pairCount + 1 // 0 is for those beyond the limit
    if (index >= GETS) return 0
    this.#pairCount = index
    topics.set(topic, index)
    this.#onPair({ index, group, topic })
    return index
  }
}

function isLight(name: string): boolean {
  return isLightQueue(name) && name !== LIGHT_QUEUE_PREFIX
}

function folded(name: string): string {
  return isLight(name) ? LIGHT_QUEUE_PREFIX : name
}

function spanOf(ms: number): number {
  let span = 0
  while (span < PUT_TIMES.length && ms > PUT_TIMES[span]!) span++
  return span
}

/** Main's side: the sums over all workers. */
export class CounterReader {
  readonly #workers: { values: Float64Array; pairs: CountedPair[] }[]

  constructor(memories: readonly SharedArrayBuffer[]) {
    this.#workers = memories.map((memory) => ({ values: new Float64Array(memory), pairs: [] }))
  }

  addPair(worker: number, pair: CountedPair): void {
    this.#workers[worker]!.pairs.push(pair)
  }

  total(count: number): number {
    return this.#workers.reduce((sum, { values }) => sum + values[count]!, 0)
  }

  greatest(count: number): number {
    return this.#workers.reduce((most, { values }) => Math.max(most, values[count]!), 0)
  }

  /** By the spans of PUT_TIMES. */
  putTimes(): number[] {
    return Array.from({ length: PUT_TIMES.length + 1 }, (_, nth) => {
      return this.total(Count.PUT_TIMES + nth)
    })
  }

  /** Bytes that workers put into these queues. */
  putBytes(rows: readonly number[]): number {
    let bytes = 0
    for (const { values } of this.#workers) {
      for (const row of rows) bytes += values[ROWS_AT + row]!
    }
    return bytes
  }

  /** By `topic@group`. */
  gets(): Map<string, Gets> {
    const sums = new Map<string, Gets>()
    for (const { values, pairs } of this.#workers) {
      for (const { index, group, topic } of pairs) {
        const key = `${topic}@${group}`
        const sum = sums.get(key) ?? { messages: 0, bytes: 0, answers: 0 }
        const at = GETS_AT + GET * index
        sum.messages += values[at]!
        sum.bytes += values[at + 1]!
        sum.answers += values[at + 2]!
        sums.set(key, sum)
      }
    }
    return sums
  }
}

/** What a group got of a topic. */
export interface Gets {
  messages: number
  bytes: number
  answers: number
}
