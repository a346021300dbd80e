import type { MessageQueue } from './message-queue.ts'

/** The message is stored in all of them; those but SEND_OK say what it did not wait for. */
export type SendStatus =
  | 'SEND_OK'
  | 'FLUSH_DISK_TIMEOUT'
  | 'FLUSH_SLAVE_TIMEOUT'
  | 'SLAVE_NOT_AVAILABLE'

export interface SendResult {
  readonly status: SendStatus
  /**
   * The producer's id of the message, its UNIQ_KEY property. Of a batch: all of them, with commas
   * between.
   */
  readonly msgId: string
  /** The broker's: its address and the position in its log. */
  readonly offsetMsgId: string
  readonly queue: MessageQueue
  /** Of a batch: of its first message. */
  readonly queueOffset: number
  readonly transactionId?: string
  /** By which a message that waits for its time can be called back. */
  readonly recallHandle?: string
}
