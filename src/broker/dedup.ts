import type { Clock } from '../base/clock.ts'
import { fewProblems, type Report } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import type { TopicConfig } from '../protocol/bodies/topic-config.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { DedupWindow, type StoredAt } from './dedup-window.ts'
import { keptKey } from './kept-key.ts'
import type { MainLog } from './main-log.ts'
import type { MessageDraft } from './message-draft.ts'
import { DEDUP_WINDOW, millisOf } from './topic-attributes.ts'

export interface DedupParts {
  messages: Pick<MainLog, 'begin' | 'survives'>
  /** The topic as it is set now: another object after each change. */
  topic: (name: string) => TopicConfig | undefined
  /** Messages of the topic that were stored at or after a time, oldest first, as many as may be kept. */
  storedSince: (topic: TopicConfig, since: number, max: number) => Promise<[string, StoredAt][]>
  /** Most keys that are remembered, of all topics. */
  max: number
  clock: Clock
  log: Log
}

/** One topic, and what is remembered of it. */
interface Remembered {
  readonly config: TopicConfig
  /** Null while it is read. */
  window: DedupWindow | null
  ready: Promise<void>
}

/**
 * Sends to topics with a `dedup.window.ms`: what has the UNIQ_KEY of a message that the topic took
 * within that time is answered as that one was, and is not stored again. All such sends come here, to
 * one thread, so no two of them can miss each other.
 *
 * What is remembered is derived from the topic's queues: it is read there when the first send comes after
 * a start or after a change of the topic. So it survives whatever the messages survive.
 */
export class Dedup {
  readonly #parts: DedupParts
  readonly #report: Report
  readonly #topics = new Map<string, Remembered>()
  /** Messages on their way into the log, by topic and key. */
  readonly #storing = new Map<string, Map<string, Promise<StoredAt>>>()
  #hits = 0

  constructor(parts: DedupParts) {
    this.#parts = parts
    const { log, clock } = parts
    const warn = (problem: string, fields: unknown) => log.warn(fields ?? {}, problem)
    this.#report = fewProblems(warn, () => clock.now())
  }

  /** For GET_BROKER_RUNTIME_INFO; nothing while no topic has a window. */
  *info(): Iterable<readonly [string, string]> {
    if (this.#topics.size === 0) return
    yield ['dedupEntries', String(this.#size())]
    yield ['dedupHits', String(this.#hits)]
  }

  /** Resolves when the message survives, or the first one of its key does. Rejects as MainLog.append does. */
  async store(draft: MessageDraft, key: string): Promise<StoredAt> {
    while (!this.#isReady(draft.topic)) await this.#renewed(draft.topic)
    // From here to the append nothing may come in between: neither another send nor a change of the topic.
    const window = this.#topics.get(draft.topic)?.window ?? null
    const storing =
      window === null ? this.#begin(draft) : this.#storeOnce(draft, keptKey(key), window)
    const stored = await storing
    await this.#parts.messages.survives(stored)
    return stored
  }

  #storeOnce(draft: MessageDraft, key: string, window: DedupWindow): Promise<StoredAt> {
    const storing = this.#storingIn(draft.topic)
    const underWay = storing.get(key)
    const found = window.find(key, this.#parts.clock.now())
    if (underWay !== undefined || found !== null) {
      this.#hits++
      return underWay ?? Promise.resolve(found!)
    }
    const begun = this.#begin(draft)
      .then((stored) => {
        this.#remember(window, key, stored)
        return stored
      })
      .finally(() => storing.delete(key))
    storing.set(key, begun)
    return begun
  }

  async #begin(draft: MessageDraft): Promise<StoredAt> {
    return { ...(await this.#parts.messages.begin(draft)), queueId: draft.queueId }
  }

  #storingIn(topic: string): Map<string, Promise<StoredAt>> {
    let storing = this.#storing.get(topic)
    if (storing === undefined) this.#storing.set(topic, (storing = new Map()))
    return storing
  }

  /** False: what is remembered is of the topic as it was, or not read yet. Throws TOPIC_NOT_EXIST. */
  #isReady(name: string): boolean {
    const config = this.#parts.topic(name)
    const known = this.#topics.get(name)
    if (config === undefined) {
      this.#topics.delete(name)
      this.#storing.delete(name)
      throw new ResponseError('TOPIC_NOT_EXIST', `topic[${name}] not exist`)
    }
    if (known === undefined) return millisOf(config.attributes, DEDUP_WINDOW) === 0
    return known.config === config && known.window !== null
  }

  #renewed(name: string): Promise<void> {
    const config = this.#parts.topic(name)!
    const known = this.#topics.get(name)
    if (known?.config === config) return known.ready
    this.#topics.delete(name)
    const windowMs = millisOf(config.attributes, DEDUP_WINDOW)
    if (windowMs === 0) return Promise.resolve()
    const remembered: Remembered = { config, window: null, ready: Promise.resolve() }
    this.#topics.set(name, remembered)
    return (remembered.ready = this.#recall(remembered, windowMs))
  }

  /** What fails is tried again by the next send. */
  async #recall(remembered: Remembered, windowMs: number): Promise<void> {
    const { storedSince, clock, max } = this.#parts
    const { config } = remembered
    try {
      await Promise.allSettled(this.#storingIn(config.topicName).values())
      const stored = await storedSince(config, clock.now() - windowMs, max)
      const window = new DedupWindow(windowMs)
      for (const [key, at] of stored) window.add(keptKey(key), at)
      remembered.window = window
      this.#keepWithin()
    } catch (error) {
      if (this.#topics.get(config.topicName) === remembered) this.#topics.delete(config.topicName)
      throw error
    }
  }

  #remember(window: DedupWindow, key: string, stored: StoredAt): void {
    window.add(key, stored)
    window.expire(this.#parts.clock.now())
    this.#keepWithin()
  }

  /** Of the largest window: topics that send little keep their time. */
  #keepWithin(): void {
    const { max } = this.#parts
    for (let over = this.#size() - max; over > 0; over--) {
      const largest = this.#windows().reduce((one, other) => (other.size > one.size ? other : one))
      largest.dropOldest()
      this.#report(FORGOTTEN, { dedupEntriesMax: max })
    }
  }

  #size(): number {
    return this.#windows().reduce((sum, { size }) => sum + size, 0)
  }

  #windows(): DedupWindow[] {
    return [...this.#topics.values()].flatMap(({ window }) => window ?? [])
  }
}

const FORGOTTEN =
  'too many messages for dedup.window.ms: the oldest are forgotten before their time'
