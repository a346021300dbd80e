import type { Clock } from '../../base/clock.ts'
import { PullFlag } from '../../protocol/requests/pull.ts'
import { isLightQueue } from '../../protocol/light-queues.ts'
import { RequestCode } from '../../protocol/request-code.ts'
import { ResponseCode, type ResponseCodeName } from '../../protocol/response-code.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { isDiskError } from '../../store/disk-error.ts'
import { ReadStatus, type PullReader } from '../../store/pull-reader.ts'
import type { UnitReader } from '../../store/unit-reader.ts'
import type { Ask } from '../asks.ts'
import type { ClientSession } from '../client-session.ts'
import type { HeldPull, HeldPulls } from '../held-pulls.ts'
import { type PullReplyParts, REPLY_LENGTH_MAX, type ReplyWriter } from '../hot-replies.ts'
import type { TopicChange } from '../metadata-change.ts'
import type { GroupView, MetadataView } from '../metadata-view.ts'
import type { RequestFrame } from '../request-frame.ts'
import { type RecordCondition, RecordFilter } from '../record-filter.ts'
import { Permission } from '../system-topics.ts'
import { shown } from '../topic-names.ts'
import type { WorkerCounters } from '../worker-counters.ts'
import { PullFilters } from './pull-filters.ts'
import { KEY } from './pull-keys.ts'

/** What to answer with a status. Clients go on from `nextBeginOffset` with each of them. */
const CODE_OF: Record<ReadStatus, ResponseCodeName> = {
  FOUND: 'SUCCESS',
  NO_MATCHED_MESSAGE: 'PULL_RETRY_IMMEDIATELY',
  OFFSET_FOUND_NULL: 'PULL_RETRY_IMMEDIATELY',
  OFFSET_OVERFLOW_BADLY: 'PULL_OFFSET_MOVED',
  OFFSET_OVERFLOW_ONE: 'PULL_NOT_FOUND',
  OFFSET_TOO_SMALL: 'PULL_OFFSET_MOVED',
  NO_MESSAGE_IN_QUEUE: 'PULL_NOT_FOUND',
}

/** A hold longer than this is the client's mistake; Java's ask for 15 to 30 s. */
const HOLD_MAX_MS = 120_000
const MESSAGES_MAX = 1024
/** One pull passes over this many lots of entries that it does not want; then others have their turn. */
const SCANS_MAX = 16

export interface PullOptions {
  brokerIP1: string
  brokerPermission: number
  litePullMessageEnable: boolean
  longPollingEnable: boolean
  shortPollingTimeMills: number
  enablePropertyFilter: boolean
  enableLmq: boolean
}

export interface PullParts {
  reader: PullReader
  held: HeldPulls
  metadata: MetadataView
  replies: ReplyWriter
  counters: WorkerCounters
  /** For deadlines: monotonic. */
  clock: Clock
  /** For the age of messages. */
  wallClock: Clock
  queueOf: (topic: string, queueId: number, row: number) => UnitReader
  /** These queues are not asked for again. */
  forgetQueues: (rows: readonly number[]) => void
  /** A reply was put into the session's outbox. */
  onReply: (session: ClientSession) => void
  commit: (group: string, topic: string, queueId: number, offset: number) => void
}

/** Answers PULL_MESSAGE and LITE_PULL_MESSAGE, at once or when a message comes. */
export class PullHandler {
  readonly #parts: PullParts
  readonly #options: PullOptions
  readonly #reply: PullReplyParts
  readonly #records = new RecordFilter()
  readonly #condition: RecordCondition = { sql: null, since: 0 }
  readonly #filters: PullFilters

