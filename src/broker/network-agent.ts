import type { Clock } from '../base/clock.ts'
import type { Connection, FrameHandler } from '../net/connection.ts'
import { FrameError } from '../protocol/frame.ts'
import { RequestCode } from '../protocol/request-code.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError, responseCodeName } from '../protocol/response-error.ts'
import type { DirtyBits } from '../ring/dirty-bits.ts'
import { Thread, type LogShared } from '../store/log-memory.ts'
import type { LogWriter } from '../store/log-writer.ts'
import { Asks as PendingAsks, type Ask, type WaitingRequest } from './asks.ts'
import { ClientSession } from './client-session.ts'
import { OffsetCommits } from './offset-commits.ts'
import type { Gate } from './gated-replies.ts'
import type { PullHandler } from './handlers/pull.ts'
import { FOR_MAIN, type SendHandler } from './handlers/send.ts'
import type { HeldPulls } from './held-pulls.ts'
import type { MetadataChange } from './metadata-change.ts'
import type { MetadataView } from './metadata-view.ts'
import { ChunkPool } from './outbox.ts'
import { ReplyGates } from './reply-gates.ts'
import { RequestFrame } from './request-frame.ts'
import { ResetQueues } from './reset-queues.ts'
import { LinkType, type ThreadLink } from './thread-link.ts'
import type { TurnClock } from './turn-clock.ts'
import type { WorkerCounters } from './worker-counters.ts'

/** With the longest 32-bit delay a timer fires at once; a quiet broker has no reason to look. */
const TIMER_MAX_MS = 2 ** 30
/**
 * Replies of this many bytes do not wait for the end of the turn: one read may bring a thousand
 * pulls, and only a connection that was written to knows that its peer does not read.
 */
const EARLY_SEND = 1024 * 1024
/** A request may lack a group, a topic and light queues, one after the other. */
const ASKS_MAX = 3
const MAIN_IS_BEHIND =
  '[OVERLOAD]system busy, start flow control for a while: the broker thread is behind'

export interface NetworkParts {
  shared: LogShared
  writer: LogWriter
  link: ThreadLink
  metadata: MetadataView
  held: HeldPulls
  dirty: DirtyBits
  clock: Clock
  counters: WorkerCounters
  /** Told when a turn ends. */
  turnClocks: readonly TurnClock[]
}

/**
 * One network worker: takes sends and pulls itself, passes everything else to main and the answers
 * back. What happens within one turn of the event loop is written and answered together at its end.
 */
