import { setTimeout as pause } from 'node:timers/promises'
import { monotonicClock } from '../base/clock.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { AppendStatus, type LogAppender } from '../store/log-appender.ts'
import { Fault, type LogShared, Thread } from '../store/log-memory.ts'
import type { LogWriter } from '../store/log-writer.ts'
import { MessageRecord, PROPERTIES_LENGTH_MAX, RecordFields } from '../store/message-record.ts'
import type { QueueRows } from '../store/queue-rows.ts'
import type { MessageDraft } from './message-draft.ts'
import { TOPIC_LENGTH_MAX } from './topic-names.ts'

/** While the log takes nothing, an append is tried again this often, and so many times. */
const PAUSE_MS = 5
const TRIES_MAX = 400

/** Where a message went. */
export interface Stored {
  position: number
  queueOffset: number
  storeTimestamp: number
}

export interface MainLogParts {
  shared: LogShared
  rows: QueueRows
  appender: LogAppender
  writer: LogWriter
  /** IP (4 or 16 bytes) and a 4-byte port. */
  storeHost: Uint8Array
  /** Longest record. */
  appendMax: number
  isSyncFlush: boolean
  /** What is not on the disk by then is refused. */
  timeoutMs: number
}

interface Waiting {
  end: number
  /** By the monotonic clock. */
  deadlineMs: number
  resolve: () => void
  reject: (error: ResponseError) => void
}

/**
 * What main itself stores: messages that come back, come due or are committed. Those of one turn are
 * written together at its end.
 */
export class MainLog {
  readonly #parts: MainLogParts
  readonly #fields = new RecordFields()
  readonly #record = new MessageRecord(this.#fields)
  readonly #waiting: Waiting[] = []
  #isWriteDue = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: MainLogParts) {
    this.#parts = parts
    this.#fields.storeHost.setAll(parts.storeHost)
  }

  /**
   * Resolves when the message survives what a send that was answered OK survives. Rejects with
   * ResponseError: TOPIC_NOT_EXIST without such a queue, MESSAGE_ILLEGAL when it is too long, SYSTEM_BUSY or
   * SERVICE_NOT_AVAILABLE when the log takes nothing.
   */
  async append(draft: MessageDraft): Promise<Stored> {
    for (let tries = 0; ; tries++) {
      const stored = this.#tryAppend(draft, this.#rowOf(draft))
      if (stored !== null) return this.#survived(stored)
      if (tries === TRIES_MAX) throw busy()
      await pause(PAUSE_MS)
    }
  }

  /** Nothing is appended any more. What still waits for the disk is told so. */
  close(): void {
    this.#isClosed = true
    this.#write()
    this.#rejectBefore(Infinity)
    clearTimeout(this.#timer)
  }

  /** Each time anew: the topic may be deleted, and made again, while the log takes nothing. */
  #rowOf({ topic, queueId }: MessageDraft): number {
    const row = this.#parts.rows.row(topic, queueId)
    if (row !== undefined) return row
    throw new ResponseError('TOPIC_NOT_EXIST', `topic[${topic}] has no queue ${queueId}`)
  }

  /** Another thread woke main: positions may have moved. */
  onWake(): void {
    if (this.#waiting.length === 0) return
    this.#release()
    if (this.#waiting.length === 0) return
    this.#parts.shared.setWaiting(true) // first the flag, then the positions
    this.#release()
    this.#watchDeadline()
  }

  /** Null: the log takes nothing right now. */
  #tryAppend(draft: MessageDraft, row: number): (Stored & { end: number }) | null {
    const { shared, appender } = this.#parts
    if (this.#isClosed || shared.fault() !== Fault.NONE) throw refused()
    this.#fill(draft)
    const record = this.#record
    record.prepare()
    this.#checkLength()
    record.row = row
    this.#beDue()
    const status = appender.append(record)
    if (status === AppendStatus.NO_FILE) shared.signalOf(Thread.FLUSH).rouse()
    if (status !== AppendStatus.OK) return null
    const { position, queueOffset, storeTimestamp } = record
    return { position, queueOffset, storeTimestamp, end: position + record.length }
  }

  #fill(draft: MessageDraft): void {
    const fields = this.#fields
    const topic = Buffer.from(draft.topic)
    fields.topic.setAll(topic)
    fields.isLongTopic = topic.length > TOPIC_LENGTH_MAX
    fields.body.setAll(draft.body)
    fields.properties.setAll(draft.properties)
    fields.bornHost.setAll(draft.bornHost)
    fields.queueId = draft.queueId
    fields.flag = draft.flag
    fields.sysFlag = draft.sysFlag
    fields.bornTimestamp = draft.bornTimestamp
    fields.reconsumeTimes = draft.reconsumeTimes
    fields.preparedTransactionOffset = draft.preparedTransactionOffset
  }

  #checkLength(): void {
    const { length } = this.#fields.properties
    const { appendMax } = this.#parts
    if (length > PROPERTIES_LENGTH_MAX) {
      const why = `its properties have ${length} bytes, ${PROPERTIES_LENGTH_MAX} are allowed`
      throw new ResponseError('MESSAGE_ILLEGAL', why)
    }
    if (this.#record.length <= appendMax) return
    const why = `it takes ${this.#record.length} bytes in the log, ${appendMax} are allowed`
    throw new ResponseError('MESSAGE_ILLEGAL', why)
  }

  async #survived({ end, ...stored }: Stored & { end: number }): Promise<Stored> {
    const deadlineMs = monotonicClock.now() + this.#parts.timeoutMs
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ end, deadlineMs, resolve, reject })
    })
    return stored
  }

  #beDue(): void {
    if (this.#isWriteDue) return
    this.#isWriteDue = true
    setImmediate(() => this.#write())
  }

  #write(): void {
    this.#isWriteDue = false
    const { shared, writer } = this.#parts
    if (shared.isStalled()) shared.askToWrite()
    else if (writer.write()) {
      shared.signalOf(Thread.DISPATCH).wake()
      shared.signalOf(Thread.FLUSH).wake()
    }
    this.onWake()
  }

  /** Main appends in order, so whoever has waited longest is first. */
  #release(): void {
    const { shared, isSyncFlush } = this.#parts
    const safe = (isSyncFlush ? shared.flushed : shared.written).value()
    const count = this.#waiting.findIndex(({ end }) => end > safe)
    for (const { resolve } of this.#waiting.splice(0, count === -1 ? Infinity : count)) resolve()
    if (shared.fault() !== Fault.FENCED) return
    this.#rejectBefore(Infinity)
  }

  /** Whether they are stored in the end nobody knows, as with any timeout. */
  #rejectBefore(now: number): void {
    const count = this.#waiting.findIndex(({ deadlineMs }) => deadlineMs > now)
    for (const { reject } of this.#waiting.splice(0, count === -1 ? Infinity : count)) {
      reject(refused())
    }
  }

  #watchDeadline(): void {
    const [first] = this.#waiting
    if (first === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#rejectBefore(monotonicClock.now())
        this.#watchDeadline()
      },
      Math.max(1, first.deadlineMs - monotonicClock.now()),
    )
  }
}

function busy(): ResponseError {
  const why = 'the log window is full: the disk or a reader does not keep up'
  return new ResponseError(
    'SYSTEM_BUSY',
    `[PC_SYNCHRONIZED]broker busy, start flow control for a while: ${why}`,
  )
}

function refused(): ResponseError {
  return new ResponseError(
    'SERVICE_NOT_AVAILABLE',
    'service not available now: the disk takes no messages, see the log of the broker',
  )
}
