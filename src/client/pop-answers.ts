import { poppedTopic, readReceipt, receiptText } from '../protocol/pop-receipt.ts'
import { AckMessage, ChangeMessageInvisibleTime } from '../protocol/requests/pop.ts'
import type { Cluster } from './cluster.ts'
import { receiptHeader, type PoppedMessage } from './pop.ts'
import type { ReceivedMessage } from './received-message.ts'

/** Seconds until a message that failed comes again, by its tries (Apache 5.3.3, popDelayLevel). */
const AGAIN_S = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200]

/** In how many ms a message that failed is to come again. `delayLevel` 0: by its tries, else that entry. */
export function againMs({ reconsumeTimes }: ReceivedMessage, delayLevel = 0): number {
  const level = delayLevel === 0 ? reconsumeTimes : delayLevel
  return AGAIN_S[Math.min(level, AGAIN_S.length - 1)]! * 1000
}

/** What one group says to brokers of messages that it popped. */
export class PopAnswers {
  readonly #cluster: Cluster
  readonly #group: string

  constructor(cluster: Cluster, group: string) {
    this.#cluster = cluster
    this.#group = group
  }

  /** It is consumed. Rejects with ResponseError when it came too late: the message comes again. */
  async ack({ message, receipt }: PoppedMessage): Promise<void> {
    await this.#cluster.call(brokerOf(message), AckMessage, this.#header(message, receipt))
  }

  /** It comes again after so long from now on; resolves to what is to be acknowledged instead. */
  async changeInvisibleTime(popped: PoppedMessage, invisibleMs: number): Promise<PoppedMessage> {
    const { message, receipt } = popped
    const request = { ...this.#header(message, receipt), invisibleTime: invisibleMs }
    const at = brokerOf(message)
    const { header } = await this.#cluster.call(at, ChangeMessageInvisibleTime, request)
    const { popTime, invisibleTime, reviveQid: reviveQueueId } = header
    const read = readReceipt(receipt)!
    const next = { ...read, startOffset: read.queueOffset, popTime, invisibleTime, reviveQueueId }
    return { message, receipt: receiptText(next), visibleAt: popTime + invisibleTime }
  }

  /**
   * Of messages that the subscription does not want: they would come again and again otherwise, as Apache's client
   * sees it, too.
   */
  passOver(popped: PoppedMessage): void {
    const { msgId } = popped.message
    this.ack(popped).catch((error: unknown) => {
      const problem = `message ${msgId}, which is not wanted, comes again`
      this.#cluster.background.report(problem, error)
    })
  }

  /** Acks name the topic that the message lies in: of one that came again, the retry topic. */
  #header({ topic }: ReceivedMessage, receipt: string) {
    const flag = readReceipt(receipt)?.retryFlag ?? ''
    return receiptHeader(this.#group, poppedTopic(topic, this.#group, flag), receipt)
  }
}

function brokerOf({ topic, brokerName }: ReceivedMessage) {
  return { topic, brokerName }
}
