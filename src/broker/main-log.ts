import { setTimeout as pause } from 'node:timers/promises'
import { monotonicClock } from '../base/clock.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { AppendStatus, type LogAppender } from '../store/log-appender.ts'
import { Fault, type LogShared, Thread } from '../store/log-memory.ts'
import type { LogWriter } from '../store/log-writer.ts'
import { MessageRecord, PROPERTIES_LENGTH_MAX, RecordFields } from '../store/message-record.ts'
import type { QueueRows } from '../store/queue-rows.ts'
import type { DiskSettings } from './disk-full.ts'
import type { MainLight } from './main-light.ts'
import type { MessageDraft } from './message-draft.ts'
import { diskRefuses, tooBusy } from './send-refusals.ts'
import { TOPIC_LENGTH_MAX } from './topic-names.ts'

/** While the log takes nothing, an append is tried again this often, and so many times. */
const PAUSE_MS = 5
const TRIES_MAX = 400
const NOTHING = Buffer.alloc(0)

/** Where a message went. */
export interface Stored {
  position: number
  /** Behind its last byte. */
  end: number
  queueOffset: number
  storeTimestamp: number
}

export interface MainLogParts {
  shared: LogShared
  rows: QueueRows
  appender: LogAppender
  /** Null: there are no light queues. */
  light: MainLight | null
  writer: LogWriter
  /** IP (4 or 16 bytes) and a 4-byte port. */
  storeHost: Uint8Array
  /** Longest record. */
  appendMax: number
  isSyncFlush: boolean
  /** What is told when the disk refuses. */
  disk: DiskSettings
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
    const stored = await this.begin(draft)
    await this.survives(stored)
    return stored
  }

  /** The first half of `append`: the message is in the log, and not yet in the file. */
  async begin(draft: MessageDraft): Promise<Stored> {
    for (let tries = 0; ; tries++) {
      const status = this.#tryAppend(draft, this.#rowOf(draft))
      if (status === AppendStatus.OK) return this.#place()
      if (tries === TRIES_MAX) throw tooBusy(status, this.#parts.shared.isStalled())
      await pause(PAUSE_MS)
    }
  }

  /**
   * The second half: resolves when all up to `end` survives. Rejects with ResponseError when nobody knows
   * whether it will.
   */
  survives({ end }: Pick<Stored, 'end'>): Promise<void> {
    if (this.#isClosed) return Promise.reject(closed())
    const deadlineMs = monotonicClock.now() + this.#parts.timeoutMs
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ end, deadlineMs, resolve, reject })
      this.#beDue()
    })
  }

  /**
   * Many at once, written together: what `append` would have rejected with for each, null for those that survive.
   * When the log takes no more, those behind are not tried.
   */
  async appendAll(drafts: readonly MessageDraft[]): Promise<(ResponseError | null)[]> {
    const failures: (ResponseError | null)[] = []
    let last: Stored | null = null
    for (const draft of drafts) {
      const outcome = await this.begin(draft).catch(asRefusal)
      const isRefused = outcome instanceof ResponseError
      if (!isRefused) last = outcome
      failures.push(isRefused ? outcome : null)
      if (isRefused && !isForGood(outcome)) break
    }
    const rest = failures.at(-1)
    while (failures.length < drafts.length) failures.push(rest!)
    const lost = last === null ? null : await this.survives(last).then(() => null, asRefusal)
    return failures.map((failure) => failure ?? lost)
  }

  /**
   * Both halves, at once or not at all: throws what `begin` rejects with. `survived` settles as the promise of
   * `survives` does.
   */
  appendNow(draft: MessageDraft): Stored & { survived: Promise<void> } {
    const status = this.#tryAppend(draft, this.#rowOf(draft))
    if (status !== AppendStatus.OK) throw tooBusy(status, this.#parts.shared.isStalled())
    const stored = this.#place()
    return { ...stored, survived: this.survives(stored) }
  }

  /** Nothing is appended any more. What still waits for the disk is told so. */
  close(): void {
    this.#isClosed = true
    this.#write()
    this.#rejectBefore(Infinity, closed())
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

  /** Into `#record`. Throws ResponseError when trying again is of no use. */
  #tryAppend(draft: MessageDraft, row: number): AppendStatus {
    const { shared, appender, light, disk } = this.#parts
    if (this.#isClosed) throw closed()
    if (shared.refusal() !== 0) throw diskRefuses(shared, disk)
    this.#fill(draft)
    const record = this.#record
    const copies = light?.copiesOf(record, draft.topic, draft.properties) ?? null
    record.prepare()
    this.#checkLength()
    record.row = row
    this.#beDue()
    const status = appender.append(record, copies)
    if (status === AppendStatus.NO_FILE) shared.signalOf(Thread.FLUSH).rouse()
    return status
  }

  #fill(draft: MessageDraft): void {
    const fields = this.#fields
    const topic = Buffer.from(draft.topic)
    fields.topic.setAll(topic)
    fields.isLongTopic = topic.length > TOPIC_LENGTH_MAX
    fields.body.setAll(draft.body)
    fields.properties.setAll(draft.properties)
    fields.suffix.setAll(NOTHING)
    fields.bornHost.setAll(draft.bornHost)
    fields.queueId = draft.queueId
    fields.flag = draft.flag
    fields.sysFlag = draft.sysFlag
    fields.bornTimestamp = draft.bornTimestamp
    fields.reconsumeTimes = draft.reconsumeTimes
    fields.preparedTransactionOffset = draft.preparedTransactionOffset
  }

  #checkLength(): void {
    const length = this.#fields.propertiesLength(this.#fields.properties)
    const { appendMax } = this.#parts
    if (length > PROPERTIES_LENGTH_MAX) {
      const why = `its properties have ${length} bytes, ${PROPERTIES_LENGTH_MAX} are allowed`
      throw new ResponseError('MESSAGE_ILLEGAL', why)
    }
    if (this.#record.length <= appendMax) return
    const why = `it takes ${this.#record.length} bytes in the log, ${appendMax} are allowed`
    throw new ResponseError('MESSAGE_ILLEGAL', why)
  }

  #place(): Stored {
    const { position, queueOffset, storeTimestamp, length } = this.#record
    return { position, end: position + length, queueOffset, storeTimestamp }
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
    const { shared, isSyncFlush, disk } = this.#parts
    const safe = (isSyncFlush ? shared.flushed : shared.written).value()
    const count = this.#waiting.findIndex(({ end }) => end > safe)
    for (const { resolve } of this.#waiting.splice(0, count === -1 ? Infinity : count)) resolve()
    if (shared.fault() === Fault.FENCED) this.#rejectBefore(Infinity, diskRefuses(shared, disk))
  }

  /** Whether they are stored in the end nobody knows, as with any timeout. */
  #rejectBefore(now: number, why: ResponseError): void {
    const count = this.#waiting.findIndex(({ deadlineMs }) => deadlineMs > now)
    for (const { reject } of this.#waiting.splice(0, count === -1 ? Infinity : count)) {
      reject(why)
    }
  }

  #watchDeadline(): void {
    const [first] = this.#waiting
    if (first === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#rejectBefore(monotonicClock.now(), late())
        this.#watchDeadline()
      },
      Math.max(1, first.deadlineMs - monotonicClock.now()),
    )
  }
}

/** No later try would go better. */
export function isForGood({ codeName }: ResponseError): boolean {
  return codeName === 'MESSAGE_ILLEGAL' || codeName === 'TOPIC_NOT_EXIST'
}

function asRefusal(error: unknown): ResponseError {
  if (error instanceof ResponseError) return error
  throw error
}

function closed(): ResponseError {
  return new ResponseError('SERVICE_NOT_AVAILABLE', 'service not available now: the broker stops')
}

function late(): ResponseError {
  const why = 'the message was not on the disk in time, which is slow or full'
  return new ResponseError('SERVICE_NOT_AVAILABLE', `service not available now: ${why}`)
}
