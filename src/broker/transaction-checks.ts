import { randomInt } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Peer } from '../net/handlers.ts'
import type { Log } from '../log/log.ts'
import { encodeMessage } from '../protocol/message-encoder.ts'
import type { StoredMessage } from '../protocol/message.ts'
import { encodeOffsetMessageId } from '../protocol/message-id.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { CommandFlag, requestCommand } from '../protocol/remoting-command.ts'
import { CheckTransactionState } from '../protocol/requests/transaction.ts'
import type { OpenHalf } from './open-halves.ts'
import type { Transactions } from './transactions.ts'

/** Producers are asked about so many transactions in one round; the rest waits for the next. */
const ROUND_MAX = 5000

export interface TransactionChecksParts {
  transactions: Transactions
  /** The connected producers of a group. */
  producers: (group: string) => readonly Peer[]
  /** Keeps a message whose producers could not say in all tries. */
  keepAside: (half: StoredMessage) => Promise<unknown>
  brokerName: string
  /** transactionTimeOut, transactionCheckInterval in ms; transactionCheckMax. */
  settings: { timeOutMs: number; intervalMs: number; max: number }
  clock: Clock
  log: Log
}

/** Asks producers what became of transactions that have been open for too long. Sleeps while none is open. */
export class TransactionChecks {
  readonly #parts: TransactionChecksParts
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(parts: TransactionChecksParts) {
    this.#parts = parts
  }

  /** There are open transactions, or there may be. */
  begin(): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => void this.#round(), this.#parts.settings.intervalMs)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  async #round(): Promise<void> {
    try {
      const open = await this.#parts.transactions.open()
      for (const half of open.slice(0, ROUND_MAX)) await this.#check(half)
      this.#timer = undefined
      if (open.length > 0) this.begin()
    } catch (error) {
      this.#parts.log.error({ error: String(error) }, 'open transactions could not be checked')
      this.#timer = undefined
      this.begin()
    }
  }

  async #check(half: OpenHalf): Promise<void> {
    const { transactions, keepAside, settings, log } = this.#parts
    const message = await transactions.halfAt(half.offset)
    if (message === null || this.#isYoung(message)) return
    if (half.checks >= settings.max) {
      const group = message.properties.get(MessageProperty.PGROUP)
      log.warn({ group, offset: half.offset }, 'nobody says what became of a transaction')
      await transactions.finish(message, () => keepAside(message))
      return
    }
    if (this.#ask(message)) half.checks++
  }

  #isYoung({ bornTimestamp, properties }: StoredMessage): boolean {
    const seconds = Number(properties.get(MessageProperty.CHECK_IMMUNITY_TIME_IN_SECONDS))
    const immuneMs = seconds > 0 ? seconds * 1000 : this.#parts.settings.timeOutMs
    return this.#parts.clock.now() - bornTimestamp < immuneMs
  }

  /** False: no producer of the group is connected. */
  #ask(half: StoredMessage): boolean {
    const { PGROUP, UNIQ_KEY, REAL_TOPIC, REAL_QID } = MessageProperty
    const { properties, storeHost, position, queueOffset } = half
    const producers = this.#parts.producers(properties.get(PGROUP) ?? '')
    if (producers.length === 0) return false
    const topic = properties.get(REAL_TOPIC) ?? ''
    const id = properties.get(UNIQ_KEY)
    const header = CheckTransactionState.encodeHeader({
      topic,
      tranStateTableOffset: queueOffset,
      commitLogOffset: position,
      msgId: id,
      transactionId: id,
      offsetMsgId: encodeOffsetMessageId({ storeHost, position }),
      brokerName: this.#parts.brokerName,
    })
    const body = encodeMessage({ ...half, topic, queueId: Number(properties.get(REAL_QID)) })
    const command = requestCommand(CheckTransactionState.code, header, body)
    command.flag |= CommandFlag.ONEWAY
    producers[randomInt(producers.length)]!.send(command)
    return true
  }
}
