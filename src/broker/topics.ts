import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { LightTopics } from './light-topics.ts'
import type { Metadata } from './metadata.ts'
import type { MetadataFiles } from './metadata-files.ts'
import { MetadataTable } from './metadata-table.ts'
import type { QueueStore } from './queue-store.ts'
import {
  type Identity,
  isSystemTopic,
  Permission,
  systemTopicNames,
  systemTopics,
  topicConfig,
} from './system-topics.ts'
import {
  checkTopicName,
  RETRY_PREFIX,
  RETRY_TOPIC_LENGTH_MAX,
  SCHEDULE_TOPIC,
  SELF_TEST_TOPIC,
  retryTopic,
  shown,
  TEMPLATE_TOPIC,
} from './topic-names.ts'

/** A send to a topic that is not there. */
export interface TopicDemand {
  topic: string
  /** The topic to take permission and queue count from: `defaultTopic` of the request. */
  template: string
  /** How many queues the client would like: `defaultTopicQueueNums` of the request. */
  queueCount: number
  topicSysFlag: number
}

/** The retry topic of a group, as its consumers need it. */
export interface RetryDemand {
  group: string
  queueCount: number
  order: boolean
  topicSysFlag: number
}

export interface TopicsParts {
  files: MetadataFiles
  store: QueueStore
  metadata: Metadata
  light: LightTopics
  identity: Identity
  clock: Clock
}

/**
 * The topics of this broker. A change is durable, known to the store, to every worker and to the name
 * servers that can be reached, before its promise resolves: who creates a topic may send to it at
 * once. It rejects with JournalError when the disk refused it.
 */
export class Topics {
  readonly #table: MetadataTable<TopicConfig>
  readonly #parts: TopicsParts
  readonly #systemNames: ReadonlySet<string>
  /** Tells the name servers of a change; resolves when they know it, or are not to be waited for. */
  announce: () => Promise<void> = async () => {}
  /** It was deleted, with its queues. */
  onRemoved: (topic: string) => void = () => {}

  constructor(parts: TopicsParts) {
    const { files, clock, identity } = parts
    const file = { name: 'topics', member: 'topicConfigTable' }
    this.#table = new MetadataTable({ ...file, body: TopicConfig, files, clock })
    this.#parts = parts
    this.#systemNames = systemTopicNames(identity)
  }

  get dataVersion(): DataVersion {
    return this.#table.version
  }

  /** Those of light queues, which are none of `all`. */
  get light(): LightTopics {
    return this.#parts.light
  }

  /** By name, live. */
  get all(): ReadonlyMap<string, TopicConfig> {
    return this.#table.all
  }

  get systemNames(): ReadonlySet<string> {
    return this.#systemNames
  }

  get(name: string): TopicConfig | undefined {
    return this.#table.get(name) ?? this.light.get(name)
  }

