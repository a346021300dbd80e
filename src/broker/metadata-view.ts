import { ByteTable } from '../base/byte-table.ts'
import type { MetadataChange, TopicChange } from './metadata-change.ts'
import { parseTags, type TagFilter } from './tag-filter.ts'

/** One group's wish for one topic, from its last heartbeat. */
export interface SubscriptionView {
  expressionType: string
  subVersion: number
  filter: TagFilter
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

  apply(change: MetadataChange): void {
    switch (change.kind) {
      case 'topic':
        this.topics.set(change.topic, change)
        return
      case 'topicGone':
        this.topics.delete(change.topic)
        return
      case 'group':
        this.#groupOf(change.group).consumeEnable = change.consumeEnable
        return
      case 'groupGone':
        this.groups.delete(change.group)
        return
      case 'subscriptions':
        this.#setSubscriptions(change)
    }
  }

  rowsOf(topic: string): readonly number[] {
    const key = Buffer.from(topic)
    return this.topics.get(key, 0, key.length)?.rows ?? []
  }

  #groupOf(group: string): GroupView {
    const key = Buffer.from(group)
    let view = this.groups.get(key, 0, key.length)
    if (view === undefined) {
      view = { group, consumeEnable: true, subscriptions: null }
      this.groups.set(group, view)
    }
    return view
  }

  #setSubscriptions(change: Extract<MetadataChange, { kind: 'subscriptions' }>): void {
    const view = this.#groupOf(change.group)
    if (change.subscriptions.length === 0) {
      view.subscriptions = null
      return
    }
    view.subscriptions = new Map(
      change.subscriptions.map(({ topic, expressionType, subVersion, subString, codeSet }) => {
        const filter = codeSet.length > 0 ? new Set(codeSet) : parseTags(subString)
        return [topic, { expressionType, subVersion, filter }]
      }),
    )
  }
}
