import { fewProblems, type Report } from '../../log/few-problems.ts'
import { ORDERLY_REVIVE_QUEUE, popRetryTopic, type PopReceipt } from '../../protocol/pop-receipt.ts'
import { InitMode } from '../../protocol/requests/pop.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { Ack } from './check-point.ts'
import { type CheckPoints, tooLate } from './check-points.ts'
import type { HeldPops } from './held-pops.ts'
import type { NextOffset, PopOrders } from './pop-orders.ts'
import type { PopQueues } from './pop-queues.ts'
import type { PopRequest, Taken } from './pop-request.ts'
import { ALL_MESSAGES, type PopPlace, type PopStore } from './pop-store.ts'
import type { PopTaker } from './pop-taker.ts'
import type { Revival } from './revival.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../log/log.ts'

/** The revive topic's progress goes into the offsets this often, while there is any. */
const COMMIT_MS = 1000
/** The clock may be set: nothing is trusted to be far away for longer. */
const LOOK_MS = 60_000

/** Messages of one queue of a group that a client shows a receipt for. */
export interface Receipt {
  readonly group: string
  /** Where they lie: the retry topic, if it came from there. */
  readonly topic: string
  readonly queueId: number
  readonly offsets: readonly number[]
  readonly receipt: Pick<
    PopReceipt,
    'startOffset' | 'popTime' | 'invisibleTime' | 'reviveQueueId' | 'brokerName'
  >
}

export interface PopsParts {
  store: PopStore
  queues: PopQueues
  orders: PopOrders
  checkPoints: CheckPoints
  taker: PopTaker
  revival: Revival
  held: HeldPops
  isThresholdOn: () => boolean
  /** Calls back once, then; returns what calls it off. */
  wakeAfter: (ms: number, wake: () => void) => () => void
  clock: Clock
  log: Log
}

/** POP consumption: what clients may ask for, once it is checked. */
export class Pops {
  readonly held: HeldPops
  readonly taker: PopTaker
  readonly #parts: PopsParts
  readonly #report: Report
  readonly #loaded: Promise<void>
  #isLoaded = false
  #isDirty = false
  #commitMs = 0
  #callOff: () => void = () => {}
  #timerAt = Infinity
  #isClosed = false
  /** What is due is being put back: no timer is for that. */
  #isReviving = false

  constructor(parts: PopsParts) {
    this.#parts = parts
    this.held = parts.held
    this.taker = parts.taker
    const report: Report = (problem, error) => parts.log.error({ error: String(error) }, problem)
    this.#report = fewProblems(report, () => parts.clock.now())
    this.#loaded = this.#load()
  }

  get reviveQueueCount(): number {
    return this.#parts.checkPoints.queueCount
  }

