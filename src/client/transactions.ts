import type { Call, Handlers } from '../net/handlers.ts'
import { decodeOffsetMessageId } from '../protocol/message-id.ts'
import { decodeMessage, MessageFlag } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { CommandFlag, requestCommand } from '../protocol/remoting-command.ts'
import type { HeaderOf } from '../protocol/request.ts'
import {
  CheckTransactionState,
  EndTransaction,
  TransactionOutcome,
} from '../protocol/requests/transaction.ts'
import { ClientError } from './client-error.ts'
import type { Cluster } from './cluster.ts'
import { ListenerPool } from './listener-pool.ts'
import type { OutgoingMessage } from './message.ts'
import { DELAYS, messageParcel, type Parcel } from './parcel.ts'
import { ReceivedMessage } from './received-message.ts'
import type { SendResult } from './send-result.ts'
import { traceEnded } from './traced-messages.ts'
import type { Traces } from './traces.ts'

/**
 * What became of a transaction. COMMIT: the message is delivered. ROLLBACK: it never is. UNKNOWN: the broker
 * asks (`checkTransaction`) some time later, and again, 15 times unless it is configured otherwise.
 */
export type TransactionState = keyof typeof TransactionOutcome

/** Does what the message is to tell of, once its half is stored. An error thrown is UNKNOWN. */
export type LocalTransaction = (half: SendResult) => TransactionState | Promise<TransactionState>

/** Says what became of a transaction, of this producer or of another of its group. An error thrown is UNKNOWN. */
export type TransactionCheck = (
  message: ReceivedMessage,
) => TransactionState | Promise<TransactionState>

export interface TransactionResult extends SendResult {
  /** What the broker was told. */
  readonly state: TransactionState
  /** What the local transaction threw. */
  readonly failure?: unknown
}

interface TransactionsParts {
  readonly cluster: Cluster
  readonly group: string
  readonly check: TransactionCheck
  readonly traces: Traces | null
}

type EndHeader = HeaderOf<typeof EndTransaction>
type CheckHeader = HeaderOf<typeof CheckTransactionState>

/** Questions that run, and that wait; brokers ask again (Apache 5.3.3, checkRequestHoldMax). */
const CONCURRENCY = 20
const WAITING_MAX = 2000

/** The transactions of one producer: their second halves, and what brokers ask about them. */
export class Transactions {
  readonly #parts: TransactionsParts
  readonly #pool = new ListenerPool(CONCURRENCY)
  #asked = 0

  constructor(parts: TransactionsParts) {
    this.#parts = parts
  }

