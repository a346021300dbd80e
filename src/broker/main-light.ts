import type { Log } from '../log/log.ts'
import { lightText } from '../protocol/light-queues.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { LightCopies } from '../store/light-copies.ts'
import { LIGHT_QUEUE_ID } from '../store/light-entries.ts'
import type { MessageRecord } from '../store/message-record.ts'
import type { QueueRows } from '../store/queue-rows.ts'
import type { LightTopics } from './light-topics.ts'
import {
  asLightMessage,
  isForLight,
  lightNames,
  lightNamesFault,
  withoutLightOffsets,
} from './light-wish.ts'
import { withPairs } from './message-draft.ts'
import { withoutProperty } from './property-scan.ts'

const PREFIX = Buffer.from('INNER_MULTI_')

/**
 * Light queues of messages that main stores: those that come due, are committed or come back. Such a message
 * must be stored, so a queue that cannot be had is left out.
 */
export class MainLight {
  readonly #parts: { topics: LightTopics; rows: QueueRows; log: Log }

  constructor(parts: { topics: LightTopics; rows: QueueRows; log: Log }) {
    this.#parts = parts
  }

  /** Changes the record's properties and suffix, before it is prepared. Null: it stands in none. */
  copiesOf(record: MessageRecord, topic: string, properties: Buffer): LightCopies | null {
    if (!properties.includes(PREFIX)) return null
    const plain = withoutLightOffsets(properties)
    record.fields.properties.setAll(plain)
    if (!isForLight(topic)) return null
    const wanted = lightNames(plain)
    const names = wanted.filter((name, nth) => this.#isThere(name, wanted.slice(0, nth), topic))
    if (names.length === 0) return null
    const kept = names.length === wanted.length ? plain : onlyNames(plain, names)
    record.fields.properties.setAll(asLightMessage(kept))
    return new LightCopies(
      record,
      names.map((name) => this.#parts.rows.row(name, LIGHT_QUEUE_ID)!),
    )
  }

  #isThere(name: string, before: readonly string[], topic: string): boolean {
    const fault = lightNamesFault([name], topic) ?? (before.includes(name) ? 'named twice' : null)
    if (fault !== null) return this.#leaveOut(topic, fault)
    try {
      this.#parts.topics.ensureNow(name)
      return true
    } catch (error) {
      if (!(error instanceof ResponseError)) throw error
      return this.#leaveOut(topic, error.message)
    }
  }

  #leaveOut(topic: string, why: string): false {
    this.#parts.log.warn({ topic, why }, 'a message is stored without one of its light queues')
    return false
  }
}

function onlyNames(properties: Buffer, names: readonly string[]): Buffer {
  const { INNER_MULTI_DISPATCH: name } = MessageProperty
  const pair = `${name}\u0001${lightText(names)}\u0002`
  return withPairs(withoutProperty(properties, name), pair)
}