  isSystem(name: string): boolean {
    return isSystemTopic(this.#systemNames, name)
  }

  /** Reads the last run's topics, adds the system topics that are missing, and publishes them all. */
  async load(): Promise<void> {
    await this.#table.load()
    for (const topic of systemTopics(this.#parts.identity)) {
      const { topicName: name, writeQueueNums: count } = topic
      // There may be more delay levels than in the last run.
      const willDo = (known: TopicConfig) =>
        name !== SCHEDULE_TOPIC || known.writeQueueNums >= count
      this.#table.addMissing(name, topic, willDo)
    }
    for (const topic of this.all.values()) this.#publish(topic)
    this.light.load((name) => this.all.has(name))
  }

  /** Creates the topic or replaces its settings. What is the same already is no change. */
  put(topic: TopicConfig): Promise<void> {
    if (this.#isLight(topic.topicName)) return this.light.ensure([topic.topicName])
    return this.#table.inOrder(topic.topicName, () => this.#put(topic))
  }

  /** As if a topic had changed: of the same version, name servers keep what they have. */
  async announceAnew(): Promise<void> {
    const topic = this.get(SELF_TEST_TOPIC)!
    await this.#table.inOrder(topic.topicName, () => {
      const saved = this.#table.set(topic.topicName, topic)
      return this.#commit(saved, () => undefined)
    })
  }

  /** Creates the topic unless there is one of that name. */
  async ensure(topic: TopicConfig): Promise<TopicConfig> {
    const { topicName } = topic
    if (this.#isLight(topicName)) {
      await this.light.ensure([topicName])
      return this.get(topicName)!
    }
    return (
      this.#table.settled(topicName) ??
      this.#table.inOrder(topicName, async () => {
        const known = this.get(topicName)
        if (known === undefined) await this.#put(topic)
        return known ?? topic
      })
    )
  }

  /** Deletes the topic with its queues. False when there was none. */
  delete(name: string): Promise<boolean> {
    return this.#table.inOrder(name, async () => {
      if (this.#isLight(name)) return this.light.delete(name)
      if (this.get(name) === undefined) return false
      const { metadata, store } = this.#parts
      store.beginRemoval(name) // first: a kill in between must not give its messages to a new topic of that name
      await this.#commit(this.#table.delete(name), () => metadata.removeTopic(name))
      await store.removeTopic(name)
      this.onRemoved(name)
      return true
    })
  }

  /** What a send to an unknown topic leads to. Throws TOPIC_NOT_EXIST or INVALID_PARAMETER. */
  async createOnSend(demand: TopicDemand): Promise<TopicConfig> {
    checkTopicName(demand.topic)
    if (this.#isLight(demand.topic))
      return this.ensure(topicConfig(demand.topic, 1, Permission.READ_WRITE))
    return this.ensure(this.#fromTemplate(demand))
  }

  /** The group's retry topic; null when the group's name is too long for one. */
  async ensureRetryTopic(demand: RetryDemand): Promise<TopicConfig | null> {
    const name = retryTopic(demand.group)
    if (name.length > RETRY_TOPIC_LENGTH_MAX) return null
    const { order, topicSysFlag, queueCount } = demand
    const topic = topicConfig(name, queueCount, Permission.READ_WRITE)
    return this.ensure({ ...topic, order, topicSysFlag })
  }

  /** Sets `order` on those of the topics that exist; name servers say which have an order in their KV table. */
  async markOrdered(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      const topic = this.get(name)
      if (topic !== undefined && !topic.order) await this.put({ ...topic, order: true })
    }
  }

  /** Whether a topic of this name is that of a light queue: one that is in the table already is not. */
  #isLight(name: string): boolean {
    return this.light.isOurs(name) && !this.all.has(name)
  }

  #fromTemplate({ topic, template, queueCount, topicSysFlag }: TopicDemand): TopicConfig {
    const pattern = this.#inheritable(template)
    if (pattern !== undefined) {
      const count = Math.max(1, Math.min(queueCount, pattern.writeQueueNums))
      const config = topicConfig(topic, count, pattern.perm & ~Permission.INHERIT)
      return { ...config, topicSysFlag, topicFilterType: pattern.topicFilterType }
    }
    if (!topic.startsWith(RETRY_PREFIX)) throw this.#notExist(topic, template)
    return { ...topicConfig(topic, 1, Permission.READ_WRITE), topicSysFlag }
  }

  /** The template topic, if it may be one. */
  #inheritable(template: string): TopicConfig | undefined {
    if (template === TEMPLATE_TOPIC && !this.#parts.identity.autoCreateTopicEnable) return undefined
    const pattern = this.get(template)
    return pattern !== undefined && (pattern.perm & Permission.INHERIT) !== 0 ? pattern : undefined
  }

  #notExist(topic: string, template: string): ResponseError {
    const why = this.#parts.identity.autoCreateTopicEnable
      ? `its template topic[${shown(template)}] is none`
      : 'autoCreateTopicEnable is false'
    const remark = `topic[${topic}] not exist, apply first please! It was not created because ${why}.`
    return new ResponseError('TOPIC_NOT_EXIST', remark)
  }

  async #put(topic: TopicConfig): Promise<void> {
    const known = this.get(topic.topicName)
    if (known !== undefined && TopicConfig.write(known) === TopicConfig.write(topic)) return
    this.#ensureQueues(topic) // first: it may refuse
    const saved = this.#table.set(topic.topicName, topic)
    await this.#commit(saved, () => this.#parts.metadata.publishTopic(topic))
  }

  /** Publishes even what could not be saved: memory, workers and the answer must not disagree for long. */
  async #commit(saved: Promise<void>, publish: () => void): Promise<void> {
    try {
      await saved
    } finally {
      publish()
    }
    await Promise.all([this.#parts.metadata.applied(), this.announce()])
  }

  #publish(topic: TopicConfig): void {
    this.#ensureQueues(topic)
    this.#parts.metadata.publishTopic(topic)
  }

  #ensureQueues({ topicName, readQueueNums, writeQueueNums }: TopicConfig): void {
    this.#parts.store.ensureQueues(topicName, Math.max(readQueueNums, writeQueueNums))
  }
}
