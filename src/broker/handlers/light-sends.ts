import type { ByteTable } from '../../base/byte-table.ts'
import { LightCopies } from '../../store/light-copies.ts'
import { LIGHT_QUEUE_ID } from '../../store/light-entries.ts'
import type { BatchRecord, MessageRecord } from '../../store/message-record.ts'
import { MessageProperty } from '../../protocol/message-property.ts'
import { ResponseError } from '../../protocol/response-error.ts'
import type { Ask } from '../asks.ts'
import {
  asLightMessage,
  isForLight,
  lightNames,
  lightNamesFault,
  withoutLightOffsets,
} from '../light-wish.ts'
import type { TopicChange } from '../metadata-change.ts'

const OFFSETS = Buffer.from(`${MessageProperty.INNER_MULTI_QUEUE_OFFSET}\u0001`)

/** What clients say of light queues in the messages that they send. */
export class LightSends {
  readonly #topics: ByteTable<TopicChange>
  readonly #isOn: boolean

  constructor(topics: ByteTable<TopicChange>, isOn: boolean) {
    this.#topics = topics
    this.#isOn = isOn
  }

  /**
   * The queues that a message goes into besides its own, which is of `target`; null when into none. An
   * Ask: some of them are not there yet. Changes the record's properties and suffix, which must be as they will
   * be stored. Throws ResponseError.
   */
  copiesOf(record: MessageRecord, target: TopicChange): LightCopies | Ask | null {
    const { properties: slice } = record.fields
    const properties = withoutLightOffsets(slice.buffer.subarray(slice.at, slice.at + slice.length))
    slice.setAll(properties)
    const names = this.#isOn ? lightNames(properties) : []
    const fault = lightNamesFault(names, target.topic)
    if (fault !== null) throw new ResponseError('MESSAGE_ILLEGAL', fault)
    if (names.length === 0 || !isForLight(target.topic)) return null
    const missing = names.filter((name) => this.#rowOf(name) === undefined)
    if (missing.length > 0) return { kind: 'light', topics: missing }
    slice.setAll(asLightMessage(properties))
    return new LightCopies(
      record,
      names.map((name) => this.#rowOf(name)!),
    )
  }

  /** A batch goes into no light queues (Apache 5.3.3), so nothing in it may say so. */
  checkBatch(batch: BatchRecord): void {
    if (!this.#isOn || !batch.someHas(OFFSETS)) return
    const why = `a message of the batch has property ${MessageProperty.INNER_MULTI_QUEUE_OFFSET}, which the broker writes`
    throw new ResponseError('MESSAGE_ILLEGAL', why)
  }

  #rowOf(name: string): number | undefined {
    const key = Buffer.from(name)
    return this.#topics.get(key, 0, key.length)?.rows[LIGHT_QUEUE_ID]
  }
}
