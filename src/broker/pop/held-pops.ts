import type { Clock } from '../../base/clock.ts'
import type { BrokerConfig } from '../../config/broker.ts'
import { popRetryTopic } from '../../protocol/pop-receipt.ts'
import { DueSet } from './due-set.ts'
import type { PopStore } from './pop-store.ts'

/** How a look for messages went. */
export interface Look {
  /** The client has its answer. */
  isAnswered: boolean
  /** Otherwise: when a blocked queue is free; Infinity when none is. */
  freeMs: number
  /** There are messages that this look did not get to. */
  isMore: boolean
}

/** A request that waits for messages. */
export interface HeldPop {
  readonly group: string
  readonly topic: string
  /** -1: any. */
  readonly queueId: number
  readonly peerId: number
  readonly expiresMs: number
  /** Looks once more. Must not reject. */
  look: () => Promise<Look>
  /** Its time is over. */
  expire: () => void
}

/** Those of one group that wait for the same. */
interface Line {
  readonly group: string
  readonly topic: string
  readonly queueId: number
  readonly held: Set<HeldPop>
  rows: number[]
  isServing: boolean
  /** The one that is looked for at this moment: its answer is on its way, or it is told afterwards that there is none. */
  looking: HeldPop | null
  isAgain: boolean
  freeMs: number
}

/** A queue that somebody waits for. */
interface Watched {
  max: number
  readonly lines: Set<Line>
}

export type HoldLimits = Pick<
  BrokerConfig,
  'popPollingSize' | 'popPollingMapSize' | 'maxPopPollingSize'
>

export interface HeldPopsParts {
  store: PopStore
  queuesOf: (topic: string) => number
  limits: HoldLimits
  clock: Clock
  /** How many wait has become none, or more than none. */
  onHolding: (isHolding: boolean) => void
}

/** Pops and notifications that wait until a message comes, or their time is over. */
export class HeldPops {
  readonly #parts: HeldPopsParts
  readonly #lines = new Map<string, Line>()
  /** The same, by group and topic. */
  readonly #ofGroup = new Map<string, Set<Line>>()
  readonly #watched = new Map<number, Watched>()
  readonly #expiry = new DueSet<HeldPop>()
  readonly #free = new DueSet<Line>()
  readonly #byPeer = new Map<number, Set<HeldPop>>()
  #count = 0

  constructor(parts: HeldPopsParts) {
    this.#parts = parts
  }

