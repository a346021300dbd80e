import type { Clock } from '../base/clock.ts'
import type { DataVersion } from '../protocol/bodies/data-version.ts'
import type { JsonObject, JsonValue } from '../protocol/json.ts'
import { isLightQueue } from '../protocol/light-queues.ts'
import { LIGHT_QUEUE_ID } from '../store/light-entries.ts'
import type { ConfigFile } from './config-json.ts'
import { firstVersion, nextVersion, readVersion } from './data-version.ts'
import type { Log } from '../log/log.ts'

/** Commits between two steps of the table's version (Apache 5.3.3, consumerOffsetUpdateVersionStep). */
const VERSION_STEP = 500

type Queues = Map<number, number>

export interface ConsumerOffsetsParts {
  /** config/consumerOffset.json; with light queues config/lmqConsumerOffset.json */
  file: ConfigFile
  /** Is read when there is no such file yet; null with the plain one. */
  before?: ConfigFile | null
  /** How long a commit may stay in memory only, in ms. */
  flushIntervalMs: number
  clock: Clock
  log: Log
}

/**
 * How far each group has come in each queue: the offset of the next message it wants. A crash of the
 * process loses the commits of the last interval, as with Apache: those messages are delivered twice.
 */
export class ConsumerOffsets {
  readonly #file: ConfigFile
  readonly #before: ConfigFile | null
  readonly #flushIntervalMs: number
  readonly #clock: Clock
  readonly #log: Log
  /** Group → topic → queue id → offset. */
  readonly #groups = new Map<string, Map<string, Queues>>()
  #version: DataVersion
  #commits = 0
  #isDirty = false
  #isFailing = false
  #timer: NodeJS.Timeout | null = null

  constructor({ file, before, flushIntervalMs, clock, log }: ConsumerOffsetsParts) {
    this.#file = file
    this.#before = before ?? null
    this.#flushIntervalMs = flushIntervalMs
    this.#clock = clock
    this.#log = log
    this.#version = firstVersion(clock.now())
  }

  get dataVersion(): DataVersion {
    return this.#version
  }

  /** Reads what the last run left. Throws ConfigFileError. */
  async load(): Promise<void> {
    const json = (await this.#file.load()) ?? (await this.#before?.load()) ?? null
    if (json === null) return
    this.#version = readVersion(json.get('dataVersion'))
    for (const [key, queues] of entriesIn(json.get('offsetTable'))) this.#loadEntry(key, queues)
    for (const [key, offset] of entriesIn(json.get('lmqOffsetTable'))) {
      this.#loadEntry(key, new Map([[String(LIGHT_QUEUE_ID), offset]]))
    }
  }

  /** Remembers that `group` has consumed everything below `offset`. May go back: consumers rewind. */
  commit(group: string, topic: string, queueId: number, offset: number): void {
    const queues = this.#queues(group, topic)
    if (queues.get(queueId) === offset) return
    queues.set(queueId, offset)
    if (++this.#commits % VERSION_STEP === 0) this.#stepVersion()
    this.#touch()
  }

  /** Null when the group has never committed in this queue. */
  get(group: string, topic: string, queueId: number): number | null {
    return this.#groups.get(group)?.get(topic)?.get(queueId) ?? null
  }

  /** Committed offsets of a group in a topic, by queue id. */
  queuesOf(group: string, topic: string): ReadonlyMap<number, number> {
    return this.#groups.get(group)?.get(topic) ?? new Map()
  }

  /** Topics in which the group has committed. */
  topicsOf(group: string): string[] {
    return [...(this.#groups.get(group)?.keys() ?? [])]
  }

  /** Groups that have committed in the topic. */
  groupsOf(topic: string): string[] {
    return [...this.#groups].filter(([, topics]) => topics.has(topic)).map(([group]) => group)
  }

  removeTopic(topic: string): void {
    for (const [group, topics] of this.#groups) {
      if (!topics.delete(topic)) continue
      if (topics.size === 0) this.#groups.delete(group)
      this.#stepVersion()
      this.#touch()
    }
  }

  removeGroup(group: string): void {
    if (!this.#groups.delete(group)) return
    this.#stepVersion()
    this.#touch()
  }

  /** The whole table as JSON: the content of the file and the answer to a slave that asks for it. */
  toText(): string {
    const entries: string[] = []
    const light: string[] = []
    for (const [group, topics] of this.#groups) {
      const isLight = this.#before !== null && isLightQueue(group)
      for (const [topic, queues] of topics) {
        const key = `${topic}@${group}`
        if (isLight) light.push(`${JSON.stringify(key)}:${queues.get(LIGHT_QUEUE_ID) ?? 0}`)
        else entries.push(entryText(key, queues))
      }
    }
    const lightTable = this.#before === null ? '' : `\t"lmqOffsetTable":${tableText(light)},\n`
    const version = JSON.stringify(this.#version)
    return `{\n\t"dataVersion":${version},\n${lightTable}\t"offsetTable":${tableText(entries)}\n}`
  }

  /** Writes what has been committed since the last write, if anything. Failures are logged and tried again. */
  async flush(): Promise<void> {
    if (!this.#isDirty) return
    this.#isDirty = false
    try {
      await this.#file.save(this.toText())
      if (this.#isFailing) this.#log.info({ file: this.#file.path }, 'offsets are written again')
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#log.error({ error }, 'consumer offsets cannot be written')
      this.#isFailing = true
      this.#touch()
    }
  }

  /** Writes the rest. No commit may come after it. */
  async close(): Promise<void> {
    await this.flush()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #queues(group: string, topic: string): Queues {
    let topics = this.#groups.get(group)
    if (topics === undefined) this.#groups.set(group, (topics = new Map<string, Queues>()))
    let queues = topics.get(topic)
    if (queues === undefined) topics.set(topic, (queues = new Map<number, number>()))
    return queues
  }

  #loadEntry(key: string, value: JsonValue): void {
    const [topic, group, rest] = key.split('@')
    if (topic === undefined || group === undefined || rest !== undefined) return
    if (!(value instanceof Map)) return
    const queues = readQueues(value)
    if (queues.size > 0)
      for (const [id, offset] of queues) this.#queues(group, topic).set(id, offset)
  }

  #stepVersion(): void {
    this.#version = nextVersion(this.#version, this.#clock.now())
  }

  /** The first commit after a write starts the interval; without commits there is no timer. */
  #touch(): void {
    this.#isDirty = true
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.flush()
    }, this.#flushIntervalMs)
  }
}

function entriesIn(table: JsonValue | undefined): [string, JsonValue][] {
  const entries = table instanceof Map ? [...table] : []
  return entries.filter((entry): entry is [string, JsonValue] => typeof entry[0] === 'string')
}

function tableText(entries: readonly string[]): string {
  return `{\n\t\t${entries.join(',\n\t\t')}\n\t}`
}

/** `"topic@group":{"0":5,"1":3}`. Apache writes the numbers unquoted and reads both. */
function entryText(key: string, queues: Queues): string {
  const pairs = [...queues].map(([queueId, offset]) => `"${queueId}":${offset}`)
  return `${JSON.stringify(key)}:{${pairs.join(',')}}`
}

function readQueues(object: JsonObject): Queues {
  const queues: Queues = new Map()
  for (const [key, offset] of object) {
    const queueId = Number(key)
    if (!Number.isSafeInteger(queueId) || queueId < 0) continue
    if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) {
      queues.set(queueId, offset)
    }
  }
  return queues
}
