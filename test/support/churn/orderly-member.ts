import { setTimeout as pause } from 'node:timers/promises'
import { LockBatchReply, LockBatchBody } from '../../../src/protocol/bodies/message-queue.ts'
import { LockBatchMq, UnlockBatchMq } from '../../../src/protocol/requests/client.ts'
import { QueryConsumerOffset, UpdateConsumerOffset } from '../../../src/protocol/requests/offset.ts'
import { PullMessage } from '../../../src/protocol/requests/pull.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { messagesOf, pullHeader } from '../messages.ts'
import { RawClient } from '../raw-client.ts'
import type { ChurnLedger } from './churn-ledger.ts'

const IDLE_MS = 20

export interface OrderlyPlace {
  port: number
  topic: string
  queues: number
  group: string
  brokerName: string
}

/** Consumes in order, as far as it gets the locks, until it is told to leave or its broker is gone. */
export class OrderlyMember {
  readonly done: Promise<void>
  readonly #place: OrderlyPlace
  readonly #clientId: string
  readonly #ledger: ChurnLedger
  readonly #life: number
  #isLeaving = false

  constructor(place: OrderlyPlace, clientId: string, ledger: ChurnLedger) {
    this.#place = place
    this.#clientId = clientId
    this.#ledger = ledger
    this.#life = ledger.life
    this.done = this.#run()
  }

  /** Gives its locks back. */
  async leave(): Promise<void> {
    this.#isLeaving = true
    await this.done
  }

  async #run(): Promise<void> {
    const client = await RawClient.connect(this.#place.port).catch(() => null)
    if (client === null) return
    try {
      while (!this.#isLeaving) if ((await this.#round(client)) === 0) await pause(IDLE_MS)
      await client.ask(UnlockBatchMq, {}, { body: this.#queues() })
    } catch (error) {
      if (!client.isClosed) throw error // the broker was killed: its locks are gone with it
    } finally {
      client.close()
    }
  }

  /** Returns how many messages it consumed. */
  async #round(client: RawClient): Promise<number> {
    const { body } = await client.ask(LockBatchMq, {}, { body: this.#queues() })
    let count = 0
    for (const { queueId } of LockBatchReply.decode(body).lockOKMQSet) {
      count += await this.#consume(client, queueId)
    }
    return count
  }

  async #consume(client: RawClient, queueId: number): Promise<number> {
    const { topic, group: consumerGroup } = this.#place
    const place = { consumerGroup, topic, queueId }
    const known = await client.ask(QueryConsumerOffset, { ...place, setZeroIfNotFound: true })
    const queueOffset = known.code === 0 ? known.reply.offset! : 0
    const pull = await client.ask(PullMessage, pullHeader(topic, { ...place, queueOffset }))
    if (pull.code !== ResponseCode.SUCCESS) return 0
    const messages = messagesOf(pull)
    // A broker that was killed meanwhile has lost the lock: what it answered before is nobody's any more.
    if (this.#life !== this.#ledger.life) return 0
    for (const { queueOffset: offset, body } of messages) {
      this.#ledger.takeInOrder(topic, queueId, offset, Buffer.from(body).toString())
    }
    const commitOffset = queueOffset + messages.length
    const { code } = await client.ask(UpdateConsumerOffset, { ...place, commitOffset })
    if (code !== 0) throw new Error(`a commit was answered ${code}`)
    return messages.length
  }

  #queues(): Buffer {
    const { topic, queues, group, brokerName } = this.#place
    const mqSet = Array.from({ length: queues }, (_, queueId) => ({ topic, brokerName, queueId }))
    const body = { consumerGroup: group, clientId: this.#clientId, onlyThisBroker: false, mqSet }
    return Buffer.from(LockBatchBody.encode(body))
  }
}
