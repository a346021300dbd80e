import { isLightQueue, lightList, mayStandElsewhere } from '../protocol/light-queues.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import type { RecordParts } from './log-record.ts'
import { propertyAt } from './tags-code.ts'

const NAMES = Buffer.from(`${MessageProperty.INNER_MULTI_DISPATCH}\u0001`)
const OFFSETS = Buffer.from(`${MessageProperty.INNER_MULTI_QUEUE_OFFSET}\u0001`)
const PAIR_END = 2
const NONE: readonly LightEntry[] = []
/** The queue of every light topic. */
export const LIGHT_QUEUE_ID = 0

/** An entry that a message has in a light queue: which one, and as which of its messages. */
export interface LightEntry {
  topic: string
  offset: number
}

/**
 * The light queues that a record stands in (Apache 5.3.3, ConsumeQueue.multiDispatchLmqQueue). None when
 * names and offsets are not equally many; a name of another kind, or an offset that is none, is left out.
 */
export function lightEntriesOf(bytes: Buffer, record: RecordParts): readonly LightEntry[] {
  const { propertiesAt: at, propertiesLength: length, topicAt, topicLength } = record
  const offsetsAt = propertyAt(OFFSETS, bytes, at, at + length)
  if (offsetsAt === -1) return NONE // almost always
  const namesAt = propertyAt(NAMES, bytes, at, at + length)
  if (namesAt === -1) return NONE
  if (!mayStandElsewhere(bytes.toString('utf8', topicAt, topicAt + topicLength))) return NONE
  const names = lightList(valueAt(bytes, namesAt, at + length))
  const offsets = lightList(valueAt(bytes, offsetsAt, at + length))
  if (names.length !== offsets.length) return NONE
  return names
    .map((topic, nth) => ({ topic, offset: offsetIn(offsets[nth]!) }))
    .filter(({ topic, offset }) => isLightQueue(topic) && offset !== -1)
}

function valueAt(bytes: Buffer, at: number, end: number): string {
  let next = at
  while (next < end && bytes[next] !== PAIR_END) next++
  return bytes.toString('utf8', at, next)
}

function offsetIn(text: string): number {
  const offset = /^\d{1,16}$/.test(text) ? Number(text) : -1
  return Number.isSafeInteger(offset) ? offset : -1
}
