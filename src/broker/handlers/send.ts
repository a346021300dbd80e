import type { Clock } from '../../base/clock.ts'
import { MessageFlag } from '../../protocol/message.ts'
import { RequestCode } from '../../protocol/request-code.ts'
import { ResponseCode } from '../../protocol/response-code.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import { AppendStatus, type LogAppender, type RecordSource } from '../../store/log-appender.ts'
import type { LightCopies } from '../../store/light-copies.ts'
import type { LogShared } from '../../store/log-memory.ts'
import { hasQueueEntry } from '../../store/log-record.ts'
import type { LogWriter } from '../../store/log-writer.ts'
import {
  BatchError,
  BatchRecord,
  MessageRecord,
  PROPERTIES_LENGTH_MAX,
  RecordFields,
} from '../../store/message-record.ts'
import type { Ask } from '../asks.ts'
import type { DiskSettings } from '../disk-full.ts'
import type { ClientSession } from '../client-session.ts'
import type { Gate } from '../gated-replies.ts'
import { REPLY_LENGTH_MAX, type ReplyWriter, type SendReplyParts } from '../hot-replies.ts'
import type { MetadataView } from '../metadata-view.ts'
import type { Outbox } from '../outbox.ts'
import type { TopicChange } from '../metadata-change.ts'
import { PARKED, Parking, type ParkingRules } from '../parking.ts'
import { Asks, scanProperties, withoutProperty } from '../property-scan.ts'
import type { RequestFrame } from '../request-frame.ts'
import {
  checkWritable,
  diskRefuses,
  illegalMessage,
  noRetryBatch,
  sendForbidden,
  tooBusy,
} from '../send-refusals.ts'
import { Permission } from '../system-topics.ts'
import { LightSends } from './light-sends.ts'
import { LONG, SHORT, type SendKeys } from './send-keys.ts'
import type { WorkerCounters } from '../worker-counters.ts'
import { RETRY_PREFIX, SEND_FORBIDDEN, TOPIC_LENGTH_MAX, topicNameFault } from '../topic-names.ts'

/**
 * A window that is full of written bytes has room again in a moment: other workers were quicker with
 * the last of it, or a thread is copying from where it must be overwritten. One try a millisecond.
 */
const TRIES_MAX = 100
/** Flush makes log files ahead, so this is for tiny ones. */
const FILE_WAIT_MS = 1000
const PERCENT = 0x25
const PAUSE = new Int32Array(new SharedArrayBuffer(4))

/** A topic with a window of deduplication looks at plain messages that have a key: see Dedup. */
const ONCE = Asks.HAS_UNIQ_KEY | Asks.DELAY | Asks.TIMER | Asks.TRANSACTION

/** What `handle` returns for a send that is main's. */
export const FOR_MAIN = 'main'

export interface SendOptions {
  brokerIP1: string
  brokerPermission: number
  maxMessageSize: number
  /** Longest append: window slack and file size both bound it. */
  appendMax: number
  isLongTopicAllowed: boolean
  /** Pairs put behind every message's properties, in stored form. */
  suffix: Buffer
  storeHost: Buffer
  isSyncFlush: boolean
  syncFlushTimeoutMs: number
  /** What a send that the disk refuses is told. */
  disk: DiskSettings
  parking: ParkingRules
  hasLightQueues: boolean
}

export interface SendParts {
  shared: LogShared
  appender: LogAppender
  writer: LogWriter
  metadata: MetadataView
  replies: ReplyWriter
  counters: WorkerCounters
  clock: Clock
  /** For deadlines: monotonic. */
  elapsed: Clock
  /** A reply was put into the gated outbox of this session; the gate is used again. */
  onReply: (session: ClientSession, gate: Gate) => void
  /** Records were written before the end of the turn: others may have waited for them. */
  onWritten: () => void
  /** Makes a unique id for a message that came without one; in stored form (a whole pair). */
  uniqueKeyPair: () => string
}

