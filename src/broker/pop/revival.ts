import type { Report } from '../../log/few-problems.ts'
import { decodeMessage, encodeProperties, type StoredMessage } from '../../protocol/message.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { normalTopic, popRetryTopic, RetryFlag, retryFlagOf } from '../../protocol/pop-receipt.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { ConsumerOffsets } from '../consumer-offsets.ts'
import type { SubscriptionGroups } from '../groups.ts'
import { draftOf, type MessageDraft, storedProperties } from '../message-draft.ts'
import { Permission, topicConfig } from '../system-topics.ts'
import type { Topics } from '../topics.ts'
import type { CheckPoints } from './check-points.ts'
import { offsetsOfBits, type OpenCheckPoint } from './open-check-points.ts'
import { ALL_MESSAGES, type PopStore } from './pop-store.ts'
import type { Appends } from './revive-log.ts'

/** Check points that are worked on at once. */
const BATCH = 64
/** No later try would go better. */
const FOR_GOOD: ReadonlySet<string> = new Set(['MESSAGE_ILLEGAL', 'TOPIC_NOT_EXIST'])

export interface RevivalParts {
  checkPoints: CheckPoints
  store: PopStore
  topics: Pick<Topics, 'get' | 'ensure'>
  groups: Pick<SubscriptionGroups, 'get'>
  offsets: ConsumerOffsets
  appends: Appends
  /** IP (4 or 16 bytes) and a 4-byte port. */
  host: Uint8Array
  isRetryV2: () => boolean
  /** A group has a retry topic for this topic from now on. */
  onRetryTopic: (topic: string, group: string) => void
  report: Report
}

/** Puts what was popped and not acknowledged in time into the retry topic of its group (Apache 5.3.3, PopReviveService). */
export class Revival {
  readonly #parts: RevivalParts
  #run: Promise<void> | null = null
  #isClosed = false

  constructor(parts: RevivalParts) {
    this.#parts = parts
  }

  /** Whatever is due. */
  run(): Promise<void> {
    this.#run ??= this.#reviveAll().finally(() => (this.#run = null))
    return this.#run
  }

  /** What is under way is finished. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#run
  }

  async #reviveAll(): Promise<void> {
    while (!this.#isClosed) {
      const due = this.#parts.checkPoints.takeDue(BATCH)
      if (due.length === 0) return
      await Promise.all(due.map((point) => this.#revive(point)))
    }
  }

  async #revive(point: OpenCheckPoint): Promise<void> {
    const { checkPoints, topics, groups, store } = this.#parts
    const { topic, group, queueId, row } = point
    const isHere = topics.get(normalTopic(topic, group)) !== undefined
    if (!isHere || groups.get(group) === undefined || store.rowOf(topic, queueId) !== row) {
      return checkPoints.drop(point)
    }
    const bits = checkPoints.claim(point)
    let back = 0
    try {
      for (const offset of offsetsOfBits(point, bits)) {
        await this.#putBack(point, offset)
        back |= 1 << point.offsets.indexOf(offset)
      }
    } catch (error) {
      this.#parts.report(`messages popped by group ${group} cannot be put back yet`, error)
    }
    await this.#finish(point, bits, back)
  }

  async #finish(point: OpenCheckPoint, bits: number, back: number): Promise<void> {
    const { checkPoints, report } = this.#parts
    try {
      await checkPoints.putBack(point, back)
      checkPoints.giveUp(point, bits & ~back)
    } catch (error) {
      report(`what was put back for group ${point.group} may come twice`, error)
      checkPoints.giveUp(point, bits)
    }
  }

  /** Rejects when a later try may go better. */
  async #putBack(point: OpenCheckPoint, offset: number): Promise<void> {
    const { store, appends, report } = this.#parts
    const found = await store.read(point, { offset, countMax: 1, filter: ALL_MESSAGES })
    if (found.offsets[0] !== offset) return // deleted or damaged: nobody can get it
    const topic = await this.#retryTopic(point)
    try {
      await appends.append(this.#draft(point, topic, found.bytes))
    } catch (error) {
      const isForGood = error instanceof ResponseError && FOR_GOOD.has(error.codeName)
      if (!isForGood) throw error
      report(`a message of topic ${point.topic} is dropped`, error)
    }
  }

  /** What comes from a retry topic goes there again. */
  async #retryTopic({ topic, group }: OpenCheckPoint): Promise<string> {
    const { topics, offsets, isRetryV2, onRetryTopic } = this.#parts
    if (retryFlagOf(topic) !== RetryFlag.NORMAL) return topic
    const name = popRetryTopic(group, topic, isRetryV2())
    if (topics.get(name) !== undefined) return name
    await topics.ensure(topicConfig(name, 1, Permission.READ_WRITE))
    if (offsets.get(group, name, 0) === null) offsets.commit(group, name, 0, 0)
    onRetryTopic(topic, group)
    return name
  }

  #draft(point: OpenCheckPoint, topic: string, bytes: Buffer): MessageDraft {
    const message = decodeMessage(bytes)
    const draft = draftOf(message, { topic, queueId: 0 }, revivedProperties(message, bytes, point))
    const bornHost = this.#parts.host
    return { ...draft, bornHost, reconsumeTimes: message.reconsumeTimes + 1 }
  }
}

/** As stored, with the time of the first pop behind them. */
function revivedProperties(
  { properties, reconsumeTimes }: StoredMessage,
  bytes: Buffer,
  { popTime }: OpenCheckPoint,
): Buffer {
  const { FIRST_POP_TIME } = MessageProperty
  const stored = storedProperties(bytes)
  if (!properties.has(FIRST_POP_TIME)) {
    const isEnded = stored.length === 0 || stored.at(-1) === 2
    const pair = encodeProperties([[FIRST_POP_TIME, String(popTime)]])
    return Buffer.concat([stored, Buffer.from(isEnded ? pair : `\u0002${pair}`)])
  }
  if (reconsumeTimes > 0) return stored
  return Buffer.from(encodeProperties(new Map(properties).set(FIRST_POP_TIME, String(popTime))))
}
