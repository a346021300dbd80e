import { ByteTable } from '../base/byte-table.ts'
import type { SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import type { MetadataChange, TopicChange } from './metadata-change.ts'
import { parseTags, type TagFilter } from './tag-filter.ts'

/** One group's wish for one topic, from its last heartbeat. */
export interface SubscriptionView {
  expressionType: string
  subVersion: number
  /** With tags. */
  tags: TagFilter
  /** As it was sent; a condition on properties is compiled by the first pull with it. */
  expression: string
}

export interface GroupView {
  group: string
  consumeEnable: boolean
  /** Null until a consumer of the group has sent a heartbeat. */
  subscriptions: Map<string, SubscriptionView> | null
}

/** A network worker's copy of topics, groups and subscriptions, by the bytes of their names. */
export class MetadataView {
  readonly topics = new ByteTable<TopicChange>()
  readonly groups = new ByteTable<GroupView>()
  /** By group; also of groups that are not there. */
  readonly #subscriptions = new Map<string, Map<string, SubscriptionView>>()

  apply(change: MetadataChange): void {
    switch (change.kind) {
      case 'topic':
        this.topics.set(change.topic, change)
        return
      case 'topicGone':
        this.topics.delete(change.topic)
        return
      case 'group':
        this.#setGroup(change)
        return
      case 'groupGone':
        this.groups.delete(change.group)
        return
      case 'resets': // the worker keeps those apart: see ResetQueues
        return
      case 'subscriptions':
        this.#setSubscriptions(change)
    }
  }

  rowsOf(topic: string): readonly number[] {
    const key = Buffer.from(topic)
    return this.topics.get(key, 0, key.length)?.rows ?? []
  }

  #setGroup({ group, consumeEnable }: Extract<MetadataChange, { kind: 'group' }>): void {
    const view = this.#viewOf(group)
    if (view !== undefined) view.consumeEnable = consumeEnable
    else {
      const subscriptions = this.#subscriptions.get(group) ?? null
      this.groups.set(group, { group, consumeEnable, subscriptions })
    }
  }

  /** Consumers of a group may be there before the group is, or after it was deleted. */
  #setSubscriptions(change: Extract<MetadataChange, { kind: 'subscriptions' }>): void {
    const { group } = change
    const views = viewsOf(change.subscriptions)
    if (views === null) this.#subscriptions.delete(group)
    else this.#subscriptions.set(group, views)
    const view = this.#viewOf(group)
    if (view !== undefined) view.subscriptions = views
  }

  #viewOf(group: string): GroupView | undefined {
    const key = Buffer.from(group)
    return this.groups.get(key, 0, key.length)
  }
}

function viewsOf(subscriptions: readonly SubscriptionData[]): GroupView['subscriptions'] {
  if (subscriptions.length === 0) return null
  return new Map(
    subscriptions.map(({ topic, expressionType, subVersion, subString, codeSet }) => {
      const tags = codeSet.length > 0 ? new Set(codeSet) : parseTags(subString)
      return [topic, { expressionType, subVersion, tags, expression: subString }]
    }),
  )
}