/** Takes SEND_MESSAGE, SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE: checks, appends, prepares the reply. */
export class SendHandler {
  readonly #parts: SendParts
  readonly #options: SendOptions
  readonly #fields = new RecordFields()
  readonly #message = new MessageRecord(this.#fields)
  readonly #batch = new BatchRecord(this.#fields)
  readonly #scratch = Buffer.allocUnsafeSlow(256 * 1024)
  readonly #reply: SendReplyParts
  readonly #quarter: number
  readonly #parking: Parking
  readonly #light: LightSends
  /** Of the message that is being appended. */
  #copies: LightCopies | null = null
  readonly #gate: Gate = {
    position: 0,
    replyStart: 0,
    replyEnd: 0,
    opaque: 0,
    serializeType: 0,
    deadlineMs: 0,
    mustFlush: false,
  }

  constructor(parts: SendParts, options: SendOptions) {
    this.#parts = parts
    this.#options = options
    this.#fields.storeHost.setAll(options.storeHost)
    this.#quarter = parts.shared.memory.windowSize / 4
    this.#parking = new Parking(options.parking, parts.clock, parts.metadata.topics)
    this.#light = new LightSends(parts.metadata.topics, options.hasLightQueues)
    this.#reply = {
      serializeType: 0,
      code: ResponseCode.SUCCESS,
      opaque: 0,
      queueId: 0,
      queueOffset: 0,
      storeHost: options.storeHost,
      position: 0,
      recallHandle: '',
    }
  }

  /**
   * Appends what the request brings. Returns what must be made first; the caller then comes again with
   * the same request; FOR_MAIN when main has to see to it. Throws ResponseError.
   */
  handle(session: ClientSession, request: RequestFrame): Ask | typeof FOR_MAIN | null {
    const keys = request.code === RequestCode.SEND_MESSAGE ? LONG : SHORT
    const { fields } = request
    const at = fields.find(keys.topic)
    if (at === -1) throw new ResponseError('SYSTEM_ERROR', 'the topic is missing in the request')
    const topicAt = fields.valueAt(at)
    const topicLength = fields.valueLength(at)
    if (isRetry(request, topicAt, topicLength)) return FOR_MAIN
    const topic = this.#parts.metadata.topics.get(fields.bytes, topicAt, topicLength)
    checkWritable(this.#options)
    if (topic === undefined) return this.#unknownTopic(request, keys)
    this.#checkTopic(topic)
    this.#fields.topic.set(fields.bytes, topicAt, topicLength)
    this.#fields.isLongTopic = topicLength > TOPIC_LENGTH_MAX
    if (this.#fields.isLongTopic && !this.#options.isLongTopicAllowed) {
      throw this.#illegal(
        `the topic has ${topicLength} bytes, autoMessageVersionOnTopicLen is false`,
      )
    }
    this.#fields.bornHost.setAll(session.bornHost)
    return this.#append(session, request, keys, topic)
  }

  #unknownTopic({ fields }: RequestFrame, keys: SendKeys): Ask {
    const topic = fields.text(keys.topic) ?? ''
    const fault = topicNameFault(topic)
    if (fault !== null) throw new ResponseError('SYSTEM_ERROR', fault)
    if (SEND_FORBIDDEN.has(topic)) throw sendForbidden(topic)
    const queueNums = fields.integer(keys.defaultTopicQueueNums)
    return {
      kind: 'topic',
      topic,
      defaultTopic: fields.text(keys.defaultTopic) ?? '',
      queueNums: Number.isNaN(queueNums) ? 4 : queueNums,
    }
  }

  #checkTopic({ topic, perm }: TopicChange): void {
    if ((perm & Permission.WRITE) === 0) {
      throw new ResponseError('NO_PERMISSION', `the topic[${topic}] sending message is forbidden`)
    }
    if (SEND_FORBIDDEN.has(topic)) throw sendForbidden(topic)
  }

  #append(
    session: ClientSession,
    request: RequestFrame,
    keys: SendKeys,
    topic: TopicChange,
  ): Ask | typeof FOR_MAIN | null {
    const isBatch = request.code === RequestCode.SEND_BATCH_MESSAGE
    if (isBatch && topic.topic.startsWith(RETRY_PREFIX)) throw noRetryBatch(topic.topic)
    this.#readNumbers(request, keys, topic)
    this.#readBody(request)
    const asks = this.#readProperties(request, keys)
    this.#refuseUnsupported(asks, isBatch)
    if (topic.dedupWindowMs > 0 && !isBatch && (asks & ONCE) === Asks.HAS_UNIQ_KEY) return FOR_MAIN
    const { queueId } = this.#fields
    const hasKey = isBatch || (asks & Asks.HAS_UNIQ_KEY) !== 0
    this.#fields.suffix.setAll(hasKey ? this.#options.suffix : this.#suffixWithKey())
    this.#parking.recallHandle = ''
    const isParked = !isBatch && (asks & PARKED) !== 0
    const target = isParked ? this.#parking.park(this.#fields, topic, asks) : topic
    this.#copies = null
    if ((asks & Asks.LIGHT) !== 0 && !isBatch) {
      const copies = this.#light.copiesOf(this.#message, target)
      if (copies !== null && 'kind' in copies) return copies
      this.#copies = copies
    }
    const source = isBatch ? this.#prepareBatch() : this.#prepareMessage()
    source.row = target.rows[this.#fields.queueId]!
    this.#appendSource(source)
    this.#parts.counters.addPut(source)
    this.#fields.queueId = queueId // the reply names where it was sent to
    this.#prepareReply(session, request, source, (asks & Asks.NO_WAIT) !== 0)
    return null
  }

  #readNumbers({ fields }: RequestFrame, keys: SendKeys, topic: TopicChange): void {
    const record = this.#fields
    record.queueId = this.#queueId(fields.integer(keys.queueId), topic)
    record.sysFlag = orZero(fields.integer(keys.sysFlag))
    record.flag = orZero(fields.integer(keys.flag))
    record.bornTimestamp = orZero(fields.integer(keys.bornTimestamp))
    record.reconsumeTimes = orZero(fields.integer(keys.reconsumeTimes))
  }

  #queueId(queueId: number, topic: TopicChange): number {
    if (queueId < 0 && topic.writeQueueNums > 0) {
      return Math.floor(Math.random() * topic.writeQueueNums)
    }
    const count = Math.max(topic.readQueueNums, topic.writeQueueNums)
    if (queueId >= 0 && queueId < count) return queueId
    throw new ResponseError(
      'INVALID_PARAMETER',
      `queueId[${queueId}] is illegal, topic[${topic.topic}] has queues 0 to ${count - 1}`,
    )
  }

  #readBody({ fields }: RequestFrame): void {
    const { maxMessageSize } = this.#options
    const { bodyAt, bodyLength } = fields
    if (bodyLength > maxMessageSize) throw this.#illegal(`the body has ${bodyLength} bytes`)
    this.#fields.body.set(fields.bytes, bodyAt, bodyLength)
  }

  /** Points the record at the properties, without JSON's escapes; returns what they ask for. */
  #readProperties({ fields }: RequestFrame, keys: SendKeys): number {
    const slice = this.#fields.properties
    const at = fields.find(keys.properties)
    if (at === -1) slice.set(this.#scratch, 0, 0)
    else if (!fields.isEscaped(at)) {
      slice.set(fields.bytes, fields.valueAt(at), fields.valueLength(at))
    } else if (fields.valueLength(at) <= this.#scratch.length) {
      slice.set(this.#scratch, 0, fields.unescape(at, this.#scratch))
    } else throw this.#illegal(`the properties have ${fields.valueLength(at)} bytes`)
    const asks = scanProperties(slice.buffer, slice.at, slice.length)
    if ((asks & Asks.POP_RECEIPT) !== 0) this.#dropReceipt()
    return asks
  }

  #dropReceipt(): void {
    const { buffer, at, length } = this.#fields.properties
    const kept = withoutProperty(buffer.subarray(at, at + length), 'POP_CK')
    this.#fields.properties.set(kept, 0, kept.length)
  }

  /** Stored as it is, such a message would be wrong; so it is not taken. */
  #refuseUnsupported(asks: number, isBatch: boolean): void {
    const { sysFlag } = this.#fields
    if ((sysFlag & MessageFlag.INNER_BATCH) !== 0) {
      throw new ResponseError('MESSAGE_ILLEGAL', 'only topics of BatchCQ type take inner batches')
    }
    if ((asks & Asks.TRANSACTION) !== 0) return
    if (!hasQueueEntry(sysFlag)) {
      const why = 'the sys flag says that it is part of a transaction, TRAN_MSG does not'
      throw new ResponseError('MESSAGE_ILLEGAL', why)
    }
    if (!isBatch || (asks & Asks.TIMER) === 0) return
    throw new ResponseError('MESSAGE_ILLEGAL', 'a batch cannot be timed: send its messages singly')
  }

  #suffixWithKey(): Buffer {
    return Buffer.concat([this.#options.suffix, Buffer.from(this.#parts.uniqueKeyPair())])
  }

  #prepareMessage(): RecordSource {
    const record = this.#fields
    const length = record.propertiesLength(record.properties)
    if (length > PROPERTIES_LENGTH_MAX) throw this.#illegal(`the properties have ${length} bytes`)
    this.#message.prepare()
    return this.#message
  }

  #prepareBatch(): RecordSource {
    try {
      this.#batch.prepare()
    } catch (error) {
      if (error instanceof BatchError) throw new ResponseError('MESSAGE_ILLEGAL', error.message)
      throw error
    }
    this.#light.checkBatch(this.#batch)
    return this.#batch
  }

  #appendSource(source: RecordSource): void {
    if (source.length > this.#options.appendMax) {
      throw this.#illegal(`it takes ${source.length} bytes in the log`)
    }
    const { shared, appender, writer } = this.#parts
    if (shared.refusal() !== 0) throw diskRefuses(shared, this.#options.disk)
    let status = appender.append(source, this.#copies)
    for (let tries = 0; status !== AppendStatus.OK && tries < TRIES_MAX; tries++) {
      if (!this.#makeWay(status, source.length)) break
      if (tries > 0) Atomics.wait(PAUSE, 0, 0, 1)
      status = appender.append(source, this.#copies)
    }
    if (status !== AppendStatus.OK) throw tooBusy(status, shared.isStalled())
    if (writer.isBehind(source.position + source.length, this.#quarter)) this.#write()
  }

  /** False: nothing that this thread could do would help soon. */
  #makeWay(status: AppendStatus, length: number): boolean {
    const { shared } = this.#parts
    if (status === AppendStatus.NO_ROOM) return this.#write()
    return shared.awaitCreated(shared.appended.value() + length, FILE_WAIT_MS)
  }

  #write(): boolean {
    const { shared } = this.#parts
    if (shared.isStalled()) {
      shared.askToWrite()
      return false
    }
    const isDone = this.#parts.writer.write()
    if (isDone) this.#parts.onWritten() // the end of the turn may find nothing left to write
    return isDone
  }

  #prepareReply(
    session: ClientSession,
    request: RequestFrame,
    source: RecordSource,
    isImpatient: boolean,
  ): void {
    const gate = this.#gate
    gate.mustFlush = this.#options.isSyncFlush && !isImpatient
    const outbox = gate.mustFlush ? session.flushed : session.written
    gate.replyStart = outbox.end
    if (!request.isOneway) this.#putReply(outbox, request, source)
    gate.replyEnd = outbox.end
    gate.position = source.position + source.length
    gate.opaque = request.fields.opaque
    gate.serializeType = request.fields.serializeType
    gate.deadlineMs = this.#parts.elapsed.now() + this.#options.syncFlushTimeoutMs
    this.#parts.onReply(session, gate)
  }

  #putReply(outbox: Outbox, { fields }: RequestFrame, source: RecordSource): void {
    const reply = this.#reply
    reply.serializeType = fields.serializeType
    reply.opaque = fields.opaque
    reply.queueId = this.#fields.queueId
    reply.queueOffset = source.queueOffset
    reply.position = source.position
    reply.recallHandle = this.#parking.recallHandle
    const isBatch = source === this.#batch
    const ids = isBatch ? this.#batch.lengths.length : 1
    const buffer = outbox.reserve(REPLY_LENGTH_MAX + ids * 57 + reply.recallHandle.length)
    const at = outbox.reservedAt
    outbox.commit(
      this.#parts.replies.writeSendReply(buffer, at, reply, isBatch ? this.#batch : null),
    )
  }

  #illegal(found: string): ResponseError {
    return illegalMessage(found, this.#options.maxMessageSize)
  }
}

/** One message that comes back: where it goes depends on the group, and on who consumes in order. */
function isRetry({ code, fields }: RequestFrame, at: number, length: number): boolean {
  if (fields.bytes[at] !== PERCENT || code === RequestCode.SEND_BATCH_MESSAGE) return false
  return fields.bytes.toString('latin1', at, at + length).startsWith(RETRY_PREFIX)
}

function orZero(value: number): number {
  return Number.isNaN(value) ? 0 : value
}
