import { encodeOffsetMessageId } from '../protocol/message-id.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { MessageFlag, hostText, type StoredMessage } from '../protocol/message.ts'
import { decompressBody } from './message-body.ts'
import type { MessageQueue } from './message-queue.ts'

/** What a consumer is given. */
export class ReceivedMessage {
  /** As it lies at the broker, but for the properties that were added on the way. */
  readonly stored: StoredMessage
  readonly brokerName: string
  /** Of a message that is consumed again: the topic it was first sent to. */
  readonly topic: string
  /** How often it was consumed in vain. */
  readonly reconsumeTimes: number
  #body: Uint8Array | undefined

  constructor(stored: StoredMessage, brokerName: string, reconsumeTimes = stored.reconsumeTimes) {
    this.stored = stored
    this.brokerName = brokerName
    this.topic = originalTopic(stored)
    this.reconsumeTimes = reconsumeTimes
  }

  /**
   * Throws when it is compressed and cannot be read: a listener fails then, and the message takes
   * that way.
   */
  get body(): Uint8Array {
    return (this.#body ??= plainBody(this.stored))
  }

  /** The same message, for another try without the broker. */
  again(): ReceivedMessage {
    return new ReceivedMessage(this.stored, this.brokerName, this.reconsumeTimes + 1)
  }

  /** The queue it was pulled from: of a message that is consumed again, one of the retry topic. */
  get queue(): MessageQueue {
    const { topic, queueId } = this.stored
    return { topic, brokerName: this.brokerName, queueId }
  }

  get queueOffset(): number {
    return this.stored.queueOffset
  }

  /** The producer's id, else the broker's. */
  get msgId(): string {
    return this.properties.get(MessageProperty.UNIQ_KEY) ?? this.offsetMsgId
  }

  /** The broker's address and the position in its log. */
  get offsetMsgId(): string {
    return encodeOffsetMessageId(this.stored)
  }

  get tags(): string | undefined {
    return this.properties.get(MessageProperty.TAGS)
  }

  get keys(): string[] {
    return this.properties.get(MessageProperty.KEYS)?.split(' ') ?? []
  }

  get properties(): ReadonlyMap<string, string> {
    return this.stored.properties
  }

  /** `ip:port` of the producer. */
  get bornHost(): string {
    return hostText(this.stored.bornHost)
  }

  get bornTimestamp(): number {
    return this.stored.bornTimestamp
  }

  /** `ip:port` of the broker. */
  get storeHost(): string {
    return hostText(this.stored.storeHost)
  }

  get storeTimestamp(): number {
    return this.stored.storeTimestamp
  }
}

function plainBody({ body, sysFlag }: StoredMessage): Uint8Array {
  return (sysFlag & MessageFlag.COMPRESSED) === 0 ? body : decompressBody(body, sysFlag)
}

function originalTopic({ topic, properties }: StoredMessage): string {
  if (!topic.startsWith('%RETRY%')) return topic
  return properties.get(MessageProperty.RETRY_TOPIC) ?? topic
}
