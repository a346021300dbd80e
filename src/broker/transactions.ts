import type { Clock } from '../base/clock.ts'
import type { Log } from '../log/log.ts'
import {
  decodeMessage,
  MessageError,
  MessageFlag,
  type StoredMessage,
} from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import type { HeaderOf } from '../protocol/request.ts'
import { type EndTransaction, TransactionOutcome } from '../protocol/requests/transaction.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Place } from '../store/stored-lots.ts'
import type { ConsumerOffsets } from './consumer-offsets.ts'
import type { WaitingQueue } from './delay-service.ts'
import { EndedHalves, offsetsIn } from './ended-halves.ts'
import type { MainLog } from './main-log.ts'
import {
  type DelayRules,
  draftOf,
  type MessageDraft,
  parkDelayed,
  storedProperties,
} from './message-draft.ts'
import { type OpenHalf, OpenHalves } from './open-halves.ts'
import { HALF_OP_TOPIC, HALF_TOPIC } from './topic-names.ts'

/** The group whose offsets say how far half and op queue are done with (Apache 5.3.3). */
const GROUP = 'CID_RMQ_SYS_TRANS'

/** A just stored half message is waited for this long, until dispatch has it. */
const DISPATCH_MS = 2000
/** Ranges of op messages that are kept apart. */
const OPS_MAX = 4096

/** A half message as it is stored. */
export interface Half extends StoredMessage {
  /** Its properties, byte for byte. */
  text: Buffer
}

export type End = HeaderOf<typeof EndTransaction>

export interface TransactionsParts {
  halves: WaitingQueue
  ops: WaitingQueue
  /** Null: it cannot be read (any more). */
  messageOf: (place: Place) => Promise<Buffer | null>
  /** Dispatch is to look at once. */
  hurry: () => void
  /** Whether the outcome of this half message is stored already: asked for those of earlier runs. */
  isCommitted: (half: Half) => Promise<boolean>
  messages: Pick<MainLog, 'append'>
  delayRules: DelayRules
  offsets: Pick<ConsumerOffsets, 'get' | 'commit'>
  /** IP (4 or 16 bytes) and a 4-byte port. */
  host: Uint8Array
  clock: Clock
  log: Log
}

/**
 * Transactions of this broker. A half message is open until its outcome is stored: for a commit the message
 * itself in its own topic, and in any case a note in the op queue. What is stored is what Apache 5.3.3 stores.
 */
export class Transactions {
  readonly #parts: TransactionsParts
  readonly #ended: EndedHalves
  /** Op messages that name halves which are not all below the lowest open one, oldest first. */
  readonly #ops: { offset: number; highest: number }[] = []
  readonly #loaded: Promise<OpenHalves>
  /** Halves from before this run: their commit may be stored, and the note of it lost. */
  readonly #firstOwn: number
  #open: OpenHalves | null = null
  /** By the offset of the half: its outcome is being stored. */
  readonly #ending = new Map<number, Promise<void>>()
  /** Who waits until dispatch has told of a half. */
  #awaiting: { offset: number; resolve: () => void }[] = []

