import type { Clock } from '../base/clock.ts'
import type { Peer } from '../net/handlers.ts'
import type { ConsumerData, HeartbeatData, SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import { CommandFlag, requestCommand } from '../protocol/remoting-command.ts'
import { NotifyConsumerIdsChanged } from '../protocol/requests/client.ts'
import { type Client, ConsumerGroup, type Member } from './consumer-group.ts'
import { MemberNotices } from './member-notices.ts'
import type { Metadata } from './metadata.ts'
import { ProducerChannels } from './producer-channels.ts'
import type { Disagreement } from './subscription-agreement.ts'

/** A longer heartbeat is parsed each time rather than kept to compare with. */
const KEPT_BODY_MAX = 64 * 1024
/** Expired clients are looked for at most this many times while one expires. */
const EXPIRY_STEPS = 12

/** What the answer to a heartbeat says. */
export interface BeatAnswer {
  /** V2: send the next heartbeat with its subscriptions. */
  subscriptionChanged: boolean
}

/** A heartbeat that was taken in, so that the same one again costs nothing. */
interface Beat {
  body: Buffer
  fingerprint: number
  members: Member[]
  groups: { group: ConsumerGroup; revision: number }[]
  /** Of the whole registry when it was taken in. */
  era: number
}

/** What is known of one connection. */
export interface Session {
  readonly peer: Peer
  readonly consumerGroups: Set<string>
  readonly producerGroups: Set<string>
  lastBeat: Beat | null
  isClosed: boolean
}

export interface ClientsParts {
  metadata: Metadata
  clock: Clock
  /** How long a client may be silent, in ms (`channelExpiredTimeout`). */
  expiryMs: number
  /** Whether the members of a group want to hear when one comes or goes. */
  isNotified: (group: string) => boolean
  /** The members of a group want different things; null: they agree again. */
  onDivided: (group: string, disagreement: Disagreement | null) => void
}

/** Who is connected: the producers and consumers of each group, as their heartbeats say. */
export class Clients {
  readonly #metadata: Metadata
  readonly #clock: Clock
  readonly #expiryMs: number
  readonly #isNotified: (group: string) => boolean
  readonly #onDivided: ClientsParts['onDivided']
  readonly #notices = new MemberNotices((group) => this.#notify(group))
  readonly #sessions = new Map<number, Session>()
  readonly #consumers = new Map<string, ConsumerGroup>()
  readonly #producers = new Map<string, Map<number, Member>>()
  readonly #channels = new ProducerChannels()
  #era = 0
  #timer: NodeJS.Timeout | null = null

  constructor({ metadata, clock, expiryMs, isNotified, onDivided }: ClientsParts) {
    this.#metadata = metadata
    this.#clock = clock
    this.#expiryMs = expiryMs
    this.#isNotified = isNotified
    this.#onDivided = onDivided
  }

  /** The connected consumers of a group; null when there are none. */
  consumers(group: string): ConsumerGroup | null {
    return this.#consumers.get(group) ?? null
  }

  /** Groups whose members want different things now. */
  dividedGroups(): string[] {
    const groups = [...this.#consumers.values()]
    return groups.filter(({ isDivided }) => isDivided).map(({ name }) => name)
  }

  /** The connected producers of a group. */
  producers(group: string): Member[] {
    return [...(this.#producers.get(group)?.values() ?? [])]
  }

  producerGroups(): string[] {
    return [...this.#producers.keys()]
  }

  /** Where a producing client is connected, the newest connection; null when it is not. */
  producerChannel(clientId: string): Peer | null {
    return this.#channels.of(clientId)
  }

  /** Groups with connected consumers that subscribe to the topic. */
  subscribers(topic: string): string[] {
    const groups = [...this.#consumers.values()]
    return groups.filter((group) => group.subscriptions.has(topic)).map(({ name }) => name)
  }

  /** The session of a connection. Lasts until `connectionClosed`, which also marks it. */
  session(peer: Peer): Session {
    let session = this.#sessions.get(peer.id)
    if (session !== undefined) return session
    session = {
      peer,
      consumerGroups: new Set(),
      producerGroups: new Set(),
      lastBeat: null,
      isClosed: false,
    }
    this.#sessions.set(peer.id, session)
    return session
  }

  /** Takes a heartbeat that says word for word what the last one said; null when it says anything new. */
  repeat(session: Session, body: Uint8Array): BeatAnswer | null {
    const beat = session.lastBeat
    if (beat === null || beat.era !== this.#era || !beat.body.equals(body)) return null
    if (beat.groups.some(({ group, revision }) => group.revision !== revision)) return null
    const now = this.#clock.now()
    for (const member of beat.members) member.seenAt = now
    return this.#answer(beat, beat.groups)
  }

  /**
   * Takes a heartbeat in for those of its consumer groups that exist. `isWhole` when that is all of
   * them: then the same bytes need not be read again. Workers know new subscriptions once
   * `metadata.applied()` has resolved.
   */
  register(
    client: Client,
    beat: { data: HeartbeatData; body: Uint8Array; isWhole: boolean },
  ): BeatAnswer {
    const session = this.session(client.peer)
    const { data, body, isWhole } = beat
    const { heartbeatFingerprint: fingerprint } = data
    const members: Member[] = []
    const groups = data.consumerDataSet.map((consumer) => {
      const group = this.#registerConsumer(client, consumer, data.withoutSub)
      session.consumerGroups.add(group.name)
      members.push(group.members.get(client.peer.id)!)
      return { group, revision: group.revision }
    })
    for (const { groupName } of data.producerDataSet) {
      session.producerGroups.add(groupName)
      members.push(this.#registerProducer(client, groupName))
    }
    const isKept = isWhole && body.length <= KEPT_BODY_MAX
    const taken = { body: Buffer.from(body), fingerprint, members, groups, era: this.#era }
    session.lastBeat = isKept ? taken : null
    this.#expireLater(this.#expiryMs)
    return this.#answer({ fingerprint }, groups)
  }

  /** The client leaves these groups. */
  unregister(peer: Peer, leaves: { producerGroup?: string; consumerGroup?: string }): void {
    const session = this.#sessions.get(peer.id)
    if (session === undefined) return
    session.lastBeat = null
    if (leaves.producerGroup !== undefined) this.#leaveProducers(session, leaves.producerGroup)
    if (leaves.consumerGroup !== undefined) this.#leaveConsumers(session, leaves.consumerGroup)
  }

  /** The connection is gone, and with it the client in all its groups. */
  connectionClosed(peerId: number): void {
    const session = this.#sessions.get(peerId)
    if (session === undefined) return
    session.isClosed = true
    this.#sessions.delete(peerId)
    for (const group of session.producerGroups) this.#leaveProducers(session, group)
    for (const group of session.consumerGroups) this.#leaveConsumers(session, group)
  }

  /** Every next heartbeat is read anew: a group or retry topic that it made may have been deleted. */
  forgetBeats(): void {
    this.#era++
  }

  close(): void {
    this.#notices.close()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #registerConsumer(client: Client, data: ConsumerData, withoutSub: boolean): ConsumerGroup {
    const known = this.#consumers.get(data.groupName)
    const group = known ?? new ConsumerGroup(data)
    if (known === undefined) this.#consumers.set(group.name, group)
    const isNew = group.join(client, data, this.#clock.now())
    const list = data.subscriptionDataSet
    const change = withoutSub ? null : group.subscribe(list)
    if (!withoutSub) group.agreement.put(client.peer.id, client.clientId, list)
    this.#compare(group)
    if (change?.any) this.#publish(group.name, [...group.subscriptions.values()])
    if (isNew || change?.topics) this.#membersChanged(group)
    return group
  }

  /** Tells when the members of a group begin to want different things, and when that is over. */
  #compare(group: ConsumerGroup): void {
    const disagreement = group.agreement.disagreement()
    if ((disagreement !== null) === group.isDivided) return
    group.isDivided = disagreement !== null
    this.#onDivided(group.name, disagreement)
  }

  #registerProducer(client: Client, group: string): Member {
    let members = this.#producers.get(group)
    if (members === undefined) this.#producers.set(group, (members = new Map<number, Member>()))
    const { id } = client.peer
    const member = Object.assign(members.get(id) ?? {}, client, { seenAt: this.#clock.now() })
    members.set(id, member)
    this.#channels.add(client.clientId, client.peer)
    return member
  }

  #leaveProducers(session: Session, group: string): void {
    session.producerGroups.delete(group)
    if (session.producerGroups.size === 0) this.#channels.remove(session.peer.id)
    const members = this.#producers.get(group)
    members?.delete(session.peer.id)
    if (members?.size === 0) this.#producers.delete(group)
  }

  #leaveConsumers(session: Session, name: string): void {
    session.consumerGroups.delete(name)
    const group = this.#consumers.get(name)
    if (!group?.leave(session.peer.id)) return
    this.#compare(group)
    if (group.members.size > 0) return this.#membersChanged(group)
    this.#consumers.delete(name)
    this.#publish(name, [])
  }

  #publish(group: string, subscriptions: SubscriptionData[]): void {
    this.#metadata.publishSubscriptions(group, subscriptions)
  }

  #membersChanged(group: ConsumerGroup): void {
    // Each member of a broadcast group has all queues: there is nothing to share out.
    if (group.messageModel !== 'BROADCASTING' && this.#isNotified(group.name)) {
      this.#notices.changed(group.name)
    }
  }

  #notify(name: string): void {
    const group = this.#consumers.get(name)
    if (group === undefined) return
    const header = NotifyConsumerIdsChanged.encodeHeader({ consumerGroup: name })
    const command = requestCommand(NotifyConsumerIdsChanged.code, header)
    command.flag = CommandFlag.ONEWAY
    for (const { peer } of group.members.values()) peer.send(command)
  }

  /**
   * V1 clients (fingerprint 0) always send their subscriptions. A V2 client is asked for them when
   * its group last heard another fingerprint, or when nobody has told us any: after a restart we know
   * nothing, and Apache's broker would then refuse its pulls until something else changes.
   */
  #answer({ fingerprint }: { fingerprint: number }, groups: Beat['groups']): BeatAnswer {
    let subscriptionChanged = fingerprint === 0
    for (const { group } of groups) {
      const isOther = group.fingerprint !== null && group.fingerprint !== fingerprint
      if (isOther || group.subscriptions.size === 0) subscriptionChanged = true
      group.fingerprint = fingerprint
    }
    return { subscriptionChanged }
  }

  #expireLater(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#expire()
    }, delayMs)
  }

  /** Drops members that were silent too long, and waits until the next one could be. */
  #expire(): void {
    const deadline = this.#clock.now() - this.#expiryMs
    let oldest = Infinity
    for (const session of this.#sessions.values()) {
      oldest = Math.min(oldest, this.#expireIn(session, deadline))
    }
    if (oldest === Infinity) return
    this.#expireLater(Math.max(oldest - deadline, this.#expiryMs / EXPIRY_STEPS))
  }

  /** When the longest silent of the session's remaining members was last heard of. */
  #expireIn(session: Session, deadline: number): number {
    const times: number[] = []
    let isExpired = false
    for (const { member, leave } of this.#memberships(session)) {
      if (member.seenAt > deadline) {
        times.push(member.seenAt)
      } else {
        isExpired = true
        leave()
      }
    }
    if (isExpired) session.lastBeat = null
    if (isExpired && times.length === 0) session.peer.close('no heartbeat for too long')
    return Math.min(...times)
  }

  #memberships(session: Session): { member: Member; leave: () => void }[] {
    const { id } = session.peer
    const consumers = [...session.consumerGroups].map((name) => ({
      member: this.#consumers.get(name)!.members.get(id)!,
      leave: () => this.#leaveConsumers(session, name),
    }))
    const producers = [...session.producerGroups].map((name) => ({
      member: this.#producers.get(name)!.get(id)!,
      leave: () => this.#leaveProducers(session, name),
    }))
    return [...consumers, ...producers]
  }
}
