import { encodeProperties } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { SendReplyMessageV2 } from '../protocol/requests/reply.ts'
import type { SendHeader, SendReply } from '../protocol/requests/send.ts'
import { SendBatchMessage, SendMessageV2 } from '../protocol/requests/send.ts'
import { RecallMessage } from '../protocol/requests/timer.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'
import type { Parcel } from './parcel.ts'
import { REPLY_TYPE } from './reply.ts'
import { TEMPLATE_TOPIC } from './routes.ts'
import type { SendResult, SendStatus } from './send-result.ts'

/** Stored, but not as safely as the broker is configured to. */
const STORED: Exclude<SendStatus, 'SEND_OK'>[] = [
  'FLUSH_DISK_TIMEOUT',
  'FLUSH_SLAVE_TIMEOUT',
  'SLAVE_NOT_AVAILABLE',
]

/** A parcel that a broker has stored. */
export interface StoredParcel {
  readonly parcel: Parcel
  readonly result: SendResult
  readonly reply: SendReply
  /** When it was sent, in ms. */
  readonly startedAt: number
}

/** Sends on behalf of one producer group. */
export class Sender {
  readonly #cluster: Cluster
  readonly #group: string
  readonly #onStored: (stored: StoredParcel) => void

  /** `onStored` hears of every parcel, after the broker has answered for it. */
  constructor(
    cluster: Cluster,
    group: string,
    onStored: (stored: StoredParcel) => void = () => {},
  ) {
    this.#cluster = cluster
    this.#group = group
    this.#onStored = onStored
  }

  /**
   * Throws ResponseError when nothing was stored; with TimeoutError and ConnectionError nobody
   * knows.
   */
  async send(parcel: Parcel, queue: MessageQueue, timeoutMs: number): Promise<SendResult> {
    const startedAt = this.#cluster.clock.now()
    const { header: reply, response } = await this.#cluster.call(
      queue,
      specOf(parcel),
      this.#header(parcel, queue),
      { body: parcel.body, timeoutMs, accept: STORED },
    )
    const result = sendResult(parcel, queue, reply, response.code)
    this.#onStored({ parcel, result, reply, startedAt })
    return result
  }

  /** Returns the id of the message. Throws as `send` does. */
  async recall(queue: MessageQueue, recallHandle: string, timeoutMs: number): Promise<string> {
    const { topic, brokerName } = queue
    const request = { producerGroup: this.#group, topic, recallHandle, brokerName }
    const { header } = await this.#cluster.call(queue, RecallMessage, request, { timeoutMs })
    return header.msgId
  }

  async sendOneway(parcel: Parcel, queue: MessageQueue): Promise<void> {
    const header = this.#header(parcel, queue)
    await this.#cluster.oneway(queue, specOf(parcel), header, parcel.body)
  }

  #header(parcel: Parcel, queue: MessageQueue): SendHeader {
    const { topic, sysFlag, flag, properties, isBatch, retry } = parcel
    return {
      producerGroup: this.#group,
      topic,
      defaultTopic: TEMPLATE_TOPIC,
      defaultTopicQueueNums: this.#cluster.defaultTopicQueueNums,
      queueId: queue.queueId,
      sysFlag,
      bornTimestamp: this.#cluster.clock.now(),
      flag,
      properties: encodeProperties(properties),
      reconsumeTimes: retry?.reconsumeTimes ?? 0,
      maxReconsumeTimes: retry?.maxReconsumeTimes,
      unitMode: false,
      batch: isBatch,
      brokerName: queue.brokerName,
    }
  }
}

function specOf({ isBatch, properties }: Parcel) {
  if (properties.get(MessageProperty.MSG_TYPE) === REPLY_TYPE) return SendReplyMessageV2
  return isBatch ? SendBatchMessage : SendMessageV2
}

function sendResult(
  parcel: Parcel,
  queue: MessageQueue,
  reply: SendReply,
  code: number,
): SendResult {
  return {
    status: STORED.find((status) => ResponseCode[status] === code) ?? 'SEND_OK',
    msgId: parcel.msgId,
    offsetMsgId: reply.msgId,
    queue: { ...queue, queueId: reply.queueId },
    queueOffset: reply.queueOffset,
    transactionId: reply.transactionId,
    recallHandle: reply.recallHandle,
  }
}
