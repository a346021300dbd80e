import {
  type Body,
  body,
  int,
  list,
  numberMap,
  optional,
  orElse,
  record,
  text,
  textMap,
} from '../../protocol/json-shape.ts'
import { retryFlagOf } from '../../protocol/pop-receipt.ts'
import type { Clock } from '../../base/clock.ts'
import { DelayedFile } from '../delayed-file.ts'
import type { ConfigFile } from '../config-json.ts'
import type { Log } from '../../log/log.ts'

const FLUSH_MS = 1000

/** What one group has in flight in one queue that it consumes in order (Apache 5.3.3, OrderInfo). */
const OrderInfo = record({
  a: optional(text),
  cm: orElse(int, 0),
  i: orElse(int, 0),
  l: orElse(int, 0),
  /** The first offset, then how far the others are from it. */
  o: orElse(list(int), []),
  oc: orElse(numberMap(int), new Map()),
  ot: orElse(numberMap(int), new Map()),
  popTime: orElse(int, 0),
})
type OrderInfo = ReturnType<typeof OrderInfo.read>

const OrderTable = body(
  'ConsumerOrderInfoManager',
  record({ table: orElse(textMap(numberMap(OrderInfo)), new Map()) }),
)
type OrderTable = typeof OrderTable extends Body<infer T> ? T : never

/** One queue of one group. */
export interface OrderPlace {
  readonly group: string
  readonly topic: string
  readonly queueId: number
}

/** What an acknowledgement leads to: the group's next offset, or why there is none. */
export type NextOffset = number | 'unknown offset' | 'other pop'

/**
 * The queues that groups consume in order: what is popped blocks its queue until all of it is acknowledged or its
 * time is over. Kept in config/consumerOrderInfo.json; a crash forgets the newest, and then messages come again
 * from the group's offset on.
 */
export class PopOrders {
  readonly #file: DelayedFile
  readonly #clock: Clock
  #table: OrderTable['table'] = new Map()

  constructor({ file, clock, log }: { file: ConfigFile; clock: Clock; log: Log }) {
    this.#clock = clock
    const toText = () => OrderTable.write({ table: this.#table })
    this.#file = new DelayedFile({ file, log, delayMs: FLUSH_MS, toText })
  }

  async load(): Promise<void> {
    const json = await this.#file.load()
    if (json !== null) this.#table = OrderTable.read(json).table
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Until when nobody else may pop the queue; null when it is free. One and the same attempt may. */
  blockedUntil(place: OrderPlace, attemptId: string | undefined): number | null {
    const info = this.#of(place)
    if (info === undefined || info.o.length === 0) return null
    if (info.a !== undefined && info.a === attemptId) return null
    const now = this.#clock.now()
    const times = offsetsOf(info).map((offset, nth) =>
      isAcked(info, nth) ? 0 : (info.ot.get(offset) ?? info.popTime + info.i),
    )
    return times.find((time) => time > now) ?? null
  }

  /** These were popped. Returns what the reply says of how often they came before. */
  pop(
    place: OrderPlace,
    taken: { offsets: readonly number[]; popTime: number; invisibleTime: number },
    attemptId: string | undefined,
  ): string[] {
    const before = this.#of(place)
    const [first] = taken.offsets
    const info: OrderInfo = {
      a: attemptId,
      cm: 0,
      i: taken.invisibleTime,
      l: this.#clock.now(),
      o: taken.offsets.map((offset, nth) => (nth === 0 ? offset : offset - first!)),
      oc: countsAfter(before, taken.offsets, attemptId),
      ot: new Map(),
      popTime: taken.popTime,
    }
    this.#set(place, info)
    return countTexts(place, info, taken.offsets)
  }

  /**
   * One is acknowledged. `position`: of the group. When a crash has made us forget what was popped, only what is next moves
   * the group: Apache 5.3.3 passes over all that lies before the one that comes.
   */
  ack(place: OrderPlace, offset: number, popTime: number, position: number): NextOffset {
    const info = this.#of(place)
    if (info === undefined) return offset === position ? offset + 1 : 'unknown offset'
    if (info.popTime !== popTime) return 'other pop'
    const offsets = offsetsOf(info)
    const nth = offsets.indexOf(offset)
    if (nth === -1) return 'unknown offset'
    info.cm |= 1 << nth
    this.#file.touch()
    const open = offsets.findIndex((_, each) => !isAcked(info, each))
    return open === -1 ? offsets.at(-1)! + 1 : offsets[open]!
  }

  /** Another time for one of those that are in flight. */
  changeVisibleTime(place: OrderPlace, offset: number, popTime: number, visibleMs: number): void {
    const info = this.#of(place)
    if (info?.popTime !== popTime || !offsetsOf(info).includes(offset)) return
    info.ot.set(offset, visibleMs)
    this.#file.touch()
  }

  /** The group was moved: what it popped before blocks nothing. */
  clear({ group, topic, queueId }: OrderPlace): void {
    if (this.#table.get(`${topic}@${group}`)?.delete(queueId)) this.#file.touch()
  }

  /** The topic, or the group, was deleted. */
  forget(gone: { topic: string } | { group: string }): void {
    for (const key of this.#table.keys()) {
      const [topic, group] = key.split('@')
      const isGone = 'topic' in gone ? topic === gone.topic : group === gone.group
      if (isGone && this.#table.delete(key)) this.#file.touch()
    }
  }

  #of({ group, topic, queueId }: OrderPlace): OrderInfo | undefined {
    return this.#table.get(`${topic}@${group}`)?.get(queueId)
  }

  #set({ group, topic, queueId }: OrderPlace, info: OrderInfo): void {
    const key = `${topic}@${group}`
    let queues = this.#table.get(key)
    if (queues === undefined) this.#table.set(key, (queues = new Map<number, OrderInfo>()))
    queues.set(queueId, info)
    this.#file.touch()
  }
}

function offsetsOf({ o }: OrderInfo): number[] {
  return o.map((each, nth) => (nth === 0 ? each : o[0]! + each))
}

/** Bits: at most 32 messages are popped at once. */
function isAcked({ cm }: OrderInfo, nth: number): boolean {
  return (cm & (1 << nth)) !== 0
}

/** How often each came before; the same attempt again is no further try. */
function countsAfter(
  before: OrderInfo | undefined,
  offsets: readonly number[],
  attemptId: string | undefined,
): Map<number, number> {
  if (before === undefined) return new Map()
  if (before.a !== undefined && before.a === attemptId) return before.oc
  const known = new Set(offsetsOf(before))
  const again = offsets.filter((offset) => known.has(offset))
  return new Map(again.map((offset) => [offset, (before.oc.get(offset) ?? 0) + 1]))
}

/** For each offset, and for old clients one for the whole queue. */
function countTexts(
  { topic, queueId }: OrderPlace,
  { oc }: OrderInfo,
  offsets: readonly number[],
): string[] {
  const flag = retryFlagOf(topic)
  const texts = Array.from(oc, ([offset, count]) => `${flag} qo${queueId}%${offset} ${count}`)
  const least = oc.size === offsets.length ? Math.min(...oc.values()) : 0
  return [...texts, `${flag} ${queueId} ${least}`]
}
