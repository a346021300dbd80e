import { MessageProperty } from '../protocol/message-property.ts'
import { MessageFlag } from '../protocol/message.ts'
import type { Cluster } from './cluster.ts'
import type { Parcel } from './parcel.ts'
import { QueueRotation } from './queue-choice.ts'
import type { ReceivedMessage } from './received-message.ts'
import { Sender } from './send.ts'

/** The group of a client's own sends. */
const SENDING_GROUP = 'CLIENT_INNER_PRODUCER'
const SEND_TIMEOUT_MS = 3000
/** The first try again is as late as that of a message that the broker took back: level 3 is 10 s. */
const FIRST_LEVEL = 3
/** `maxReconsumeTimes` without a limit, as Java writes it. */
const UNLIMITED = 0x7fff_ffff

const { DELAY, MAX_OFFSET, MIN_OFFSET, ORIGIN_MESSAGE_ID, RETRY_TOPIC, TRAN_MSG } = MessageProperty
const { CONSUME_START_TIME, POP_CK } = MessageProperty
/** What counts only where the message came from. */
const OWN = [MIN_OFFSET, MAX_OFFSET, CONSUME_START_TIME, TRAN_MSG, POP_CK]

/**
 * Sends messages to the retry topic of a group again, as copies: what could not be sent back, and what was consumed in
 * order too often in vain, which the broker makes a dead letter (Apache 5.3.3, ConsumeMessageOrderlyService).
 */
export class RetrySender {
  readonly #cluster: Cluster
  readonly #group: string
  readonly #sender: Sender
  readonly #rotation = new QueueRotation()

  constructor(cluster: Cluster, group: string) {
    this.#cluster = cluster
    this.#group = group
    this.#sender = new Sender(cluster, SENDING_GROUP)
  }

  /** Throws as Sender.send does. */
  async send(message: ReceivedMessage, maxReconsumeTimes: number): Promise<void> {
    const { reconsumeTimes } = message
    await this.#send(message, {
      reconsumeTimes,
      maxReconsumeTimes: Math.min(maxReconsumeTimes, UNLIMITED),
    })
  }

  /** It becomes a dead letter, whatever is left of its tries. Throws as Sender.send does. */
  async bury(message: ReceivedMessage): Promise<void> {
    const { reconsumeTimes } = message
    const retry = { reconsumeTimes: reconsumeTimes + 1, maxReconsumeTimes: reconsumeTimes }
    await this.#send(message, retry)
  }

  async #send(message: ReceivedMessage, retry: NonNullable<Parcel['retry']>): Promise<void> {
    const topic = `%RETRY%${this.#group}`
    const { writeQueues } = await this.#cluster.routes.findToSend(topic)
    const parcel = retryParcel(topic, message, retry)
    await this.#sender.send(parcel, this.#rotation.next(topic, writeQueues), SEND_TIMEOUT_MS)
  }
}

function retryParcel(
  topic: string,
  message: ReceivedMessage,
  retry: NonNullable<Parcel['retry']>,
): Parcel {
  const { msgId, reconsumeTimes, stored } = message
  const properties = new Map(stored.properties)
  for (const name of OWN) properties.delete(name)
  if (!properties.has(ORIGIN_MESSAGE_ID)) properties.set(ORIGIN_MESSAGE_ID, msgId)
  properties.set(RETRY_TOPIC, message.topic).set(DELAY, String(FIRST_LEVEL + reconsumeTimes))
  const { body, flag, sysFlag } = stored
  return {
    topic,
    msgId,
    body, // as it is: it may be compressed
    flag,
    properties,
    sysFlag: sysFlag & (MessageFlag.COMPRESSED | MessageFlag.COMPRESSION_MASK),
    isBatch: false,
    retry,
  }
}