  constructor(parts: TransactionsParts) {
    this.#parts = parts
    const { messages, host, clock, log } = parts
    this.#ended = new EndedHalves({
      messages,
      host,
      log,
      now: () => clock.now(),
      onStored: (op) => this.#onStored(op),
    })
    this.#firstOwn = parts.halves.max()
    this.#loaded = this.#load()
  }

  /** Dispatch may have moved the half queue. Whether there are open ones, as far as is known. */
  onWake(): boolean {
    const { halves } = this.#parts
    halves.watch()
    const max = halves.max() // after it is watched
    this.#open?.extend(max)
    this.#letGo(max)
    return this.#open === null || this.#open.size > 0
  }

  /** Those whose outcome nobody is storing, oldest first. */
  async open(): Promise<OpenHalf[]> {
    const open = await this.#loaded
    open.dropBelow(this.#parts.halves.min())
    this.onWake()
    return [...open].filter(({ isEnding }) => !isEnding)
  }

  /** Null: it cannot be read (any more). */
  async halfAt(offset: number): Promise<Half | null> {
    const { halves, messageOf } = this.#parts
    if (offset < halves.min() || offset >= halves.max()) return null
    const unit = halves.unitAt(offset)
    const bytes = unit === null ? null : await messageOf(unit)
    return bytes === null ? null : { ...decodeMessage(bytes), text: storedProperties(bytes) }
  }

  /** Stores the outcome, once. Throws ResponseError when it does not name an open half message. */
  async end(end: End): Promise<void> {
    const { commitOrRollback: outcome } = end
    const isCommit = outcome === TransactionOutcome.COMMIT
    if (!isCommit && outcome !== TransactionOutcome.ROLLBACK) return // not known yet: it will be asked
    const half = await this.#checkedHalf(end)
    await this.finish(half, isCommit ? () => this.#commit(half) : null)
  }

  /**
   * Ends an open half message, once: `store`, if any, keeps what becomes of it. Rejects when that fails.
   * Whoever comes second waits for what the first has begun: an OK says that the outcome is stored.
   */
  async finish(half: Half, store: (() => Promise<unknown>) | null): Promise<void> {
    const { queueOffset } = half
    const open = await this.#loaded
    open.extend(this.#parts.halves.max())
    if (open.claim(queueOffset)) this.#ending.set(queueOffset, this.#store(half, store, open))
    await this.#ending.get(queueOffset) // nothing: its outcome is stored
  }

  async #store(
    { queueOffset }: Half,
    store: (() => Promise<unknown>) | null,
    open: OpenHalves,
  ): Promise<void> {
    try {
      // What is stored tells the next run enough; of a rollback only the note does.
      await (store === null ? this.#ended.addAndWait(queueOffset) : store())
      open.ended(queueOffset)
      if (store !== null) this.#ended.add(queueOffset)
      this.#saveProgress(open)
    } catch (error) {
      open.reopen(queueOffset)
      throw error
    } finally {
      this.#ending.delete(queueOffset)
    }
  }

  async close(): Promise<void> {
    await this.#ended.close()
  }

  /** Reads on from where the last run was done. */
  async #load(): Promise<OpenHalves> {
    const { halves, ops, offsets } = this.#parts
    const open = new OpenHalves(beginOf(halves, offsets.get(GROUP, HALF_TOPIC, 0)))
    open.extend(halves.max())
    const begin = beginOf(ops, offsets.get(GROUP, HALF_OP_TOPIC, 0))
    for (let offset = begin; offset < ops.max(); offset++) {
      const ended = await this.#opAt(offset)
      for (const each of ended) open.ended(each)
      this.#addOp({ offset, highest: Math.max(-1, ...ended) })
    }
    this.#open = open
    this.#saveProgress(open)
    return open
  }

  /** One that cannot be read leaves its halves open: their producers are asked. */
  async #opAt(offset: number): Promise<number[]> {
    try {
      const unit = this.#parts.ops.unitAt(offset)
      const bytes = unit === null ? null : await this.#parts.messageOf(unit)
      return bytes === null ? [] : offsetsIn(decodeMessage(bytes).body)
    } catch (error) {
      this.#parts.log.error({ offset, error: String(error) }, 'an op message cannot be read')
      return []
    }
  }

  /**
   * Apache 5.3.3, EndTransactionProcessor: group, offset and position must be those of the half message.
   * Only the half queue says what is one: bytes that look so may stand in the body of any message.
   */
  async #checkedHalf(end: End): Promise<Half> {
    const { tranStateTableOffset: offset, commitLogOffset: position } = end
    await this.#untilDispatched(offset)
    const half = await this.#halfOrNull(offset)
    if (half === null || half.topic !== HALF_TOPIC || half.position !== position) {
      throw new ResponseError('SYSTEM_ERROR', 'Find prepared transaction message failed')
    }
    if (half.properties.get(MessageProperty.PGROUP) !== end.producerGroup) {
      throw new ResponseError('SYSTEM_ERROR', 'The producer group wrong')
    }
    return half
  }

  async #halfOrNull(offset: number): Promise<Half | null> {
    try {
      return await this.halfAt(offset)
    } catch (error) {
      if (error instanceof MessageError) return null
      throw error
    }
  }

  /** It is stored, and dispatch is about to say so; anything else is not waited for. */
  async #untilDispatched(offset: number): Promise<void> {
    const { halves } = this.#parts
    if (offset < halves.max() || offset >= halves.next()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => this.#letGo(offset + 1), DISPATCH_MS) // and those before it
    this.#awaiting.push({ offset, resolve })
    if (this.#awaiting.length === 1) this.onWake() // it may have come meanwhile
    await promise
    clearTimeout(timer)
  }

  /** Dispatch naps under load: whoever waits for it ends that. */
  #letGo(max: number): void {
    if (this.#awaiting.length === 0) return
    for (const { offset, resolve } of this.#awaiting) if (offset < max) resolve()
    this.#awaiting = this.#awaiting.filter(({ offset }) => offset >= max)
    if (this.#awaiting.length > 0) this.#parts.hurry()
  }

  async #commit(half: Half): Promise<void> {
    if (half.queueOffset < this.#firstOwn && (await this.#parts.isCommitted(half))) return
    const { messages, delayRules, clock } = this.#parts
    await messages.append(parkDelayed(committed(half), delayRules, clock.now()))
  }

  #onStored(op: { offset: number; highest: number }): void {
    this.#addOp(op)
    if (this.#open !== null) this.#saveProgress(this.#open)
  }

  /** Beyond a number of them, two neighbours become one that is done with when both are. */
  #addOp(op: { offset: number; highest: number }): void {
    this.#ops.push(op)
    if (this.#ops.length <= OPS_MAX) return
    const pairs = this.#ops.splice(0)
    for (let nth = 0; nth < pairs.length; nth += 2) {
      const [first, second = first] = pairs.slice(nth, nth + 2)
      const highest = Math.max(first!.highest, second!.highest)
      this.#ops.push({ offset: second!.offset, highest })
    }
  }

  /** An op message is done with when all halves it names lie below the lowest open one. */
  #saveProgress({ lowest }: OpenHalves): void {
    const { offsets } = this.#parts
    offsets.commit(GROUP, HALF_TOPIC, 0, lowest)
    const kept = this.#ops.findIndex(({ highest }) => highest >= lowest)
    const done = this.#ops.splice(0, kept === -1 ? this.#ops.length : kept).at(-1)
    if (done !== undefined) offsets.commit(GROUP, HALF_OP_TOPIC, 0, done.offset + 1)
  }
}

/** The message of a half message, as it is delivered. Apache leaves TRAN_MSG and REAL_* in the properties. */
function committed(half: Half): MessageDraft {
  const { properties, position, sysFlag } = half
  const topic = properties.get(MessageProperty.REAL_TOPIC) ?? ''
  const queueId = Number(properties.get(MessageProperty.REAL_QID))
  const draft = draftOf(half, { topic, queueId }, half.text)
  draft.sysFlag = (sysFlag & ~MessageFlag.TRANSACTION_ROLLBACK) | MessageFlag.TRANSACTION_COMMIT
  draft.preparedTransactionOffset = position
  return draft
}

/** Where the last run was done; within what the queue has, which after a power failure may be less. */
function beginOf(queue: WaitingQueue, known: number | null): number {
  return Math.min(Math.max(known ?? 0, queue.min()), queue.max())
}
