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
import type { ConsumerOffsets } from './consumer-offsets.ts'
import type { WaitingQueue } from './delay-service.ts'
import { EndedHalves, offsetsIn } from './ended-halves.ts'
import type { MainLog } from './main-log.ts'
import { draftOf, type MessageDraft, parkDelayed } from './message-draft.ts'
import { type OpenHalf, OpenHalves } from './open-halves.ts'
import { HALF_OP_TOPIC, HALF_TOPIC } from './topic-names.ts'

/** The group whose offsets say how far half and op queue are done with (Apache 5.3.3). */
const GROUP = 'CID_RMQ_SYS_TRANS'

export type End = HeaderOf<typeof EndTransaction>

export interface TransactionsParts {
  halves: WaitingQueue
  ops: WaitingQueue
  messageAt: (position: number) => Promise<Buffer | null>
  /** Whether the outcome of this half message is stored already: asked for those of earlier runs. */
  isCommitted: (half: StoredMessage) => Promise<boolean>
  messages: MainLog
  offsets: ConsumerOffsets
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
    this.#open?.extend(halves.max()) // after it is watched
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
  async halfAt(offset: number): Promise<StoredMessage | null> {
    const unit = this.#parts.halves.unitAt(offset)
    const bytes = unit === null ? null : await this.#parts.messageAt(unit.position)
    return bytes === null ? null : decodeMessage(bytes)
  }

  /** Stores the outcome, once. Throws ResponseError when it does not name an open half message. */
  async end(end: End): Promise<void> {
    const { commitOrRollback: outcome } = end
    const isCommit = outcome === TransactionOutcome.COMMIT
    if (!isCommit && outcome !== TransactionOutcome.ROLLBACK) return // not known yet: it will be asked
    const half = await this.#checkedHalf(end)
    await this.finish(half, isCommit ? () => this.#commit(half) : null)
  }

  /** Nobody can say any more: `store` keeps it elsewhere, if it is to be kept. */
  async finish(half: StoredMessage, store: (() => Promise<unknown>) | null): Promise<void> {
    const { queueOffset } = half
    const open = await this.#loaded
    if (!open.claim(queueOffset)) return // its outcome is stored, or is being stored
    try {
      await store?.()
    } catch (error) {
      open.reopen(queueOffset)
      throw error
    }
    open.ended(queueOffset)
    this.#ended.add(queueOffset)
    this.#saveProgress(open)
  }

  async close(): Promise<void> {
    await this.#ended.close()
  }

  /** Reads on from where the last run was done. */
  async #load(): Promise<OpenHalves> {
    const { halves, ops, offsets } = this.#parts
    const first = Math.max(offsets.get(GROUP, HALF_TOPIC, 0) ?? 0, halves.min())
    const open = new OpenHalves(first)
    open.extend(halves.max())
    const begin = Math.max(offsets.get(GROUP, HALF_OP_TOPIC, 0) ?? 0, ops.min())
    for (let offset = begin; offset < ops.max(); offset++) {
      const ended = await this.#opAt(offset)
      for (const each of ended) open.ended(each)
      this.#ops.push({ offset, highest: Math.max(-1, ...ended) })
    }
    this.#open = open
    return open
  }

  async #opAt(offset: number): Promise<number[]> {
    const unit = this.#parts.ops.unitAt(offset)
    const bytes = unit === null ? null : await this.#parts.messageAt(unit.position)
    return bytes === null ? [] : offsetsIn(decodeMessage(bytes).body)
  }

  /** Apache 5.3.3, EndTransactionProcessor: group, offset and position must be those of the half message. */
  async #checkedHalf(end: End): Promise<StoredMessage> {
    const half = await this.#messageAt(end.commitLogOffset)
    if (half === null || half.topic !== HALF_TOPIC) {
      throw new ResponseError('SYSTEM_ERROR', 'Find prepared transaction message failed')
    }
    if (half.properties.get(MessageProperty.PGROUP) !== end.producerGroup) {
      throw new ResponseError('SYSTEM_ERROR', 'The producer group wrong')
    }
    if (half.queueOffset !== end.tranStateTableOffset) {
      throw new ResponseError('SYSTEM_ERROR', 'The transaction state table offset wrong')
    }
    return half
  }

  async #messageAt(position: number): Promise<StoredMessage | null> {
    try {
      const bytes = await this.#parts.messageAt(position)
      return bytes === null ? null : decodeMessage(bytes)
    } catch (error) {
      if (error instanceof MessageError) return null
      throw error
    }
  }

  async #commit(half: StoredMessage): Promise<void> {
    if (half.queueOffset < this.#firstOwn && (await this.#parts.isCommitted(half))) return
    await this.#parts.messages.append(parkDelayed(committed(half)))
  }

  #onStored(op: { offset: number; highest: number }): void {
    this.#ops.push(op)
    if (this.#open !== null) this.#saveProgress(this.#open)
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
function committed(half: StoredMessage): MessageDraft {
  const { properties, position, sysFlag } = half
  const topic = properties.get(MessageProperty.REAL_TOPIC) ?? ''
  const queueId = Number(properties.get(MessageProperty.REAL_QID))
  const draft = draftOf(half, { topic, queueId }, properties)
  draft.sysFlag = (sysFlag & ~MessageFlag.TRANSACTION_ROLLBACK) | MessageFlag.TRANSACTION_COMMIT
  draft.preparedTransactionOffset = position
  return draft
}
