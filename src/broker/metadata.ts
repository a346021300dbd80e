import type { SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import type { SubscriptionGroupConfig } from '../protocol/bodies/subscription-group.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'

/**
 * What the network workers know of topics, groups and subscriptions, so that they serve sends and
 * pulls by themselves. The broker thread publishes each change; what is published stays as it is,
 * a change is published as a new object.
 */
export interface Metadata {
  publishTopic(config: TopicConfig): void
  removeTopic(name: string): void
  publishGroup(config: SubscriptionGroupConfig): void
  removeGroup(name: string): void
  /** All subscriptions the connected members of a group have; none when the last one left. */
  publishSubscriptions(group: string, subscriptions: readonly SubscriptionData[]): void
  /** All queues in which the group was moved and its consumers do not know yet: `topic@queueId`. */
  publishResets(group: string, queues: readonly string[]): void
  /**
   * Resolves when every worker has applied all that was published before. A handler awaits it before
   * it answers: createTopic then SEND, or HEART_BEAT then PULL, must work from any connection.
   */
  applied(): Promise<void>
}
