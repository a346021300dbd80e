import { decodeProperties } from '../protocol/message.ts'
import { isLightQueue, lightList, mayStandElsewhere } from '../protocol/light-queues.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { withoutProperty } from './property-scan.ts'
import { DEAD_LETTER_PREFIX, HALF_OP_TOPIC, HALF_TOPIC, topicNameFault } from './topic-names.ts'

const { INNER_MULTI_DISPATCH, INNER_MULTI_QUEUE_OFFSET, WAIT } = MessageProperty

/** Whether a message that is stored here goes into light queues now: half and dead ones do not, in Apache they do. */
export function isForLight(topic: string): boolean {
  if (topic === HALF_TOPIC || topic === HALF_OP_TOPIC) return false
  return mayStandElsewhere(topic) && !topic.startsWith(DEAD_LETTER_PREFIX)
}

/** The names that a message wants to stand under, as they come. */
export function lightNames(properties: Uint8Array): string[] {
  const all = decodeProperties(Buffer.from(properties).toString())
  return lightList(all.get(INNER_MULTI_DISPATCH) ?? '')
}

/** Why a message of this topic may not stand under these names; null when it may. */
export function lightNamesFault(names: readonly string[], topic: string): string | null {
  const taken = new Set([topic])
  for (const name of names) {
    const fault = topicNameFault(name)
    if (fault !== null) return `${INNER_MULTI_DISPATCH}: ${fault}`
    if (!isLightQueue(name)) return `${INNER_MULTI_DISPATCH} names ${name}, only %LMQ%… is allowed`
    if (taken.has(name)) return `${INNER_MULTI_DISPATCH} names ${name} twice, or it is the topic`
    taken.add(name)
  }
  return null
}

/** Without offsets of another broker, or that a client made up. */
export function withoutLightOffsets(properties: Uint8Array): Buffer {
  return withoutProperty(properties, INNER_MULTI_QUEUE_OFFSET)
}

/** As Apache stores a message with light queues. */
export function asLightMessage(properties: Uint8Array): Buffer {
  return withoutProperty(properties, WAIT)
}
