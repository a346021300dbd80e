import type { Clock } from '../../base/clock.ts'
import type { BrokerConfig } from '../../config/broker.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { encodeMessage } from '../../protocol/message-encoder.ts'
import { encodeProperties, messagesIn, type StoredMessage } from '../../protocol/message.ts'
import {
  ORDERLY_REVIVE_QUEUE,
  popRetryTopic,
  receiptText,
  retryFlagOf,
} from '../../protocol/pop-receipt.ts'
import { InitMode } from '../../protocol/requests/pop.ts'
import { PROPERTIES_LENGTH_MAX } from '../../store/message-record.ts'
import { ReadStatus } from '../../store/pull-reader.ts'
import type { QueueStore } from '../queue-store.ts'
import { millisOf, TTL } from '../topic-attributes.ts'
import type { Topics } from '../topics.ts'
import type { CheckPoints } from './check-points.ts'
import type { PopOrders } from './pop-orders.ts'
import type { PopQueue, PopQueues } from './pop-queues.ts'
import type { PopRequest, Taken } from './pop-request.ts'
import { ALL_MESSAGES, type PopFound, type PopStore } from './pop-store.ts'

/** One pop passes over this many lots of entries of a queue that it does not want; then others have their turn. */
const SCANS_MAX = 16
/** A pop's answer holds no more of further queues than this. */
const BYTES_MAX = 4 * 1024 * 1024
const MOVED: ReadonlySet<ReadStatus> = new Set([
  ReadStatus.OFFSET_TOO_SMALL,
  ReadStatus.OFFSET_OVERFLOW_BADLY,
  ReadStatus.OFFSET_FOUND_NULL,
])

export type PopSettings = Pick<
  BrokerConfig,
  | 'brokerName'
  | 'popFromRetryProbability'
  | 'enableRetryTopicV2'
  | 'retrieveMessageFromPopRetryTopicV1'
  | 'popResponseReturnActualRetryTopic'
  | 'enablePopMessageThreshold'
  | 'popInflightMessageThreshold'
  | 'initPopOffsetByCheckMsgInMem'
>

export interface PopTakerParts {
  settings: PopSettings
  store: PopStore
  /** Whether a message is in memory is asked here. */
  queueStore: Pick<QueueStore, 'isInMemory'>
  topics: Pick<Topics, 'get'>
  queues: PopQueues
  orders: PopOrders
  checkPoints: CheckPoints
  /** For the statistics. */
  onGiven: (queue: PopQueue, count: number, bytes: number) => void
  /** The group was moved, which is heard of here. */
  onMoved: (queue: { group: string; topic: string; queueId: number }) => void
  clock: Clock
  /** 0 to 99. */
  random: () => number
}

/** Takes messages for pops: which queues, in which order, from where (Apache 5.3.3, PopMessageProcessor). */
export class PopTaker {
  readonly #parts: PopTakerParts
  #turn = 0

  constructor(parts: PopTakerParts) {
    this.#parts = parts
  }

  /** Rejects with ResponseError when the log takes no check point, or with what the disk says. */
  async take(request: PopRequest): Promise<Taken> {
    const { random, checkPoints, clock } = this.#parts
    const dice = random()
    const { isOrder } = request
    const taken: Taken = {
      popTime: clock.now(),
      reviveQueueId: isOrder ? ORDERLY_REVIVE_QUEUE : this.#turn++ % checkPoints.queueCount,
      parts: [],
      count: 0,
      restNum: 0,
      startOffsets: [],
      messageOffsets: [],
      orderCounts: [],
      survived: [],
      freeMs: Infinity,
      isMore: false,
    }
    try {
      await this.#takeAll(request, dice, taken)
    } catch (error) {
      if (taken.count === 0) throw error // what is taken already is this pop's, and is given
    }
    return taken
  }

