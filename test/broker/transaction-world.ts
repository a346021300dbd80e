import { crc32 } from 'node:zlib'
import type { WaitingQueue } from '../../src/broker/delay-service.ts'
import type { Stored } from '../../src/broker/main-log.ts'
import type { MessageDraft } from '../../src/broker/message-draft.ts'
import type { OpenHalf } from '../../src/broker/open-halves.ts'
import { HALF_OP_TOPIC, HALF_TOPIC } from '../../src/broker/topic-names.ts'
import { type Half, Transactions } from '../../src/broker/transactions.ts'
import { decodeMessage, decodeProperties, encodeProperties } from '../../src/protocol/message.ts'
import { encodeMessage } from '../../src/protocol/message-encoder.ts'
import { ResponseError } from '../../src/protocol/response-error.ts'
import { MemoryLog } from './memory-log.ts'

const GROUP = 'accounts'
const TOPIC = 'T'
const HOST = Buffer.from('7f00000100002a9f', 'hex')
/** So far apart that no record reaches the next. */
const RECORD_SPAN = 10_000
/** Turns of the event loop within which everything has happened that waits for nobody else. */
const TURNS = 4

interface Entry {
  topic: string
  queueOffset: number
  bytes: Buffer
  written: () => void
}

/** One run of the broker: after a crash what is left of it reaches nothing. */
interface Life {
  transactions: Transactions
  offsets: Map<string, number>
}

/** Where a half message is. */
export interface HalfPlace {
  offset: number
  position: number
}

/** The log and the clients around the transactions of a broker, in memory, which can crash at any point. */
export class TransactionWorld {
  readonly #log: Entry[] = []
  #written = 0
  #dispatched = 0
  /** Consumer offsets as they are on the disk. */
  #saved = new Map<string, number>()
  #refusals = 0
  #life: Life

  constructor() {
    this.#life = this.#open()
  }

  /** A half message that its producer was told is stored. */
  sendHalf(key: string): HalfPlace {
    const text = encodeProperties([
      ['UNIQ_KEY', key],
      ['PGROUP', GROUP],
      ['REAL_TOPIC', TOPIC],
      ['REAL_QID', '0'],
      ['TRAN_MSG', 'true'],
    ])
    const { position, queueOffset } = this.#append(halfDraft(Buffer.from(text)), () => undefined)
    this.write()
    return { offset: queueOffset, position }
  }

  /** As END_TRANSACTION. Never settles when the broker crashes before it has answered. */
  async end({ offset, position }: HalfPlace, commitOrRollback: number): Promise<void> {
    await this.#life.transactions.end({
      producerGroup: GROUP,
      tranStateTableOffset: offset,
      commitLogOffset: position,
      commitOrRollback,
      fromTransactionCheck: false,
    })
  }

  /** The next so many messages of transactions are turned away. */
  refuse(count: number): void {
    this.#refusals = count
  }

  write(): void {
    const before = this.#written
    this.#written = this.#log.length
    for (const { written } of this.#log.slice(before)) written()
  }

  dispatch(): void {
    this.#dispatched = this.#written
    this.#life.transactions.onWake()
  }

  saveOffsets(): void {
    this.#saved = new Map(this.#life.offsets)
  }

  /** kill -9. Of what was being written, the first `kept` records are in the file. */
  crash(kept: number): void {
    this.#log.length = Math.min(this.#log.length, this.#written + kept)
    this.#written = this.#log.length
    this.#dispatched = this.#log.length // recovery reads on to the end
    this.#life = this.#open()
  }

  open(): Promise<OpenHalf[]> {
    return this.#life.transactions.open()
  }

  /** How often the message of this transaction can be read. */
  delivered(key: string): number {
    const isIt = ({ topic, bytes }: Entry): boolean =>
      topic === TOPIC && decodeMessage(bytes).properties.get('UNIQ_KEY') === key
    return this.#log.slice(0, this.#written).filter(isIt).length
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  #open(): Life {
    const offsets = new Map(this.#saved)
    const isAlive = (): boolean => this.#life.offsets === offsets
    const transactions = new Transactions({
      hurry: () => undefined,
      delayRules: {
        messageDelayLevel: '1s 5s',
        timerWheelEnable: true,
        timerPrecisionMs: 1000,
        timerMaxDelaySec: 60,
      },
      halves: this.#queue(HALF_TOPIC),
      ops: this.#queue(HALF_OP_TOPIC),
      messageOf: async ({ position }) => this.#log[position / RECORD_SPAN]?.bytes ?? null,
      isCommitted: async (half) => this.#isCommitted(half),
      messages: { append: (draft) => (isAlive() ? this.#store(draft) : new Promise(() => {})) },
      offsets: {
        get: (_, topic) => offsets.get(topic) ?? null,
        commit: (_, topic, __, offset) => void offsets.set(topic, offset),
      },
      host: HOST,
      clock: { now: () => 0 },
      log: new MemoryLog(),
    })
    return { transactions, offsets }
  }

  #queue(topic: string): WaitingQueue {
    const entries = (end: number): Entry[] =>
      this.#log.slice(0, end).filter((entry) => entry.topic === topic)
    return {
      min: () => 0,
      max: () => entries(this.#dispatched).length,
      next: () => entries(this.#log.length).length,
      unitAt: (offset) => {
        const { bytes } = entries(this.#dispatched)[offset]!
        return { position: decodeMessage(bytes).position, length: bytes.length, tagsCode: 0 }
      },
      watch: () => undefined,
    }
  }

  #store(draft: MessageDraft): Promise<Stored> {
    if (draft.topic === TOPIC && this.#refusals > 0) {
      this.#refusals--
      return Promise.reject(new ResponseError('SYSTEM_BUSY', 'the log takes nothing'))
    }
    return new Promise((resolve) => {
      const stored = this.#append(draft, () => resolve(stored))
    })
  }

  #append(draft: MessageDraft, written: () => void): Stored {
    const { topic, properties, ...rest } = draft
    const queueOffset = this.#log.filter((entry) => entry.topic === topic).length
    const position = this.#log.length * RECORD_SPAN
    const bytes = encodeMessage({
      ...rest,
      topic,
      queueOffset,
      position,
      length: 0,
      bodyCrc: crc32(draft.body),
      storeTimestamp: 0,
      storeHost: HOST,
      properties: decodeProperties(properties.toString()),
    })
    this.#log.push({ topic, queueOffset, bytes, written })
    return { position, end: position + bytes.length, queueOffset, storeTimestamp: 0 }
  }

  #isCommitted({ position }: Half): boolean {
    return this.#log.some(
      ({ topic, bytes }) =>
        topic === TOPIC && decodeMessage(bytes).preparedTransactionOffset === position,
    )
  }
}

function halfDraft(properties: Buffer): MessageDraft {
  return {
    topic: HALF_TOPIC,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    properties,
    body: Buffer.from('body'),
  }
}
