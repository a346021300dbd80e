import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../log/log.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { ConsumerOffsets } from '../consumer-offsets.ts'
import type { Ack, CheckPoint, CheckPointKey } from './check-point.ts'
import {
  allBits,
  bitCount,
  bitsOfOffsets,
  offsetsOfBits,
  type OpenCheckPoint,
  OpenCheckPoints,
} from './open-check-points.ts'
import { INVISIBLE_MAX_MS } from './pop-request.ts'
import type { PopQueue, PopQueues } from './pop-queues.ts'
import type { PopStore } from './pop-store.ts'
import type { ReviveLog } from './revive-log.ts'
import { type ReviveRecord, ReviveQueues } from './revive-queues.ts'

/** Acks that go through the timer wheel come within this time behind their check point. */
const FOREIGN_GRACE_MS = 5000
/** After a refusal of the log. */
const RETRY_MS = 1000

export interface CheckPointsParts {
  log: ReviveLog
  store: PopStore
  queues: PopQueues
  offsets: ConsumerOffsets
  reviveTopic: string
  reviveQueueCount: number
  brokerName: string
  /** Open ones at the same time (`popCkMaxBufferSize`). */
  openMax: () => number
  clock: Clock
  logger: Log
}

/** Acks of one turn for one check point. */
interface Batch {
  bits: number
  readonly stored: PromiseWithResolvers<void>
}

/**
 * Check points and their acks: in the revive topic, which lasts, and in memory those that are open. What is
 * answered for is in the log before; all else is read from there by the next start.
 */
export class CheckPoints {
  readonly #parts: CheckPointsParts
  readonly #open = new OpenCheckPoints()
  readonly #revive: ReviveQueues
  readonly #batches = new Map<OpenCheckPoint, Batch>()
  #isFlushDue = false

