import { encodeBatch } from '../../src/protocol/batch-body.ts'
import type { RemotingCommand } from '../../src/protocol/remoting-command.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendBatchMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess } from './broker-process.ts'
import { bodyOf, type Ledger } from './ledger.ts'
import { holdingPull, messagesOf, properties, sendHeader } from './messages.ts'
import type { Random } from '../sim/random.ts'
import type { RawClient } from './raw-client.ts'

const PRODUCERS = 6
const IN_FLIGHT = 24
const BATCH_MAX = 5
/** Codes with which a message is stored (Apache 5.3.3). */
const STORED: readonly number[] = [ResponseCode.SUCCESS, ResponseCode.FLUSH_DISK_TIMEOUT]

export interface CrashLoadParts {
  topic: string
  queues: number
  ledger: Ledger
  random: Random
}

/** Producers and a consumer per queue, which go on until their broker is gone. */
export class CrashLoad {
  readonly #parts: CrashLoadParts
  /** Sequence numbers go on from broker to broker: nothing is sent twice. */
  readonly #nextSequence: number[] = Array.from({ length: PRODUCERS }, () => 0)
  readonly #nextOffset: number[]
  #acknowledged = 0
  #refused = 0
  #target = Infinity
  #onTarget: () => void = () => undefined

  constructor(parts: CrashLoadParts) {
    this.#parts = parts
    this.#nextOffset = Array.from({ length: parts.queues }, () => 0)
  }

  /** Sends that were answered with an error, such as a busy broker: nothing is known of them. */
  get refused(): number {
    return this.#refused
  }

  /** Resolves when so many further messages are acknowledged; the load goes on until `broker` ends. */
  async run(broker: ServerProcess, count: number): Promise<{ stopped: Promise<void> }> {
    this.#target = this.#acknowledged + count
    const reached = new Promise<void>((resolve) => (this.#onTarget = resolve))
    const producers = this.#nextSequence.map((_, producer) => this.#produce(broker, producer))
    const consumers = this.#nextOffset.map((_, queueId) => this.#consume(broker, queueId))
    const stopped = Promise.all([...producers, ...consumers]).then(() => undefined)
    await Promise.race([reached, stopped])
    return { stopped }
  }

  /** Whatever was in flight when the connection ended stays unknown. */
  async #produce(broker: ServerProcess, producer: number): Promise<void> {
    const client = await broker.connect().catch(() => null)
    if (client === null) return
    const lanes = Array.from({ length: IN_FLIGHT }, async () => {
      while (!client.isClosed) await this.#sendOne(client, producer).catch(() => undefined)
    })
    await Promise.all(lanes)
  }

  async #sendOne(client: RawClient, producer: number): Promise<void> {
    const { random, queues, topic } = this.#parts
    const queueId = random.below(queues)
    const count = random.below(10) === 0 ? 2 + random.below(BATCH_MAX - 1) : 1
    const sequence = this.#nextSequence[producer]!
    this.#nextSequence[producer] = sequence + count
    const sent = Array.from({ length: count }, (_, nth) => ({ producer, sequence: sequence + nth }))
    const header = sendHeader(topic, { queueId, properties: uniqueKey(producer, sequence) })
    const answer =
      count === 1
        ? await client.ask(SendMessageV2, header, { body: bodyOf(sent[0]!) })
        : await client.ask(SendBatchMessage, header, { body: encodeBatch(sent.map(toItem)) })
    this.#note(answer, (offset) => {
      for (const [nth, each] of sent.entries()) {
        this.#parts.ledger.acknowledge(queueId, offset + nth, each)
      }
    })
  }

  #note({ code, extFields }: RemotingCommand, acknowledge: (offset: number) => void): void {
    if (!STORED.includes(code)) {
      this.#refused++
      return
    }
    acknowledge(Number(extFields!.get('queueOffset')))
    if (++this.#acknowledged >= this.#target) this.#onTarget()
  }

  async #consume(broker: ServerProcess, queueId: number): Promise<void> {
    const client = await broker.connect().catch(() => null)
    if (client === null) return
    const { topic, ledger } = this.#parts
    while (!client.isClosed) {
      const pull = holdingPull(topic, { queueId, queueOffset: this.#nextOffset[queueId]! })
      const answer = await client.ask(PullMessage, pull).catch(() => null)
      if (answer === null) return
      for (const message of messagesOf(answer)) ledger.see(message)
      this.#nextOffset[queueId] = answer.reply.nextBeginOffset ?? this.#nextOffset[queueId]!
    }
  }
}

function uniqueKey(producer: number, sequence: number): string {
  return properties({ UNIQ_KEY: `${producer}-${sequence}` })
}

function toItem(sent: { producer: number; sequence: number }) {
  const { producer, sequence } = sent
  return { flag: 0, body: bodyOf(sent), properties: uniqueKey(producer, sequence) }
}