  /** Takes messages; they are safe to give when it resolves. Rejects with ResponseError. */
  async take(request: PopRequest): Promise<Taken> {
    if (!this.#isLoaded) await this.#loaded
    const taken = await this.#parts.taker.take(request)
    if (taken.survived.length === 0) return taken
    this.#touch()
    await Promise.all(taken.survived)
    return taken
  }

  /** What a pop would take, left there. `queueCount`: of the topic. */
  async peek(
    request: PopRequest,
    queueCount: number,
  ): Promise<{ parts: Buffer[]; restNum: number }> {
    if (!this.#isLoaded) await this.#loaded
    const { store } = this.#parts
    const parts: Buffer[] = []
    let [restNum, count] = [0, 0]
    for (const place of this.#placesOf(request, queueCount)) {
      const offset = this.#positionAt(request.group, place)
      restNum += Math.max(0, store.max(place.row) - offset)
      const countMax = request.countMax - count
      if (countMax === 0) continue
      const range = { offset, countMax, filter: ALL_MESSAGES }
      const found = await store.read(place, range)
      if (found.bytes.length > 0) parts.push(found.bytes)
      count += found.offsets.length
    }
    return { parts, restNum }
  }

  /** Whether a pop would find anything; else when a blocked queue is free. */
  async isThere(
    request: PopRequest,
    queueCount: number,
  ): Promise<{ isThere: boolean; freeMs: number }> {
    if (!this.#isLoaded) await this.#loaded
    const { store, orders } = this.#parts
    const { group, attemptId, isOrder } = request
    let freeMs = Infinity
    for (const place of this.#placesOf(request, queueCount)) {
      const blockedUntil = isOrder ? orders.blockedUntil({ ...place, group }, attemptId) : null
      if (blockedUntil !== null) freeMs = Math.min(freeMs, blockedUntil)
      else if (store.max(place.row) > this.#positionAt(group, place))
        return { isThere: true, freeMs }
    }
    return { isThere: false, freeMs }
  }

  #placesOf({ group, topic, queueId }: PopRequest, queueCount: number): PopPlace[] {
    const { store } = this.#parts
    const ids = queueId >= 0 ? [queueId] : Array.from({ length: queueCount }, (_, nth) => nth)
    const places = ids.map((id) => ({ topic, queueId: id, row: store.rowOf(topic, id) }))
    for (const isV2 of [false, true]) {
      const retry = popRetryTopic(group, topic, isV2)
      places.push({ topic: retry, queueId: 0, row: store.rowOf(retry, 0) })
    }
    return places.filter((place): place is PopPlace => place.row !== undefined)
  }

  #positionAt(group: string, { topic, queueId, row }: PopPlace): number {
    const { queues, store } = this.#parts
    const known = queues.peek(group, topic, queueId) ?? 0
    return Math.max(known, store.min(row))
  }

  /** Consumed. Resolves when it is safe. Rejects with ResponseError. */
  async ack(receipt: Receipt): Promise<void> {
    if (!this.#isLoaded) await this.#loaded
    if (receipt.receipt.reviveQueueId === ORDERLY_REVIVE_QUEUE) return this.#ackInOrder(receipt)
    const { checkPoints } = this.#parts
    const ack = ackOf(receipt)
    const point = checkPoints.find(ack)
    this.#touch()
    if (point !== undefined) await checkPoints.ack(point, ack.offsets)
    else await this.#ackUnknown(ack, receipt)
    if (this.#parts.isThresholdOn()) this.held.wake(receipt.topic, receipt.group)
  }

  /** Invisible for so long from now on. Resolves, when it is safe, to the time of the new receipt. */
  async change(
    receipt: Receipt,
    invisibleTime: number,
  ): Promise<{ popTime: number; invisibleTime: number }> {
    if (!this.#isLoaded) await this.#loaded
    const { reviveQueueId } = receipt.receipt
    if (reviveQueueId === ORDERLY_REVIVE_QUEUE) return this.#changeInOrder(receipt, invisibleTime)
    const { checkPoints, clock } = this.#parts
    const ack = ackOf(receipt)
    const point = checkPoints.find(ack)
    if (point === undefined) throw tooLate(ack)
    const popTime = Math.max(clock.now(), ack.popTime + 1)
    const [offset] = ack.offsets
    const next = { ...ack, startOffset: offset!, popTime, invisibleTime, offsets: [offset!] }
    checkPoints.checkOpen(point, offset!)
    const opened = checkPoints.open(next, {
      queue: null,
      row: point.row,
      nextOffset: 0,
      reviveQueueId,
    })
    // Both are in the log one behind the other: no crash leaves only the ack.
    await Promise.all([opened, checkPoints.ack(point, [offset!])])
    this.#touch()
    return { popTime, invisibleTime }
  }

  /** Dispatch may have moved queues. */
  onWake(): void {
    if (!this.#isLoaded) return
    this.held.onWake()
    if (this.#parts.checkPoints.hasNews) this.#readOn()
  }

  /** The topic, or the group, was deleted. What is held and open of it ends in its time. */
  forget(gone: { topic: string } | { group: string }): void {
    this.#parts.queues.forget(gone)
    this.#parts.orders.forget(gone)
  }

  peerClosed(peerId: number): void {
    this.held.peerClosed(peerId)
  }

  /** Something is due: messages come again, held requests end. */
  onTime(): Promise<void> {
    this.#timerAt = Infinity
    const { clock, revival, checkPoints, held } = this.#parts
    held.onTime()
    this.#isReviving = true
    const revived = revival.run().finally(() => {
      this.#isReviving = false
      this.setTimer()
    })
    this.setTimer() // others are not to wait for that
    if (this.#isDirty && clock.now() >= this.#commitMs) {
      this.#readOn()
      checkPoints.commit()
      this.#isDirty = checkPoints.isBehind // the last ones are done with a moment later
      this.#commitMs = clock.now() + COMMIT_MS
      this.setTimer()
    }
    return revived
  }

  /** What is under way is finished; held requests are answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#callOff()
    this.held.close()
    await this.#loaded
    await this.#parts.revival.close()
    await this.#parts.checkPoints.readOn()
    this.#parts.checkPoints.commit()
    await this.#parts.orders.close()
  }

  async #load(): Promise<void> {
    try {
      await this.#parts.checkPoints.load()
    } catch (error) {
      // What cannot be read now is read by the next start: nothing is committed behind it.
      this.#report('check points of POP could not all be read', error)
    }
    this.#isLoaded = true
    this.#touch()
    this.setTimer()
  }

  #readOn(): void {
    this.#parts.checkPoints.readOn().then(
      () => this.setTimer(),
      (error: unknown) => this.#report('the revive topic cannot be read', error),
    )
  }

  async #ackUnknown(ack: Ack, { receipt }: Receipt): Promise<void> {
    const { reviveQueueId, popTime, invisibleTime } = receipt
    const dueMs = popTime + invisibleTime
    if (!(await this.#parts.checkPoints.ackUnknown(ack, { reviveQueueId, dueMs }))) {
      throw tooLate(ack)
    }
  }

  /** Of each queue only the group's offset counts: it moves up to the first message that is not acknowledged. */
  async #ackInOrder(receipt: Receipt): Promise<void> {
    for (const offset of receipt.offsets) await this.#ackOneInOrder(receipt, offset)
  }

  async #ackOneInOrder(receipt: Receipt, offset: number): Promise<void> {
    const { group, topic, queueId } = receipt
    const { orders, queues, taker, checkPoints } = this.#parts
    const queue = await taker.position(inOrder(receipt), topic, queueId)
    if (queue === null || offset < queue.position) return
    const next: NextOffset = orders.ack(receipt, offset, receipt.receipt.popTime, queue.position)
    if (next === 'other pop') return
    if (next === 'unknown offset') {
      const why = `offset ${offset} of topic[${topic}] queue ${queueId} is not in flight for group ${group}`
      throw new ResponseError('MESSAGE_ILLEGAL', why)
    }
    if (next > queue.position) {
      queues.passOver(queue, next)
      const ack = { ...ackOf({ ...receipt, offsets: [offset] }), nextOffset: next }
      await checkPoints.addOrderedAck(ack, queueId % checkPoints.queueCount)
      this.#touch()
    }
    if (orders.blockedUntil(receipt, undefined) === null) this.held.wake(topic, group)
  }

  async #changeInOrder(
    receipt: Receipt,
    invisibleTime: number,
  ): Promise<{ popTime: number; invisibleTime: number }> {
    const { orders, clock } = this.#parts
    const { popTime } = receipt.receipt
    const visibleMs = clock.now() + invisibleTime
    for (const offset of receipt.offsets) {
      orders.changeVisibleTime(receipt, offset, popTime, visibleMs)
    }
    this.held.wake(receipt.topic, receipt.group)
    return { popTime, invisibleTime: visibleMs - popTime }
  }

  /** The revive topic grows. */
  #touch(): void {
    if (this.#isDirty) return
    this.#isDirty = true
    this.#commitMs = this.#parts.clock.now() + COMMIT_MS
    this.setTimer()
  }

  /** One timer for whatever comes first. */
  setTimer(): void {
    if (this.#isClosed || !this.#isLoaded) return
    const { clock, checkPoints } = this.#parts
    const commitMs = this.#isDirty ? this.#commitMs : Infinity
    const reviveMs = this.#isReviving ? Infinity : checkPoints.nextDueMs
    const dueMs = Math.min(reviveMs, this.held.nextMs, commitMs)
    if (dueMs >= this.#timerAt) return
    this.#callOff()
    this.#timerAt = dueMs
    const ms = Math.min(Math.max(1, dueMs - clock.now()), LOOK_MS)
    this.#callOff = this.#parts.wakeAfter(ms, () => void this.onTime())
  }
}

function ackOf({ group, topic, queueId, offsets, receipt }: Receipt): Ack {
  const { startOffset, popTime, brokerName } = receipt
  return { group, topic, queueId, startOffset, popTime, brokerName, offsets }
}

/** Where the group is, in its own words. */
function inOrder({ group, topic, queueId }: Receipt): PopRequest {
  return {
    group,
    topic,
    queueId,
    countMax: 1,
    invisibleTime: 0,
    initMode: InitMode.MIN,
    isOrder: true,
    attemptId: undefined,
    filter: ALL_MESSAGES,
  }
}
