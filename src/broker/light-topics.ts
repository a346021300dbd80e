import { isLightQueue } from '../protocol/light-queues.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Metadata } from './metadata.ts'
import type { QueueStore } from './queue-store.ts'
import { Permission, topicConfig } from './system-topics.ts'
import { checkTopicName } from './topic-names.ts'

export interface LightTopicsParts {
  store: QueueStore
  metadata: Metadata
  settings: { enableLmq: boolean; maxLmqConsumeQueueNum: number }
}

/**
 * Topics of light queues (Apache's LMQ). They are in no file and known to no name server: there is one as long
 * as it has a queue, all have the same settings, and one that never had a message is gone after a restart.
 */
export class LightTopics {
  readonly #parts: LightTopicsParts
  readonly #known = new Map<string, TopicConfig>()

  constructor(parts: LightTopicsParts) {
    this.#parts = parts
  }

  /** Whether a topic of this name is one of these, there or not. */
  isOurs(name: string): boolean {
    return this.#parts.settings.enableLmq && isLightQueue(name)
  }

  get(name: string): TopicConfig | undefined {
    return this.#known.get(name)
  }

  /** Those that the store has, but for names that are topics of another kind. */
  load(isTaken: (name: string) => boolean): void {
    for (const name of this.#parts.store.storedTopics()) {
      if (this.isOurs(name) && !isTaken(name)) this.#add(name)
    }
  }

  /** Makes those that are missing, all or none. Every worker knows them when it resolves. Rejects with ResponseError. */
  async ensure(names: readonly string[]): Promise<void> {
    const missing = names.filter((name) => !this.#known.has(name))
    this.#checkRoom(missing)
    for (const name of missing) this.#add(name)
    await this.#parts.metadata.applied()
  }

  /** There is such a queue, and dispatch will know it before it sees a message of it. @throws ResponseError */
  ensureNow(name: string): void {
    if (this.#known.has(name)) return
    this.#checkRoom([name])
    this.#add(name)
    void this.#parts.metadata.applied() // tells the threads now, not at the end of the turn
  }

  /** False when there was none. Its queue goes, too. */
  async delete(name: string): Promise<boolean> {
    if (!this.#known.delete(name)) return false
    const { store, metadata } = this.#parts
    store.beginRemoval(name)
    metadata.removeTopic(name)
    await store.removeTopic(name)
    return true
  }

  #add(name: string): void {
    const { store, metadata } = this.#parts
    const topic = topicConfig(name, 1, Permission.READ_WRITE)
    store.ensureQueues(name, 1) // first: it may refuse
    this.#known.set(name, topic)
    metadata.publishTopic(topic)
  }

  #checkRoom(missing: readonly string[]): void {
    const { maxLmqConsumeQueueNum: max } = this.#parts.settings
    for (const name of missing) checkTopicName(name)
    if (this.#known.size + missing.length <= max) return
    const why = `[LMQ_CONSUME_QUEUE_NUM_EXCEEDED]there are ${this.#known.size} light queues, maxLmqConsumeQueueNum=${max} are allowed`
    throw new ResponseError('SYSTEM_ERROR', why)
  }
}