  /** Runs the local transaction and tells the broker. That may get lost: then the broker asks. */
  async finish(
    half: Parcel,
    answer: SendResult,
    execute: LocalTransaction,
  ): Promise<TransactionResult> {
    const { cluster } = this.#parts
    const sent = { ...answer, transactionId: answer.transactionId ?? answer.msgId }
    const { state, failure } = await outcomeOf(sent, execute)
    try {
      await cluster.oneway(sent.queue, EndTransaction, this.#end(sent, state))
      const storeHost = await cluster.addressOf(sent.queue)
      this.#trace({ ...half, transactionId: sent.transactionId, storeHost, state, isCheck: false })
    } catch (error) {
      cluster.background.report(`the end of transaction ${sent.msgId} cannot be sent`, error)
    }
    return failure === undefined ? { ...sent, state } : { ...sent, state, failure }
  }

  serve(handlers: Handlers): void {
    handlers.on(CheckTransactionState, (header, call) => this.#onCheck(header, call))
  }

  /** Questions that wait are not answered any more: another producer of the group is asked. */
  close(): void {
    this.#pool.clear()
  }

  #end(sent: SendResult, state: TransactionState): EndHeader {
    const { topic, brokerName } = sent.queue
    return {
      producerGroup: this.#parts.group,
      topic,
      tranStateTableOffset: sent.queueOffset,
      commitLogOffset: decodeOffsetMessageId(sent.offsetMsgId).position,
      commitOrRollback: TransactionOutcome[state],
      fromTransactionCheck: false,
      msgId: sent.msgId,
      transactionId: sent.transactionId,
      brokerName,
    }
  }

  /** Never throws: the question is one-way, so nobody would hear of it. */
  #onCheck(header: CheckHeader, call: Call): void {
    const { cluster, group } = this.#parts
    try {
      const stored = decodeMessage(call.request.body ?? new Uint8Array(0))
      const message = new ReceivedMessage(stored, header.brokerName ?? '')
      const asked = message.properties.get(MessageProperty.PGROUP)
      if (asked !== group) throw new ClientError(`it is of group ${asked}, not ${group}`)
      if (this.#asked === WAITING_MAX) throw new ClientError(`${WAITING_MAX} wait for an answer`)
      this.#asked++
      this.#pool.submit(() => this.#answer(header, message, call))
    } catch (error) {
      cluster.background.report('a question about a transaction is not answered', error)
    }
  }

  async #answer(header: CheckHeader, message: ReceivedMessage, { peer }: Call): Promise<void> {
    const state = await this.#stateOf(message)
    this.#asked--
    const { topic, tranStateTableOffset, commitLogOffset, transactionId, brokerName } = header
    const end = EndTransaction.encodeHeader({
      producerGroup: this.#parts.group,
      topic,
      tranStateTableOffset,
      commitLogOffset,
      commitOrRollback: TransactionOutcome[state],
      fromTransactionCheck: true,
      msgId: message.msgId,
      transactionId,
      brokerName,
    })
    const command = requestCommand(EndTransaction.code, end)
    peer.send({ ...command, flag: command.flag | CommandFlag.ONEWAY })
    const { msgId, properties } = message
    const facts = { topic: message.topic, msgId, properties, transactionId, state }
    this.#trace({ ...facts, storeHost: peer.address, isCheck: true })
  }

  async #stateOf(message: ReceivedMessage): Promise<TransactionState> {
    try {
      return checked(await this.#parts.check(message))
    } catch (error) {
      const problem = `the check of transaction ${message.msgId} failed`
      this.#parts.cluster.background.report(problem, error)
      return 'UNKNOWN'
    }
  }

  #trace(ended: Parameters<typeof traceEnded>[1]): void {
    const { cluster, traces, group } = this.#parts
    if (traces !== null) traceEnded({ cluster, traces, group }, ended)
  }
}

/**
 * The half that is stored, and delivered to nobody yet. `immunitySeconds`: the broker does not ask sooner.
 * Throws ClientError when the message is to wait for a time: brokers would not.
 */
export async function halfParcel(
  message: OutgoingMessage,
  group: string,
  immunitySeconds?: number,
): Promise<Parcel> {
  const { TRAN_MSG, PGROUP, CHECK_IMMUNITY_TIME_IN_SECONDS } = MessageProperty
  const { topic } = message
  const properties = new Map(message.properties).set(TRAN_MSG, 'true').set(PGROUP, group)
  const delay = DELAYS.find((name) => properties.has(name))
  if (delay !== undefined) {
    throw new ClientError(`topic ${topic}: ${delay} with a transaction, it can be one of the two`)
  }
  if (immunitySeconds !== undefined) {
    properties.set(CHECK_IMMUNITY_TIME_IN_SECONDS, String(immunitySeconds))
  }
  const parcel = await messageParcel({ ...message, properties })
  return { ...parcel, sysFlag: parcel.sysFlag | MessageFlag.TRANSACTION_PREPARED }
}

/** A half that is not as safe as the broker is configured to is no ground to act on (as in Apache 5.3.3). */
async function outcomeOf(
  sent: SendResult,
  execute: LocalTransaction,
): Promise<{ state: TransactionState; failure?: unknown }> {
  if (sent.status !== 'SEND_OK') return { state: 'ROLLBACK' }
  try {
    return { state: checked(await execute(sent)) }
  } catch (failure) {
    return { state: 'UNKNOWN', failure }
  }
}

/** Programs without types can return anything. */
function checked(state: TransactionState): TransactionState {
  if (Object.hasOwn(TransactionOutcome, state)) return state
  const allowed = Object.keys(TransactionOutcome).join(', ')
  throw new ClientError(`a transaction ended in ${String(state)}: it must be one of ${allowed}`)
}
