import type { Clock } from '../../base/clock.ts'
import { encodeProperties } from '../../protocol/message.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import type { MainLog } from '../main-log.ts'
import type { MessageDraft } from '../message-draft.ts'
import { TIMER_TOPIC } from '../topic-names.ts'
import { type Ack, ackJson, type CheckPoint, checkPointJson } from './check-point.ts'

/** Tags in the revive topic (Apache 5.3.3, PopAckConstants). */
export const ReviveTag = { CHECK_POINT: 'ck', ACK: 'ack', BATCH_ACK: 'bAck' } as const

const { TAGS, TIMER_DELIVER_MS, TIMER_OUT_MS, REAL_TOPIC, REAL_QID } = MessageProperty
/** The wheel's step. */
const PRECISION_MS = 1000

/** Appends of main, as POP needs them. */
export type Appends = Pick<MainLog, 'append' | 'appendNow'>

/** A record that is in the log, but may still get lost before `survived` resolves. */
export interface Revived {
  reviveOffset: number
  survived: Promise<unknown>
}

/**
 * Writes check points and acks into the revive topic. Apache's broker sends them through the timer wheel first
 * and has them arrive when their time is over; here they stand in it at once, and their time of delivery is
 * the time they were stored. To Apache's reader that says how far it has read, which is what it goes by.
 */
export class ReviveLog {
  readonly #topic: string
  readonly #appends: Appends
  readonly #host: Uint8Array
  readonly #clock: Clock

  constructor(parts: { topic: string; appends: Appends; host: Uint8Array; clock: Clock }) {
    this.#topic = parts.topic
    this.#appends = parts.appends
    this.#host = parts.host
    this.#clock = parts.clock
  }

  /** Throws ResponseError when the log takes nothing. */
  addCheckPoint(point: CheckPoint, reviveQueueId: number): Revived {
    const draft = this.#draft(ReviveTag.CHECK_POINT, checkPointJson(point), reviveQueueId)
    const { queueOffset: reviveOffset, survived } = this.#appends.appendNow(draft)
    return { reviveOffset, survived }
  }

  /** Resolves to its place when it is safe. Rejects with ResponseError. */
  async addAck(ack: Ack, reviveQueueId: number): Promise<number> {
    const tag = ack.offsets.length > 1 ? ReviveTag.BATCH_ACK : ReviveTag.ACK
    const stored = await this.#appends.append(this.#draft(tag, ackJson(ack), reviveQueueId))
    return stored.queueOffset
  }

  /** For a check point that may still be in the timer wheel: behind it, as Apache 5.3.3 does. */
  async addLaterAck(ack: Ack, reviveQueueId: number, deliverMs: number): Promise<void> {
    const tag = ack.offsets.length > 1 ? ReviveTag.BATCH_ACK : ReviveTag.ACK
    const outMs = Math.ceil(deliverMs / PRECISION_MS) * PRECISION_MS - PRECISION_MS
    const draft = this.#draft(tag, ackJson(ack), reviveQueueId)
    const properties = encodeProperties([
      [TAGS, tag],
      [TIMER_DELIVER_MS, String(deliverMs)],
      [TIMER_OUT_MS, String(outMs)],
      [REAL_TOPIC, draft.topic],
      [REAL_QID, String(reviveQueueId)],
    ])
    const waiting = { topic: TIMER_TOPIC, queueId: 0, properties: Buffer.from(properties) }
    await this.#appends.append({ ...draft, ...waiting })
  }

  #draft(tag: string, body: string, queueId: number): MessageDraft {
    const now = this.#clock.now()
    const properties = encodeProperties([
      [TAGS, tag],
      [TIMER_DELIVER_MS, String(now)],
    ])
    return {
      topic: this.#topic,
      queueId,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: now,
      bornHost: this.#host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      properties: Buffer.from(properties),
      body: Buffer.from(body),
    }
  }
}
