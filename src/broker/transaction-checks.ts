import { randomInt } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Peer } from '../net/handlers.ts'
import { fewProblems, type Report } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import { encodeMessage } from '../protocol/message-encoder.ts'
import { encodeOffsetMessageId } from '../protocol/message-id.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { CommandFlag, requestCommand } from '../protocol/remoting-command.ts'
import { CheckTransactionState } from '../protocol/requests/transaction.ts'
import type { OpenHalf } from './open-halves.ts'
import type { Half, Transactions } from './transactions.ts'

/** Producers are asked about so many transactions in one round; the rest waits for the next. */
const ROUND_MAX = 5000

export interface TransactionChecksParts {
  transactions: Transactions
  /** The connected producers of a group. */
  producers: (group: string) => readonly Peer[]
  /** Keeps a message whose producers could not say in all tries. */
  keepAside: (half: Half) => Promise<unknown>
  brokerName: string
  /** transactionTimeOut, transactionCheckInterval in ms; transactionCheckMax. */
  settings: { timeOutMs: number; intervalMs: number; max: number }
  clock: Clock
  log: Log
}

/** Asks producers what became of transactions that have been open for too long. Sleeps while none is open. */
export class TransactionChecks {
  readonly #parts: TransactionChecksParts
  readonly #report: Report
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  /** The first that was not looked at in the last round. */
  #next = 0

  constructor(parts: TransactionChecksParts) {
    this.#parts = parts
    const { log, clock } = parts
    const report: Report = (problem, error) => log.warn({ error: String(error) }, problem)
    this.#report = fewProblems(report, () => clock.now())
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
      for (const half of this.#inTurn(open)) await this.#checkOne(half)
      this.#timer = undefined
      if (open.length > 0) this.begin()
    } catch (error) {
      this.#report('open transactions could not be checked', error)
      this.#timer = undefined
      this.begin()
    }
  }

  /** Going on where the last round ended: those whose producers are gone must not hold up the others. */
  #inTurn(open: readonly OpenHalf[]): OpenHalf[] {
    const from = Math.max(
      0,
      open.findIndex(({ offset }) => offset >= this.#next),
    )
    const round = [...open.slice(from), ...open.slice(0, from)].slice(0, ROUND_MAX)
    this.#next = (round.at(-1)?.offset ?? -1) + 1
    return round
  }

  /** One that makes trouble is not to keep the others from being asked about. */
  async #checkOne(half: OpenHalf): Promise<void> {
    try {
      await this.#check(half)
    } catch (error) {
      half.checks++
      this.#report(`the transaction at ${half.offset} could not be checked`, error)
    }
  }

  async #check(half: OpenHalf): Promise<void> {
    const { transactions, keepAside, settings } = this.#parts
    const message = await transactions.halfAt(half.offset)
    if (message === null || this.#isYoung(message)) return
    if (half.checks >= settings.max) {
      const group = message.properties.get(MessageProperty.PGROUP)
      this.#report(`nobody says what became of the transaction at ${half.offset}`, group)
      await transactions.finish(message, () => keepAside(message))
      return
    }
    half.checks++ // also when nobody of the group is there, as with Apache
    this.#ask(message)
  }

  /** Its birth by its producer's clock, but not after it came here. */
  #isYoung({ bornTimestamp, storeTimestamp, properties }: Half): boolean {
    const seconds = Number(properties.get(MessageProperty.CHECK_IMMUNITY_TIME_IN_SECONDS))
    const immuneMs = seconds > 0 ? seconds * 1000 : this.#parts.settings.timeOutMs
    return this.#parts.clock.now() - Math.min(bornTimestamp, storeTimestamp) < immuneMs
  }

  #ask(half: Half): void {
    const { PGROUP, UNIQ_KEY, REAL_TOPIC, REAL_QID } = MessageProperty
    const { properties, storeHost, position, queueOffset } = half
    const producers = this.#parts.producers(properties.get(PGROUP) ?? '')
    if (producers.length === 0) return
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
  }
}
