import type { TopicQueueMappingInfo } from '../protocol/bodies/topic-queue-mapping.ts'
import type { QueueData } from '../protocol/bodies/topic-route.ts'

/** Bits of `perm`. Source: Apache 5.3.3, PermName. */
export const Permission = { READ: 4, WRITE: 2, INHERIT: 1 } as const

/** Distinct queue descriptions that are kept to be shared: brokers use a handful. */
const SHARED_MAX = 10_000

/** Queue descriptions without their broker's name. */
export type QueueShape = Omit<QueueData, 'brokerName'>

/**
 * The queues of every topic, by broker name. Fifty thousand topics on one broker look alike but for
 * their names, so equal descriptions are one frozen object.
 */
export class TopicQueues {
  readonly #topics = new Map<string, readonly QueueData[]>()
  readonly #mappings = new Map<string, Map<string, TopicQueueMappingInfo>>()
  readonly #shared = new Map<string, QueueData>()

  get count(): number {
    return this.#topics.size
  }

  names(): IterableIterator<string> {
    return this.#topics.keys()
  }

  entries(): IterableIterator<[string, readonly QueueData[]]> {
    return this.#topics.entries()
  }

  /** Empty for a topic unknown. */
  queues(topic: string): readonly QueueData[] {
    return this.#topics.get(topic) ?? []
  }

  mappings(topic: string): Map<string, TopicQueueMappingInfo> | undefined {
    return this.#mappings.get(topic)
  }

  has(topic: string, brokerName: string): boolean {
    return this.queues(topic).some((queues) => queues.brokerName === brokerName)
  }

  /** True when something has changed. */
  set(topic: string, brokerName: string, shape: QueueShape): boolean {
    const queues = this.#share(brokerName, shape)
    const before = this.queues(topic)
    if (before.includes(queues)) return false
    const others = before.filter((each) => each.brokerName !== brokerName)
    this.#topics.set(topic, [...others, queues])
    return true
  }

  setMapping(topic: string, mapping: TopicQueueMappingInfo): void {
    const mappings = this.#mappings.get(topic) ?? new Map<string, TopicQueueMappingInfo>()
    this.#mappings.set(topic, mappings.set(mapping.bname, mapping))
  }

  removeTopic(topic: string): void {
    this.#topics.delete(topic)
    this.#mappings.delete(topic)
  }

  /** Takes a broker's queues out of a topic; without any the topic is gone. */
  remove(topic: string, brokerName: string): void {
    const left = this.queues(topic).filter((each) => each.brokerName !== brokerName)
    if (left.length === 0) return this.removeTopic(topic)
    this.#topics.set(topic, left)
    this.#mappings.get(topic)?.delete(brokerName)
  }

  removeBroker(brokerName: string): void {
    for (const topic of this.topicsOf(brokerName)) this.remove(topic, brokerName)
  }

  topicsOf(brokerName: string): string[] {
    return [...this.#topics.keys()].filter((topic) => this.has(topic, brokerName))
  }

  /** Sets what `change` makes of the permission of each topic of a broker. How many there are. */
  changePermissions(brokerName: string, change: (perm: number) => number): number {
    const topics = this.topicsOf(brokerName)
    for (const topic of topics) {
      const queues = this.queues(topic).find((each) => each.brokerName === brokerName)!
      this.set(topic, brokerName, { ...queues, perm: change(queues.perm) })
    }
    return topics.length
  }

  #share(brokerName: string, shape: QueueShape): QueueData {
    const { perm, readQueueNums, writeQueueNums, topicSysFlag } = shape
    const key = `${perm} ${readQueueNums} ${writeQueueNums} ${topicSysFlag} ${brokerName}`
    const known = this.#shared.get(key)
    if (known !== undefined) return known
    if (this.#shared.size >= SHARED_MAX) this.#shared.clear()
    const queues = Object.freeze({ brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums })
    this.#shared.set(key, queues)
    return queues
  }
}