  /** When something is to be done; Infinity when nothing waits. */
  get nextMs(): number {
    return Math.min(this.#expiry.nextMs, this.#free.nextMs)
  }

  /** How many wait there. */
  count(topic: string, group: string, queueId: number): number {
    return this.#lines.get(keyOf({ topic, group, queueId }))?.held.size ?? 0
  }

  /** Of the ends of all queues that such a request waits for: another one says that something came. */
  stamp(at: { topic: string; group: string; queueId: number }): number {
    return this.#rowsOf(at).reduce((sum, row) => sum + this.#parts.store.max(row), 0)
  }

  /** False: too many wait already. `look` is how the last look went, `stamp` was taken before it. */
  park(pop: HeldPop, look: Look, stamp: number): boolean {
    const { limits } = this.#parts
    const known = this.#lines.get(keyOf(pop))
    if (this.#count >= limits.maxPopPollingSize) return false
    if (known === undefined && this.#lines.size >= limits.popPollingMapSize) return false
    if (known !== undefined && known.held.size > limits.popPollingSize) return false
    const line = known ?? this.#begin(pop)
    line.held.add(pop)
    this.#expiry.add(pop, pop.expiresMs)
    this.#peerSet(pop.peerId).add(pop)
    if (++this.#count === 1) this.#parts.onHolding(true)
    this.#note(line, look)
    this.#watch(line)
    if (look.isMore || this.stamp(pop) !== stamp) this.#serve(line) // after it is watched
    return true
  }

  /** Dispatch may have moved queues. */
  onWake(): void {
    const moved = new Set<Line>()
    for (const [row, watched] of this.#watched) {
      if (this.#parts.store.max(row) === watched.max) continue
      this.#look(row, watched)
      for (const line of watched.lines) moved.add(line)
    }
    for (const line of moved) this.#serve(line)
  }

  /** Something may be there for this group, or its retry topic has come to be. */
  wake(topic: string, group: string): void {
    for (const line of this.#ofGroup.get(groupKey({ topic, group })) ?? []) {
      this.#watch(line)
      this.#serve(line)
    }
  }

  /** Answers those whose time is over, and serves those whose queue is free. */
  onTime(): void {
    const now = this.#parts.clock.now()
    for (const line of this.#free.take(now)) {
      line.freeMs = Infinity
      this.#serve(line)
    }
    for (const pop of this.#expiry.take(now)) {
      const line = this.#lines.get(keyOf(pop))!
      if (line.looking !== pop) this.#expire(pop)
    }
  }

  peerClosed(peerId: number): void {
    for (const pop of this.#byPeer.get(peerId) ?? []) this.#drop(pop)
  }

  close(): void {
    for (const line of this.#lines.values()) {
      for (const pop of line.held) this.#expire(pop)
    }
  }

  #expire(pop: HeldPop): void {
    if (this.#drop(pop)) pop.expire()
  }

  /** In the order they came, as long as there is something for them. */
  #serve(line: Line): void {
    line.isAgain = true
    if (line.isServing) return
    line.isServing = true
    void this.#serveAll(line).finally(() => (line.isServing = false))
  }

  async #serveAll(line: Line): Promise<void> {
    while (line.isAgain) {
      line.isAgain = false
      for (const pop of line.held) {
        line.looking = pop
        const look = await pop.look()
        line.looking = null
        if (look.isAnswered) this.#drop(pop)
        else if (pop.expiresMs <= this.#parts.clock.now()) this.#expire(pop)
        else {
          this.#note(line, look)
          line.isAgain ||= look.isMore && line.held.size > 0
          break
        }
      }
      if (line.isAgain) await nextTurn() // others have their turn
    }
  }

  #note(line: Line, { freeMs }: Look): void {
    if (freeMs >= line.freeMs || line.held.size === 0) return
    this.#free.delete(line, line.freeMs)
    line.freeMs = freeMs
    this.#free.add(line, freeMs)
  }

  #begin({ topic, group, queueId }: HeldPop): Line {
    const held = new Set<HeldPop>()
    const state = { rows: [], isServing: false, looking: null, isAgain: false, freeMs: Infinity }
    const line: Line = { topic, group, queueId, held, ...state }
    this.#lines.set(keyOf(line), line)
    const key = groupKey(line)
    const others = this.#ofGroup.get(key)
    if (others === undefined) this.#ofGroup.set(key, new Set([line]))
    else others.add(line)
    return line
  }

  /** First it is watched, then looked at: what comes in between wakes main. */
  #watch(line: Line): void {
    for (const row of this.#rowsOf(line)) {
      let watched = this.#watched.get(row)
      if (watched === undefined) this.#watched.set(row, (watched = { max: -1, lines: new Set() }))
      if (!watched.lines.has(line)) line.rows.push(row)
      watched.lines.add(line)
      if (watched.max === -1) this.#look(row, watched)
    }
  }

  #look(row: number, watched: Watched): void {
    const { store } = this.#parts
    store.watch(row)
    watched.max = store.max(row)
  }

  #rowsOf({ topic, group, queueId }: { topic: string; group: string; queueId: number }): number[] {
    const { store, queuesOf } = this.#parts
    const count = queuesOf(topic)
    const own = queueId >= 0 ? [queueId] : Array.from({ length: count }, (_, nth) => nth)
    const retries = [popRetryTopic(group, topic, false), popRetryTopic(group, topic, true)]
    const rows = own.map((each) => store.rowOf(topic, each))
    rows.push(...retries.map((retry) => store.rowOf(retry, 0)))
    return rows.filter((row) => row !== undefined)
  }

  /** False: it is gone already. */
  #drop(pop: HeldPop): boolean {
    const line = this.#lines.get(keyOf(pop))
    if (line === undefined || !line.held.delete(pop)) return false
    this.#expiry.delete(pop, pop.expiresMs)
    const ofPeer = this.#byPeer.get(pop.peerId)
    ofPeer?.delete(pop)
    if (ofPeer?.size === 0) this.#byPeer.delete(pop.peerId)
    if (--this.#count === 0) this.#parts.onHolding(false)
    if (line.held.size === 0) this.#end(line)
    return true
  }

  #end(line: Line): void {
    this.#lines.delete(keyOf(line))
    const others = this.#ofGroup.get(groupKey(line))!
    others.delete(line)
    if (others.size === 0) this.#ofGroup.delete(groupKey(line))
    this.#free.delete(line, line.freeMs)
    for (const row of line.rows) {
      const watched = this.#watched.get(row)
      watched?.lines.delete(line)
      if (watched?.lines.size === 0) this.#watched.delete(row)
    }
  }

  #peerSet(peerId: number): Set<HeldPop> {
    let pops = this.#byPeer.get(peerId)
    if (pops === undefined) this.#byPeer.set(peerId, (pops = new Set<HeldPop>()))
    return pops
  }
}

function keyOf({ topic, group, queueId }: { topic: string; group: string; queueId: number }) {
  return `${queueId}@${topic}@${group}`
}

function groupKey({ topic, group }: { topic: string; group: string }): string {
  return `${topic}@${group}`
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
