import type { Metadata } from '../../src/broker/metadata.ts'
import type { SubscriptionData } from '../../src/protocol/bodies/heartbeat.ts'
import type { SubscriptionGroupConfig } from '../../src/protocol/bodies/subscription-group.ts'
import type { TopicConfig } from '../../src/protocol/bodies/topic-config.ts'

/** What a worker would know that has applied everything at once. */
export class MemoryMetadata implements Metadata {
  readonly topics = new Map<string, TopicConfig>()
  readonly groups = new Map<string, SubscriptionGroupConfig>()
  readonly subscriptions = new Map<string, readonly SubscriptionData[]>()
  readonly resets = new Map<string, readonly string[]>()
  published = 0

  publishTopic(config: TopicConfig): void {
    this.published++
    this.topics.set(config.topicName, config)
  }

  removeTopic(name: string): void {
    this.published++
    this.topics.delete(name)
  }

  publishGroup(config: SubscriptionGroupConfig): void {
    this.published++
    this.groups.set(config.groupName, config)
  }

  removeGroup(name: string): void {
    this.published++
    this.groups.delete(name)
  }

  publishSubscriptions(group: string, subscriptions: readonly SubscriptionData[]): void {
    this.published++
    if (subscriptions.length > 0) this.subscriptions.set(group, subscriptions)
    else this.subscriptions.delete(group)
  }

  publishResets(group: string, queues: readonly string[]): void {
    this.published++
    if (queues.length > 0) this.resets.set(group, queues)
    else this.resets.delete(group)
  }

  applied(): Promise<void> {
    return Promise.resolve()
  }
}
