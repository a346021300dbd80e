import type { ConsumerData, SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import type { LanguageCode } from '../protocol/language-code.ts'
import type { Peer } from '../net/handlers.ts'
import { SubscriptionAgreement } from './subscription-agreement.ts'

/** Who speaks over a connection. */
export interface Client {
  peer: Peer
  clientId: string
  language: LanguageCode
  /** Ordinal, see MqVersion. */
  version: number
}

/** A client in one group. */
export interface Member extends Client {
  /** Time of its last heartbeat, in ms. */
  seenAt: number
}

/** What a heartbeat changed in the subscriptions of a group. */
export interface SubscriptionChange {
  /** A topic came or went: the members must share the queues out anew. */
  topics: boolean
  /** That, or another expression for a topic: pulls must know. */
  any: boolean
}

/**
 * The consumers of a group that are connected now, and what they subscribe to. A group is told what
 * it subscribes to by each heartbeat of each member: members that disagree overwrite each other, as
 * with Apache's broker.
 */
export class ConsumerGroup {
  readonly name: string
  consumeType: ConsumerData['consumeType']
  messageModel: ConsumerData['messageModel']
  consumeFromWhere: ConsumerData['consumeFromWhere']
  /** By connection. */
  readonly members = new Map<number, Member>()
  readonly subscriptions = new Map<string, SubscriptionData>()
  /** Whether the members want the same. */
  readonly agreement = new SubscriptionAgreement()
  /** They did not when last looked at. */
  isDivided = false
  /** Moves whenever the subscriptions change. */
  revision = 0
  /** Of the last heartbeat; null before the first, 0 for V1. Only clients know what it is made of. */
  fingerprint: number | null = null

  constructor(data: ConsumerData) {
    this.name = data.groupName
    this.consumeType = data.consumeType
    this.messageModel = data.messageModel
    this.consumeFromWhere = data.consumeFromWhere
  }

  /** Takes the client in, or takes note that it lives. True when it is new. */
  join(client: Client, data: ConsumerData, now: number): boolean {
    this.consumeType = data.consumeType
    this.messageModel = data.messageModel
    this.consumeFromWhere = data.consumeFromWhere
    const known = this.members.get(client.peer.id)
    this.members.set(client.peer.id, Object.assign(known ?? {}, client, { seenAt: now }))
    return known?.clientId !== client.clientId
  }

  /** False: there is no such member. */
  leave(peerId: number): boolean {
    this.agreement.remove(peerId)
    return this.members.delete(peerId)
  }

  /**
   * Makes `list` the subscriptions of the group. Of a topic that it has already, only a newer version
   * counts: an old client must not bring back what a new one replaced.
   */
  subscribe(list: readonly SubscriptionData[]): SubscriptionChange {
    const change = { topics: false, any: false }
    for (const subscription of list) this.#put(subscription, change)
    this.#dropOthers(list, change)
    if (change.any) this.revision++
    return change
  }

  /** Ids of the clients, each once: a client that reconnects has two connections for a moment. */
  clientIds(): string[] {
    return [...new Set([...this.members.values()].map((member) => member.clientId))]
  }

  #put(subscription: SubscriptionData, change: SubscriptionChange): void {
    const known = this.subscriptions.get(subscription.topic)
    if (known !== undefined && known.subVersion >= subscription.subVersion) return
    this.subscriptions.set(subscription.topic, subscription)
    change.any = true
    if (known === undefined) change.topics = true
  }

  #dropOthers(list: readonly SubscriptionData[], change: SubscriptionChange): void {
    const topics = new Set(list.map((subscription) => subscription.topic))
    for (const topic of this.subscriptions.keys()) {
      if (topics.has(topic)) continue
      this.subscriptions.delete(topic)
      change.topics = change.any = true
    }
  }
}
