import {
  GetMaxOffset,
  GetMinOffset,
  QueryConsumerOffset,
  SearchOffsetByTimestamp,
  UpdateConsumerOffset,
} from '../protocol/requests/offset.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Cluster } from './cluster.ts'
import type { MessageQueue } from './message-queue.ts'

/** What brokers know of offsets: of their queues, and how far one group has come in them. */
export class GroupOffsets {
  readonly #cluster: Cluster
  readonly #group: string

  constructor(cluster: Cluster, group: string) {
    this.#cluster = cluster
    this.#group = group
  }

  /** Of the oldest message that is still there. */
  async min(queue: MessageQueue): Promise<number> {
    const { header } = await this.#cluster.call(queue, GetMinOffset, idOf(queue))
    return header.offset
  }

  /** That the next message will get. */
  async max(queue: MessageQueue): Promise<number> {
    const request = { ...idOf(queue), committed: true }
    const { header } = await this.#cluster.call(queue, GetMaxOffset, request)
    return header.offset
  }

  /**
   * Of the message stored at a time, in ms since 1970. Of several: the first with LOWER, the last
   * with UPPER.
   */
  async search(
    queue: MessageQueue,
    timestamp: number,
    boundaryType: 'LOWER' | 'UPPER' = 'LOWER',
  ): Promise<number> {
    const request = { ...idOf(queue), timestamp, boundaryType }
    const { header } = await this.#cluster.call(queue, SearchOffsetByTimestamp, request)
    return header.offset
  }

  /**
   * Where the group goes on; null when it never committed. Of a queue whose first message is still
   * in memory, brokers then answer 0: a new group starts at the beginning of a young queue.
   */
  async committed(queue: MessageQueue): Promise<number | null> {
    const request = { consumerGroup: this.#group, ...idOf(queue) }
    try {
      const { header } = await this.#cluster.call(queue, QueryConsumerOffset, request, {
        timeoutMs: 5000,
      })
      return header.offset
    } catch (error) {
      if (error instanceof ResponseError && error.codeName === 'QUERY_NOT_FOUND') return null
      throw error
    }
  }

  /**
   * Resolves when the broker has taken note. `offset`: of the first message that is not consumed.
   */
  async commit(queue: MessageQueue, offset: number): Promise<void> {
    await this.#cluster.call(queue, UpdateConsumerOffset, this.#update(queue, offset))
  }

  /** Resolves when the request is on its way. */
  async commitOneway(queue: MessageQueue, offset: number): Promise<void> {
    await this.#cluster.oneway(queue, UpdateConsumerOffset, this.#update(queue, offset))
  }

  #update(queue: MessageQueue, commitOffset: number) {
    return { consumerGroup: this.#group, ...idOf(queue), commitOffset }
  }
}

function idOf({ topic, queueId }: MessageQueue) {
  return { topic, queueId }
}