  constructor(parts: CheckPointsParts) {
    this.#parts = parts
    const { store, reviveTopic: topic, reviveQueueCount: queueCount, logger, clock } = parts
    this.#revive = new ReviveQueues({
      ...parts,
      store,
      topic,
      queueCount,
      log: logger,
      clock,
      onCheckPoint: (point, at) => this.#onCheckPoint(point, at),
      onAck: (ack, at) => this.#onAck(ack, at),
    })
  }

  get queueCount(): number {
    return this.#revive.count
  }

  get size(): number {
    return this.#open.size
  }

  get nextDueMs(): number {
    return this.#open.nextDueMs
  }

  takeDue(count: number): OpenCheckPoint[] {
    return this.#open.takeDue(this.#parts.clock.now(), count)
  }

  load(): Promise<void> {
    return this.#revive.load()
  }

  get hasNews(): boolean {
    return this.#revive.hasNews
  }

  get isBehind(): boolean {
    return this.#revive.isBehind
  }

  readOn(): Promise<void> {
    return this.#revive.readOn()
  }

  /** Tells the offsets how far the revive topic is done with. */
  commit(): void {
    this.#revive.commit((queueId) => this.#open.lowest(queueId))
  }

  /**
   * Hides messages of a queue, from its position on, until their time is over; the queue goes on at
   * `nextOffset`. Resolves when that is safe. Throws ResponseError when there can be no check point.
   */
  open(
    point: CheckPoint,
    {
      queue,
      row,
      nextOffset,
      reviveQueueId,
    }: {
      queue: PopQueue | null
      row: number
      nextOffset: number
      reviveQueueId: number
    },
  ): Promise<void> {
    const { log, queues, openMax } = this.#parts
    if (this.#open.size >= openMax()) throw tooMany(this.#open.size)
    if (this.#open.get(point) !== undefined) throw clash()
    const { reviveOffset, survived } = log.addCheckPoint(point, reviveQueueId)
    this.#revive.wrote(reviveQueueId, reviveOffset)
    const dueMs = point.popTime + point.invisibleTime
    const of = { reviveQueueId, reviveOffset, row, dueMs, isForeign: false }
    this.#open.add({ ...point, ...of, done: 0, busy: 0 })
    this.#addInFlight(point, point.offsets.length)
    const step = queue === null ? null : queues.advance(queue, nextOffset)
    return survived.then(
      () => {
        this.#revive.settled(reviveQueueId, reviveOffset)
        if (step !== null) queues.secure(step)
      },
      (error: unknown) => {
        this.#revive.settled(reviveQueueId, reviveOffset)
        if (step !== null) queues.fail(step)
        throw error
      },
    )
  }

  find(key: CheckPointKey): OpenCheckPoint | undefined {
    return this.#open.get(key)
  }

  /**
   * These offsets are consumed. Resolves when that is safe. Throws ResponseError for what is no member, and for
   * what is being put back at this moment.
   */
  async ack(point: OpenCheckPoint, offsets: readonly number[]): Promise<void> {
    const bits = bitsOfOffsets(point, offsets)
    if (bitCount(bits) !== offsets.length) throw noMember(point, offsets)
    const batch = this.#batches.get(point)
    const inBatch = batch === undefined ? 0 : batch.bits & bits
    const isTooLate = (point.busy & bits & ~inBatch) !== 0
    if (isTooLate) throw tooLate(point)
    const left = bits & ~point.done & ~inBatch
    if (left === 0) return inBatch === 0 ? undefined : batch!.stored.promise
    return this.#join(point, left)
  }

  /** Throws ResponseError unless the offset can be acknowledged. */
  checkOpen(point: OpenCheckPoint, offset: number): void {
    const bits = bitsOfOffsets(point, [offset])
    if (bits === 0) throw noMember(point, [offset])
    if (((point.done | point.busy) & bits) !== 0) throw tooLate(point)
  }

  /** An ack of what is not open: it may still come, by the timer wheel. False: it cannot, or it is too late. */
  async ackUnknown(ack: Ack, { reviveQueueId, dueMs }: { reviveQueueId: number; dueMs: number }) {
    const leftMs = dueMs - this.#parts.clock.now()
    if (leftMs <= 0 || leftMs > INVISIBLE_MAX_MS) return false
    await this.#parts.log.addLaterAck(ack, reviveQueueId, dueMs)
    return true
  }

  /** Somebody puts these members back: until `putBack` or `giveUp` they cannot be acknowledged. */
  claim(point: OpenCheckPoint): number {
    const bits = allBits(point) & ~point.done & ~point.busy
    point.busy |= bits
    return bits
  }

  /** They are in the retry topic, or nobody is to get them. Resolves when no start brings them again. */
  async putBack(point: OpenCheckPoint, bits: number): Promise<void> {
    if (bits !== 0) await this.#store(point, bits)
  }

  /** Another try later, if anything is left. */
  giveUp(point: OpenCheckPoint, bits: number): void {
    point.busy &= ~bits
    this.#open.postpone(point, this.#parts.clock.now() + RETRY_MS)
  }

  /** Nobody is to get it: its group or topic is gone. The next start finds the same. */
  drop(point: OpenCheckPoint): void {
    this.#open.remove(point)
    this.#addInFlight(point, -bitCount(allBits(point) & ~point.done))
  }

  /** A record of the revive topic for an ack in order; resolves when it is safe. */
  async addOrderedAck(ack: Ack, reviveQueueId: number): Promise<void> {
    await this.#write(ack, reviveQueueId)
  }

  /** The acks of one turn become one record for each check point. */
  #join(point: OpenCheckPoint, bits: number): Promise<void> {
    let batch = this.#batches.get(point)
    if (batch === undefined) {
      batch = { bits: 0, stored: Promise.withResolvers<void>() }
      this.#batches.set(point, batch)
    }
    batch.bits |= bits
    point.busy |= bits
    if (!this.#isFlushDue) {
      this.#isFlushDue = true
      queueMicrotask(() => this.#flush())
    }
    return batch.stored.promise
  }

  #flush(): void {
    this.#isFlushDue = false
    for (const [point, { bits, stored }] of this.#batches) {
      this.#store(point, bits).then(stored.resolve, (error: unknown) => {
        point.busy &= ~bits
        if (point.dueMs <= this.#parts.clock.now()) this.giveUp(point, 0)
        stored.reject(error)
      })
    }
    this.#batches.clear()
  }

  async #store(point: OpenCheckPoint, bits: number): Promise<void> {
    const { topic, group, queueId, startOffset, popTime, brokerName, reviveQueueId } = point
    const key = { topic, group, queueId, startOffset, popTime, brokerName }
    await this.#write({ ...key, offsets: offsetsOfBits(point, bits) }, reviveQueueId)
    this.#settle(point, bits)
  }

  async #write(ack: Ack, reviveQueueId: number): Promise<void> {
    const offset = await this.#parts.log.addAck(ack, reviveQueueId)
    this.#revive.wrote(reviveQueueId, offset)
    this.#revive.settled(reviveQueueId, offset)
  }

  #settle(point: OpenCheckPoint, bits: number): void {
    const news = bits & ~point.done
    point.done |= bits
    point.busy &= ~bits
    this.#addInFlight(point, -bitCount(news))
    if (point.done === allBits(point)) this.#open.remove(point)
  }

  #addInFlight({ group, topic, queueId }: CheckPoint, count: number): void {
    const queue = this.#parts.queues.find(group, topic, queueId)
    if (queue !== undefined) queue.inFlight = Math.max(0, queue.inFlight + count)
  }

  /** From an earlier run, or from another broker by way of the timer wheel. */
  #onCheckPoint(point: CheckPoint, at: ReviveRecord): void {
    const { store, offsets, clock } = this.#parts
    const { topic, group, queueId, popTime, invisibleTime } = point
    const row = store.rowOf(topic, queueId)
    if (row === undefined || at.position < store.deletedBelow(topic)) return
    const { isForeign, reviveQueueId, reviveOffset } = at
    const endMs = popTime + invisibleTime
    const dueMs = isForeign ? Math.max(endMs, clock.now()) + FOREIGN_GRACE_MS : endMs
    const of = { reviveQueueId, reviveOffset, row, dueMs, isForeign }
    this.#open.add({ ...point, ...of, done: 0, busy: 0 })
    if (isForeign || at.isSeen) return
    const next = point.offsets.at(-1)! + 1
    const known = offsets.get(group, topic, queueId) ?? 0
    if (next > known && next <= store.max(row)) offsets.commit(group, topic, queueId, next)
  }

  #onAck(ack: Ack, at: ReviveRecord): void {
    const { offsets } = this.#parts
    const { group, topic, queueId, nextOffset } = ack
    if (nextOffset !== undefined) {
      if (!at.isSeen) offsets.commit(group, topic, queueId, nextOffset)
      return
    }
    const point = this.#open.get(ack)
    if (point !== undefined) this.#settle(point, bitsOfOffsets(point, ack.offsets))
  }
}

function tooMany(count: number): ResponseError {
  const why = `${count} check points are open, which is what popCkMaxBufferSize allows`
  return new ResponseError('POLLING_FULL', why)
}

function clash(): ResponseError {
  return new ResponseError('SYSTEM_BUSY', 'the same messages were popped in this millisecond')
}

function noMember({ topic, queueId }: CheckPoint, offsets: readonly number[]): ResponseError {
  const why = `offset ${offsets.join()} of topic[${topic}] queue ${queueId} was not popped with this receipt`
  return new ResponseError('MESSAGE_ILLEGAL', why)
}

export function tooLate({ topic, queueId, startOffset }: CheckPointKey): ResponseError {
  const why = `the time of what was popped from ${startOffset} on of topic[${topic}] queue ${queueId} is over: it comes again`
  return new ResponseError('NO_MESSAGE', why)
}