  constructor(parts: PullParts, options: PullOptions) {
    this.#parts = parts
    this.#options = options
    this.#filters = new PullFilters(options)
    this.#reply = {
      serializeType: 0,
      code: 0,
      opaque: 0,
      remark: '',
      nextBeginOffset: 0,
      minOffset: 0,
      maxOffset: 0,
      suggestWhichBrokerId: 0,
    }
  }

  /**
   * Returns the group, or the light queue, when it must be made first; the caller then comes again with the
   * same request. Throws ResponseError.
   */
  handle(session: ClientSession, request: RequestFrame): Ask | null {
    this.#checkBroker(request)
    const { fields } = request
    const groupAt = fields.find(KEY.group)
    if (groupAt === -1) throw new ResponseError('SYSTEM_ERROR', 'consumerGroup is missing')
    const { groups } = this.#parts.metadata
    const group = groups.get(fields.bytes, fields.valueAt(groupAt), fields.valueLength(groupAt))
    if (group === undefined) return { kind: 'group', group: fields.text(KEY.group) ?? '' }
    const topic = this.#topicOf(request, group)
    if (topic === null) return { kind: 'light', topics: [fields.text(KEY.topic)!] }
    const queueId = this.#queueId(request, topic)
    const sysFlag = fields.integer(KEY.sysFlag) || 0
    const pull = this.#pullOf(session, request, { group, topic, queueId, sysFlag })
    if ((sysFlag & PullFlag.COMMIT_OFFSET) !== 0) {
      this.#commit(group.group, topic.topic, queueId, fields.integer(KEY.commitOffset))
    }
    this.#run(pull, (sysFlag & PullFlag.SUSPEND) !== 0)
    return null
  }

  /** Dispatch says that a queue moved: serves the pulls held on it. */
  serveRow(row: number): void {
    for (const pull of this.#parts.held.take(row)) this.#run(pull, true)
  }

  /** Answers the pulls whose time is over. */
  serveExpired(): void {
    const now = this.#parts.clock.now()
    for (const pull of this.#parts.held.takeExpired(now)) this.#run(pull, false)
  }

  /** All clients that wait for messages of this queue ask again. */
  endHolds(row: number): void {
    for (const pull of this.#parts.held.take(row)) this.#run(pull, false)
  }

  /** The client has read what waited for it. */
  serveDeferred(session: ClientSession): void {
    const pulls = session.deferred.splice(0)
    for (const { pull, mayHold } of pulls) this.#run(pull, mayHold) // or defers it again
  }

  /** The topic was deleted: closes its queues, and tells the pulls held on them. */
  topicGone(topic: string, rows: readonly number[]): void {
    for (const row of rows) {
      for (const pull of this.#parts.held.take(row)) {
        pull.session.answer(pull, 'TOPIC_NOT_EXIST', notExist(topic))
        this.#parts.onReply(pull.session)
      }
    }
    this.#parts.forgetQueues(rows)
  }

  #checkBroker(request: RequestFrame): void {
    const { brokerPermission, brokerIP1, litePullMessageEnable } = this.#options
    if ((brokerPermission & Permission.READ) === 0) {
      throw new ResponseError(
        'NO_PERMISSION',
        `the broker[${brokerIP1}] pulling message is forbidden`,
      )
    }
    if (request.code === RequestCode.LITE_PULL_MESSAGE && !litePullMessageEnable) {
      const why = `the broker[${brokerIP1}] for lite pull consumer is forbidden`
      throw new ResponseError('NO_PERMISSION', why)
    }
  }

  /** Null: a light queue that is not there, and may be waited for. */
  #topicOf({ fields }: RequestFrame, group: GroupView): TopicChange | null {
    if (!group.consumeEnable) {
      throw new ResponseError(
        'NO_PERMISSION',
        `subscription group no permission, ${group.group}: its consumeEnable is false`,
      )
    }
    const at = fields.find(KEY.topic)
    const topics = this.#parts.metadata.topics
    const topic =
      at === -1 ? undefined : topics.get(fields.bytes, fields.valueAt(at), fields.valueLength(at))
    if (topic === undefined) {
      const name = fields.text(KEY.topic) ?? ''
      if (this.#options.enableLmq && isLightQueue(name)) return null
      throw new ResponseError('TOPIC_NOT_EXIST', notExist(name))
    }
    if ((topic.perm & Permission.READ) === 0) {
      const why = `the topic[${topic.topic}] pulling message is forbidden`
      throw new ResponseError('NO_PERMISSION', why)
    }
    return topic
  }

  #queueId({ fields }: RequestFrame, topic: TopicChange): number {
    const queueId = fields.integer(KEY.queueId)
    if (queueId >= 0 && queueId < topic.readQueueNums) return queueId
    throw new ResponseError(
      'INVALID_PARAMETER',
      `queueId[${queueId}] is illegal, topic:[${topic.topic}] topicConfig.readQueueNums:[${topic.readQueueNums}] consumer may pull from 0 to ${topic.readQueueNums - 1}`,
    )
  }

  #pullOf(
    session: ClientSession,
    request: RequestFrame,
    of: { group: GroupView; topic: TopicChange; queueId: number; sysFlag: number },
  ): HeldPull {
    const { fields } = request
    const offset = fields.integer(KEY.queueOffset)
    const countMax = fields.integer(KEY.maxMsgNums)
    if (Number.isNaN(offset))
      throw new ResponseError('SYSTEM_ERROR', 'queueOffset must be an integer')
    return {
      session,
      opaque: fields.opaque,
      serializeType: fields.serializeType,
      topic: of.topic.topic,
      queueId: of.queueId,
      counter: this.#parts.counters.pair(of.group.group, of.topic.topic),
      row: of.topic.rows[of.queueId]!,
      offset,
      countMax: Math.min(Math.max(1, countMax || 1), MESSAGES_MAX),
      filter: this.#filters.of(request, of),
      ttlMs: of.topic.ttlMs,
      deadlineMs: this.#deadlineOf(request),
    }
  }

  #deadlineOf({ fields }: RequestFrame): number {
    const { longPollingEnable, shortPollingTimeMills } = this.#options
    const asked = longPollingEnable
      ? fields.integer(KEY.suspendTimeoutMillis) || 0
      : shortPollingTimeMills
    return this.#parts.clock.now() + Math.min(Math.max(0, asked), HOLD_MAX_MS)
  }

  #commit(group: string, topic: string, queueId: number, offset: number): void {
    if (offset >= 0) this.#parts.commit(group, topic, queueId, offset)
  }

  /** Answers, holds, or waits for the disk and then does one of both. */
  #run(pull: HeldPull, mayHold: boolean): void {
    const { session } = pull
    if (!session.connection.isOpen) return
    if (session.isCongested) {
      session.deferred.push({ pull, mayHold })
      return
    }
    try {
      this.#serve(pull, mayHold)
    } catch (error) {
      if (!isDiskError(error)) throw error
      this.#answerUnread(pull, error as Error)
    }
  }

  #serve(pull: HeldPull, mayHold: boolean): void {
    const { reader } = this.#parts
    for (let scans = 1; ; scans++) {
      reader.find({
        row: pull.row,
        queue: this.#parts.queueOf(pull.topic, pull.queueId, pull.row),
        offset: pull.offset,
        countMax: pull.countMax,
        filter: pull.filter.tags,
      })
      if (reader.status === ReadStatus.FOUND && this.#answerFound(pull)) return
      const { status } = reader
      // What the filter passes over is passed over here: the client hears of it when it ends.
      if (status === ReadStatus.NO_MATCHED_MESSAGE) pull.offset = reader.nextOffset
      const isWorthWaiting =
        CODE_OF[status] === 'PULL_NOT_FOUND' && pull.offset === reader.maxOffset
      const isFilteredOut = status === ReadStatus.NO_MATCHED_MESSAGE && scans <= SCANS_MAX
      if (isFilteredOut && mayHold && pull.offset < reader.maxOffset) continue
      if (!mayHold || !(isWorthWaiting || isFilteredOut)) return this.#answerEmpty(pull)
      if (!this.#hasTime(pull) || this.#parts.held.park(pull)) return
    }
  }

  /** False, and answered: its time is over, or it holds too many already. */
  #hasTime(pull: HeldPull): boolean {
    const { clock, held } = this.#parts
    if (pull.deadlineMs > clock.now() && held.hasRoom(pull.session)) return true
    this.#answerEmpty(pull)
    return false
  }

  /** False: nothing of what was found is wanted, by its properties. */
  #answerFound(pull: HeldPull): boolean {
    const { reader } = this.#parts
    if (!reader.isAtHand()) {
      reader.load((error) => this.#afterLoad(pull, error))
      return true
    }
    const { replies } = pull.session
    const buffer = replies.reserve(REPLY_LENGTH_MAX + reader.length)
    const at = replies.reservedAt
    const header = this.#writeHeader(buffer, at, pull, reader.length)
    if (!reader.copyOut(buffer, at + header)) {
      this.#run(pull, false)
      return true
    }
    const length = this.#wanted(pull, buffer, at + header)
    if (length === 0) return false
    if (length < reader.length) this.#writeHeader(buffer, at, pull, length)
    replies.commit(header + length)
    const count = length < reader.length ? this.#records.count : reader.count
    this.#parts.counters.addFound(pull.counter, count, length)
    this.#parts.onReply(pull.session)
    return true
  }

  /** How many bytes of the reply are left, without what the pull does not want and what is too old. */
  #wanted({ filter: { sql }, ttlMs }: HeldPull, buffer: Buffer, at: number): number {
    const { reader, wallClock } = this.#parts
    if (sql === null && ttlMs === 0) return reader.length
    this.#condition.sql = sql
    this.#condition.since = ttlMs === 0 ? 0 : wallClock.now() - ttlMs
    const length = this.#records.keep(this.#condition, buffer, at, reader.length)
    if (length === 0) reader.passOver()
    return length
  }

  #afterLoad(pull: HeldPull, error: Error | null): void {
    if (!pull.session.connection.isOpen) return
    if (error === null || this.#parts.reader.isBelowMin(pull.row, pull.offset)) {
      this.#run(pull, false)
      return
    }
    this.#answerUnread(pull, error)
  }

  #answerUnread(pull: HeldPull, error: Error): void {
    pull.session.answer(pull, 'SYSTEM_ERROR', `the store could not be read: ${error.message}`)
    this.#parts.onReply(pull.session)
  }

  #answerEmpty(pull: HeldPull): void {
    const { replies } = pull.session
    const buffer = replies.reserve(REPLY_LENGTH_MAX)
    replies.commit(this.#writeHeader(buffer, replies.reservedAt, pull, 0))
    this.#parts.counters.addMiss()
    this.#parts.onReply(pull.session)
  }

  /** An empty queue is where a reader at 0 waits; one from elsewhere must come back to 0. */
  #codeOf({ offset }: HeldPull): number {
    const { status } = this.#parts.reader
    const isMoved = status === ReadStatus.NO_MESSAGE_IN_QUEUE && offset !== 0
    return ResponseCode[isMoved ? 'PULL_OFFSET_MOVED' : CODE_OF[status]]
  }

  #writeHeader(buffer: Buffer, at: number, pull: HeldPull, bodyLength: number): number {
    const reply = this.#reply
    const { reader } = this.#parts
    reply.serializeType = pull.serializeType
    reply.opaque = pull.opaque
    reply.code = this.#codeOf(pull)
    reply.remark = reader.status
    reply.nextBeginOffset = reader.nextOffset
    reply.minOffset = reader.minOffset
    reply.maxOffset = reader.maxOffset
    return this.#parts.replies.writePullReply(buffer, at, reply, bodyLength)
  }
}

function notExist(topic: string): string {
  return `topic[${shown(topic)}] not exist, apply first please!`
}