  async #takeAll(request: PopRequest, dice: number, taken: Taken): Promise<void> {
    const { isOrder, queueId, topic, countMax } = request
    const [retry, other] = isOrder ? [] : this.#retryTopics(request, dice)
    const isRetryFirst = dice < this.#parts.settings.popFromRetryProbability
    if (retry !== undefined && isRetryFirst) await this.#takeFrom(retry, -1, dice, request, taken)
    await this.#takeFrom(topic, queueId, dice, request, taken)
    if (retry !== undefined && !isRetryFirst && taken.count < countMax) {
      await this.#takeFrom(retry, -1, dice, request, taken)
    }
    // Only one of the two fits into a reply. Apache leaves the other to a later look, with other dice.
    if (other === undefined || taken.count > 0) return
    await this.#takeFrom(other, -1, dice, request, taken)
  }

  /** The form to look into, and the other one if there may be messages, too. */
  #retryTopics({ group, topic }: PopRequest, dice: number): string[] {
    const { enableRetryTopicV2: isV2, retrieveMessageFromPopRetryTopicV1 } = this.#parts.settings
    const [one, two] = [false, true].map((each) => popRetryTopic(group, topic, each)) as [
      string,
      string,
    ]
    if (!isV2) return [one]
    if (!retrieveMessageFromPopRetryTopicV1) return [two]
    return dice % 2 === 0 ? [one, two] : [two, one]
  }

  /** Where the group would pop next. */
  async position(request: PopRequest, topic: string, queueId: number): Promise<PopQueue | null> {
    const { store, queues, orders, onMoved } = this.#parts
    const row = store.rowOf(topic, queueId)
    if (row === undefined) return null
    const { group } = request
    const known = queues.find(group, topic, queueId)
    const isKnown = known !== undefined && known.row === row
    const begin = isKnown ? 0 : await this.#beginOf(request, { topic, queueId, row })
    const place = { group, topic, queueId, row }
    return queues.get(
      place,
      () => (isKnown ? store.min(row) : begin),
      () => {
        orders.clear(place)
        onMoved(place)
      },
    )
  }

  /** Queue -1: all of the topic. */
  async #takeFrom(
    topic: string,
    queueId: number,
    dice: number,
    request: PopRequest,
    taken: Taken,
  ): Promise<void> {
    if (queueId >= 0) return this.#takeFromQueue(topic, queueId, request, taken)
    const count = this.#parts.topics.get(topic)?.readQueueNums ?? 0
    for (let nth = 0; nth < count; nth++) {
      await this.#takeFromQueue(topic, (dice + nth) % count, request, taken)
    }
  }

  async #takeFromQueue(
    topic: string,
    queueId: number,
    request: PopRequest,
    taken: Taken,
  ): Promise<void> {
    const queue = await this.position(request, topic, queueId)
    if (queue === null || !this.#isFree(queue, request, taken)) return
    for (let scans = 0; scans < SCANS_MAX; scans++) {
      const countMax = request.countMax - taken.count
      if (countMax <= 0 || !this.#hasRoom(taken)) break
      const read = this.#read(queue, countMax, request)
      let found: PopFound
      // What is at hand is given before anybody else has a turn: no other pop can have it.
      if (read instanceof Promise) {
        const { position } = queue
        found = await read
        if (queue.position !== position || this.#isBlocked(queue, request)) continue
      } else found = read
      if (found.bytes.length > 0) {
        this.#give(queue, found, request, taken)
        break
      }
      if (found.nextOffset === queue.position) break
      this.#parts.queues.passOver(queue, found.nextOffset)
      if (found.nextOffset >= found.maxOffset && !MOVED.has(found.status)) break
    }
    const rest = Math.max(0, this.#parts.store.max(queue.row) - queue.position)
    taken.restNum += rest
    if (rest > 0) taken.isMore = true
  }

  #read(queue: PopQueue, countMax: number, request: PopRequest): PopFound | Promise<PopFound> {
    const { position: offset } = queue
    const filter = queue.topic === request.topic ? request.filter : ALL_MESSAGES
    return this.#parts.store.read(queue, { offset, countMax, filter, since: this.#sinceOf(queue) })
  }

  /** Older messages of the topic are nobody's. */
  #sinceOf({ topic }: PopQueue): number {
    const { topics, clock } = this.#parts
    const attributes = topics.get(topic)?.attributes
    const ttlMs = attributes === undefined ? 0 : millisOf(attributes, TTL)
    return ttlMs === 0 ? 0 : clock.now() - ttlMs
  }

  #isBlocked(queue: PopQueue, { isOrder, attemptId }: PopRequest): boolean {
    return isOrder && this.#parts.orders.blockedUntil(queue, attemptId) !== null
  }

  #isFree(queue: PopQueue, { isOrder, attemptId }: PopRequest, taken: Taken): boolean {
    const { orders, settings, store } = this.#parts
    if (isOrder) {
      const freeMs = orders.blockedUntil(queue, attemptId)
      if (freeMs === null) return true
      taken.freeMs = Math.min(taken.freeMs, freeMs)
      return false
    }
    const isFull = queue.inFlight > settings.popInflightMessageThreshold
    if (!settings.enablePopMessageThreshold || !isFull) return true
    taken.restNum += Math.max(0, store.max(queue.row) - queue.position)
    return false
  }

  #hasRoom({ parts }: Taken): boolean {
    return parts.reduce((sum, { length }) => sum + length, 0) < BYTES_MAX
  }

  /** From here to the check point nothing else can happen: the messages are this pop's. */
  #give(queue: PopQueue, found: PopFound, request: PopRequest, taken: Taken): void {
    const { offsets } = found
    const startOffset = queue.position
    if (request.isOrder) this.#block(queue, offsets, request, taken)
    else this.#hide(queue, found, request, taken)
    const flag = retryFlagOf(queue.topic)
    taken.startOffsets.push(`${flag} ${queue.queueId} ${startOffset}`)
    taken.messageOffsets.push(`${flag} ${queue.queueId} ${offsets.join()}`)
    const isOwnTopic = queue.topic === request.topic
    const { popResponseReturnActualRetryTopic: isActual } = this.#parts.settings
    taken.parts.push(
      isOwnTopic || isActual
        ? found.bytes
        : this.#disguised(found.bytes, startOffset, queue, request, taken),
    )
    taken.count += offsets.length
    this.#parts.onGiven(queue, offsets.length, found.bytes.length)
  }

  /** In order: the group's offset stays until they are acknowledged. */
  #block(queue: PopQueue, offsets: readonly number[], request: PopRequest, taken: Taken): void {
    const { orders, queues } = this.#parts
    const { popTime } = taken
    const { invisibleTime, attemptId } = request
    queues.passOver(queue, offsets[0]!)
    taken.orderCounts.push(...orders.pop(queue, { offsets, popTime, invisibleTime }, attemptId))
  }

  #hide(queue: PopQueue, found: PopFound, request: PopRequest, taken: Taken): void {
    const { checkPoints, settings } = this.#parts
    const { topic, group, queueId, row, position: startOffset } = queue
    const { invisibleTime } = request
    const { offsets, nextOffset } = found
    const { popTime, reviveQueueId } = taken
    const { brokerName } = settings
    const key = { topic, group, queueId, startOffset, popTime, brokerName }
    const point = { ...key, invisibleTime, offsets }
    const survived = checkPoints.open(point, { queue, row, nextOffset, reviveQueueId })
    taken.survived.push(survived)
  }

  /** Retried messages are given under the topic that was asked for, with their receipt. */
  #disguised(
    bytes: Buffer,
    startOffset: number,
    { topic, queueId }: PopQueue,
    request: PopRequest,
    { popTime, reviveQueueId }: Taken,
  ): Buffer {
    const { brokerName } = this.#parts.settings
    const { invisibleTime } = request
    const retryFlag = retryFlagOf(topic)
    const of = {
      startOffset,
      popTime,
      invisibleTime,
      reviveQueueId,
      retryFlag,
      brokerName,
      queueId,
    }
    const parts = Array.from(messagesIn(bytes), (message) =>
      withReceipt(message, request.topic, receiptText({ ...of, queueOffset: message.queueOffset })),
    )
    return Buffer.concat(parts)
  }

  /** Where a group without an offset begins. */
  async #beginOf(
    { initMode, topic: asked }: PopRequest,
    { topic, queueId, row }: { topic: string; queueId: number; row: number },
  ): Promise<number> {
    const { store, settings, queueStore } = this.#parts
    if (initMode === InitMode.MIN || topic !== asked) return store.min(row)
    if (settings.initPopOffsetByCheckMsgInMem && store.min(row) === 0) {
      if (await queueStore.isInMemory(topic, queueId, 0)) return 0
    }
    return Math.max(0, store.max(row) - 1) // the last one, as Apache has it
  }
}

/** One without room for the receipt goes as it is: clients then make the receipt themselves. */
function withReceipt(message: StoredMessage, topic: string, receipt: string): Buffer {
  const { POP_CK } = MessageProperty
  const properties = new Map(message.properties)
  if (!properties.has(POP_CK)) properties.set(POP_CK, receipt)
  const length = Buffer.byteLength(encodeProperties(properties))
  if (length > PROPERTIES_LENGTH_MAX) return encodeMessage(message)
  return encodeMessage({ ...message, topic, properties })
}