export class NetworkAgent {
  readonly pool = new ChunkPool()
  readonly commits: OffsetCommits
  readonly #parts: NetworkParts
  readonly #request = new RequestFrame()
  readonly #sessions: (ClientSession | undefined)[] = []
  readonly #freeSlots: number[] = []
  readonly #gates: ReplyGates
  readonly #ready: ClientSession[] = []
  readonly #rows: number[] = []
  readonly #asks = new PendingAsks()
  readonly #resets = new ResetQueues()
  #send: SendHandler | null = null
  #pull: PullHandler | null = null
  #generation = 0
  #isTurnOpen = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor(parts: NetworkParts) {
    this.#parts = parts
    this.#gates = new ReplyGates(parts.shared, (session) => this.#beReady(session))
    this.commits = new OffsetCommits((payload) => {
      parts.link.send({ type: LinkType.COMMITS, first: 0, second: 0, payload })
      parts.link.flush()
    })
  }

  /** The handlers report to this agent, so they come after it. */
  use(handlers: { send: SendHandler; pull: PullHandler }): void {
    this.#send = handlers.send
    this.#pull = handlers.pull
  }

  /** A connection was accepted. */
  open(connection: Connection): FrameHandler {
    const slot = this.#freeSlots.pop() ?? this.#sessions.length
    const session = new ClientSession(
      connection,
      { slot, generation: ++this.#generation },
      this.pool,
    )
    this.#sessions[slot] = session
    return {
      onFrame: (_, bytes, start, end) => this.#onFrame(session, bytes, start, end),
      onDrain: () => {
        if (session.deferred.length > 0) this.#pull!.serveDeferred(session)
      },
      onClose: () => this.#onClose(session),
    }
  }

  /** Main published changes of topics, groups or subscriptions. */
  applyChanges(changes: readonly MetadataChange[], version: number): void {
    const { metadata, shared } = this.#parts
    for (const change of changes) {
      if (change.kind === 'topicGone') {
        this.#pull!.topicGone(change.topic, metadata.rowsOf(change.topic))
      }
      if (change.kind === 'resets') this.#applyResets(change.group, change.queues)
      metadata.apply(change)
      if (change.kind === 'topic') this.#sendWaiting(change.topic)
    }
    shared.publishApplied(version)
  }

  /** Consumers that wait for messages ask again, and hear where they are now. */
  #applyResets(group: string, queues: readonly string[]): void {
    for (const { topic, queueId } of this.#resets.apply(group, queues)) {
      const row = this.#parts.metadata.rowsOf(topic)[queueId]
      if (row !== undefined) this.#pull!.endHolds(row)
    }
  }

  /** Now, and not when main answers: a send that comes in between must not overtake them. */
  #sendWaiting(topic: string): void {
    if (this.#asks.isEmpty) return
    for (const request of this.#asks.takeTopic(topic)) this.#retry(request)
  }

  /** A reply was put into the session's outbox. */
  onReply(session: ClientSession): void {
    if (session.replies.unsent >= EARLY_SEND) session.replies.sendAll()
    this.#beReady(session)
    this.#openTurn()
  }

  onSendReply(session: ClientSession, gate: Gate): void {
    this.#gates.add(session, gate)
    this.#openTurn()
  }

  /** Another thread woke this one: queues moved, `flushed` moved, or main has sent something. */
  onWake(): void {
    this.#serveDirtyRows()
    while (
      this.#parts.link.drain((type, first, second, payload) => {
        this.#onMainRecord(type, first, second, payload)
      })
    ) {
      // There is more.
    }
    this.#endTurn()
  }

  /** Whether replies to sends still wait for the disk. */
  get isWaiting(): boolean {
    return !this.#gates.isEmpty
  }

  /** Everything that is pending leaves; after that nothing more is taken. */
  close(): void {
    this.#endTurn()
    this.commits.flush()
    clearTimeout(this.#timer)
  }

  #onFrame(session: ClientSession, bytes: Buffer, start: number, end: number): void {
    try {
      this.#request.read(bytes, start, end)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      session.connection.close(error.message)
      return
    }
    if (this.#request.isResponse) this.#forward(session, bytes, start, end)
    else this.#handle(session, bytes, start, end)
  }

  #handle(session: ClientSession, bytes: Buffer, start: number, end: number): void {
    try {
      const ask = this.#dispatch(session)
      if (ask === undefined) this.#forward(session, bytes, start, end)
      else if (ask !== null) this.#ask(session, ask, bytes.subarray(start, end))
    } catch (error) {
      this.#answerError(session, error)
    }
  }

  /** Null: done. Undefined: not for this thread. Else what main must make first. */
  #dispatch(session: ClientSession): Ask | null | undefined {
    switch (this.#request.code) {
      case RequestCode.SEND_MESSAGE:
      case RequestCode.SEND_MESSAGE_V2:
      case RequestCode.SEND_BATCH_MESSAGE: {
        const ask = this.#send!.handle(session, this.#request)
        return ask === FOR_MAIN ? undefined : ask
      }
      case RequestCode.PULL_MESSAGE:
      case RequestCode.LITE_PULL_MESSAGE: {
        if (this.#resets.isHit(this.#request.fields)) return undefined
        this.#openTurn() // if it is held, its time must be looked after
        return this.#pull!.handle(session, this.#request)
      }
      default:
        return undefined
    }
  }

  #answerError(session: ClientSession, error: unknown): void {
    if (!(error instanceof ResponseError)) throw error
    if (this.#request.isOneway) return
    session.answer(this.#request.fields, error.codeName, error.message)
    this.onReply(session)
  }

  /** Main has the rest: the frame crosses as it came. */
  #forward(session: ClientSession, bytes: Buffer, start: number, end: number): void {
    const { link } = this.#parts
    this.commits.flush() // main hears of things in the order the client did them
    this.#introduce(session)
    const { slot: first, generation: second } = session
    const payload = bytes.subarray(start, end)
    if (!link.isFull) link.send({ type: LinkType.REQUEST, first, second, payload })
    else if (!this.#request.isOneway) {
      session.answer(this.#request.fields, 'SYSTEM_BUSY', MAIN_IS_BEHIND)
      this.onReply(session)
    }
    this.#openTurn()
  }

  #introduce(session: ClientSession): void {
    if (session.isKnown) return
    session.isKnown = true
    const { slot: first, generation: second } = session
    const payload = Buffer.from(session.connection.remoteAddress)
    this.#parts.link.send({ type: LinkType.OPENED, first, second, payload })
  }

  /** Asks main to make a topic or group; the request waits here and is then tried once more. */
  #ask(session: ClientSession, ask: Ask, frame: Buffer, asks = 1): void {
    this.#introduce(session)
    const { link } = this.#parts
    const { isOneway, fields } = this.#request
    const { opaque, serializeType } = fields
    const copy = Buffer.from(frame)
    const request = { session, frame: copy, isOneway, opaque, serializeType, asks }
    const id = link.isFull ? -1 : this.#asks.add({ topic: topicOf(ask), ...request })
    if (id === -1) throw new ResponseError('SYSTEM_BUSY', MAIN_IS_BEHIND)
    const payload = Buffer.from(
      JSON.stringify({ ...ask, address: session.connection.remoteAddress }),
    )
    link.send({ type: LinkType.ASK, first: id, second: 0, payload })
    this.#openTurn()
  }

  #onMainRecord(type: number, first: number, second: number, payload: Buffer): void {
    if (type === LinkType.ANSWERED) {
      this.#onAnswered(first, second, payload.toString())
      return
    }
    const session = this.#sessions[first]
    if (session?.generation !== second) return // it closed meanwhile
    if (type === LinkType.CLOSE) session.connection.close(payload.toString())
    else {
      session.replies.put(payload)
      this.onReply(session)
    }
  }

  #onAnswered(id: number, code: number, remark: string): void {
    const request = this.#asks.take(id)
    if (request === undefined) return
    const { session, isOneway, ...to } = request
    if (code === ResponseCode.SUCCESS) this.#retry(request)
    else if (session.connection.isOpen && !isOneway) {
      session.answer(to, responseCodeName(code) ?? 'SYSTEM_ERROR', remark)
      this.onReply(session)
    }
  }

  #retry({ session, frame, asks }: WaitingRequest): void {
    if (!session.connection.isOpen) return
    this.#request.read(frame, 0, frame.length)
    try {
      const ask = this.#dispatch(session)
      if (ask === undefined) this.#forward(session, frame, 0, frame.length)
      else if (ask !== null && asks < ASKS_MAX) this.#ask(session, ask, frame, asks + 1)
      else if (ask !== null) throw goneAgain(ask)
    } catch (error) {
      this.#answerError(session, error)
    }
  }

  #serveDirtyRows(): void {
    this.#rows.length = 0
    this.#parts.dirty.take(this.#rows)
    for (const row of this.#rows) this.#pull!.serveRow(row)
  }

  #openTurn(): void {
    if (this.#isTurnOpen) return
    this.#isTurnOpen = true
    setImmediate(() => this.#endTurn())
  }

  /** Writes what was appended, lets go of the replies that waited for it, and sends them. */
  #endTurn(): void {
    this.#isTurnOpen = false
    for (const clock of this.#parts.turnClocks) clock.endTurn()
    const { shared, writer, link } = this.#parts
    if (!this.#gates.isEmpty) {
      if (writer.unwritten() > 0) this.#write(writer)
      this.#gates.release()
    }
    this.#parts.counters.endPuts(this.#gates.firstHeld)
    shared.poison.check() // no OK leaves a process whose memory a thread left half-changed
    for (const session of this.#ready) {
      session.isReady = false
      session.flush()
    }
    this.#ready.length = 0
    link.flush()
    shared.setHolding(this.#parts.held.count > 0)
    this.#setTimer()
  }

  /** A slow disk must not stop pulls and heartbeats: then the writing is flush's. */
  #write(writer: LogWriter): void {
    const { shared } = this.#parts
    if (shared.isStalled()) shared.askToWrite()
    else if (writer.write()) this.onWritten()
  }

  /** For dispatch and flush there is more to do. */
  onWritten(): void {
    const { shared } = this.#parts
    shared.signalOf(Thread.DISPATCH).wake()
    shared.signalOf(Thread.FLUSH).wake()
  }

  /** One timer for whatever ends first: a held pull's time, or a send's. */
  #setTimer(): void {
    const due = Math.min(this.#parts.held.nextDeadline, this.#gates.nextDeadline)
    if (due >= this.#timerAt && this.#timerAt > this.#parts.clock.now()) return
    clearTimeout(this.#timer)
    this.#timerAt = due
    if (due === Infinity) return
    const ms = Math.min(Math.max(1, due - this.#parts.clock.now()), TIMER_MAX_MS)
    this.#timer = setTimeout(() => this.#onTimer(), ms)
  }

  #onTimer(): void {
    this.#timerAt = Infinity
    this.#pull!.serveExpired()
    this.#gates.release()
    this.#gates.expire(this.#parts.clock.now())
    this.#endTurn()
  }

  #beReady(session: ClientSession): void {
    if (session.isReady) return
    session.isReady = true
    this.#ready.push(session)
  }

  #onClose(session: ClientSession): void {
    this.#parts.held.dropSession(session)
    this.#sessions[session.slot] = undefined
    this.#freeSlots.push(session.slot)
    if (!session.isKnown) return
    const { slot: first, generation: second } = session
    this.#parts.link.send({ type: LinkType.CLOSED, first, second, payload: new Uint8Array(0) })
    this.#openTurn()
  }
}

/** The topic whose coming ends the wait. Of several the last: they come in this order. */
function topicOf(ask: Ask): string | null {
  if (ask.kind === 'group') return null
  return ask.kind === 'topic' ? ask.topic : ask.topics.at(-1)!
}

function goneAgain({ kind }: Ask): ResponseError {
  const what = kind === 'light' ? 'light queue' : kind
  return new ResponseError('SYSTEM_ERROR', `the ${what} was deleted while it was being made`)
}
