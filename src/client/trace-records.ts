/**
 * What a client says of messages, in Apache's text (5.3.3, TraceDataEncoder): records that end with
 * character 2, of fields that are separated by character 1. What is not there is written `null`, as
 * Java writes it; readers tell records apart by the first field and by how many there are.
 */

/** One record, or several that belong together. */
export interface TraceText {
  readonly text: string
  /** By which the records are found: ids and keys of their messages. */
  readonly keys: readonly string[]
}

/** A message as all kinds of records name it. */
export interface TracedMessage {
  readonly msgId: string
  readonly keys: string | undefined
}

/** Source: Apache 5.3.3, MessageType. */
export const TracedType = { NORMAL: 0, TRANSACTION: 1, TRANSACTION_END: 2, DELAY: 3 } as const

/** A message that was stored. */
export interface Published extends TracedMessage {
  readonly startedAt: number
  readonly costMs: number
  readonly region: string
  readonly group: string
  readonly topic: string
  readonly tags: string | undefined
  /** Address of the broker. */
  readonly storeHost: string
  readonly bodyLength: number
  readonly type: number
  readonly offsetMsgId: string
  readonly isSuccess: boolean
}

/** A transaction that the broker was told the end of. */
export interface Ended extends TracedMessage {
  readonly endedAt: number
  readonly region: string
  readonly group: string
  readonly topic: string
  readonly tags: string | undefined
  /** Address of the broker. */
  readonly storeHost: string
  readonly transactionId: string | undefined
  readonly state: 'COMMIT' | 'ROLLBACK' | 'UNKNOWN'
  /** The broker had asked. */
  readonly isCheck: boolean
}

/** Messages that a listener is called with. */
export interface Consumption {
  readonly startedAt: number
  readonly region: string
  readonly group: string
  /** The same before and after. */
  readonly requestId: string
  readonly messages: readonly (TracedMessage & { readonly reconsumeTimes: number })[]
}

/** How a listener ended. Source: Apache 5.3.3, ConsumeReturnType. */
export const ListenerEnd = { SUCCESS: 0, EXCEPTION: 2, FAILED: 4 } as const
export type ListenerEnd = (typeof ListenerEnd)[keyof typeof ListenerEnd]

export function published(of: Published): TraceText {
  const { startedAt, region, group, topic, msgId, tags, keys, storeHost, bodyLength } = of
  const { costMs, type, offsetMsgId, isSuccess } = of
  const where = [startedAt, region, group, topic, msgId, tags, keys, storeHost, bodyLength]
  const text = record('Pub', ...where, costMs, type, offsetMsgId, isSuccess)
  return { text, keys: keysOf([of]) }
}

/** Source: Apache 5.3.3, LocalTransactionState, misspelling and all: its readers know no other names. */
const STATE_NAMES = { COMMIT: 'COMMIT_MESSAGE', ROLLBACK: 'ROLLBACK_MESSAGE', UNKNOWN: 'UNKNOW' }

export function ended(of: Ended): TraceText {
  const { endedAt, region, group, topic, msgId, tags, keys, storeHost } = of
  const where = [endedAt, region, group, topic, msgId, tags, keys, storeHost]
  const { transactionId, state, isCheck } = of
  const end = [TracedType.TRANSACTION_END, transactionId, STATE_NAMES[state], isCheck]
  return { text: record('EndTransaction', ...where, ...end), keys: keysOf([of]) }
}

export function consuming(of: Consumption): TraceText {
  const { startedAt, region, group, requestId, messages } = of
  const texts = messages.map(({ msgId, keys, reconsumeTimes }) =>
    record('SubBefore', startedAt, region, group, requestId, msgId, reconsumeTimes, keys),
  )
  return { text: texts.join(''), keys: keysOf(messages) }
}

/** `now` in ms since 1970. */
export function consumed(of: Consumption, end: ListenerEnd, now: number): TraceText {
  const { startedAt, group, requestId, messages } = of
  const costMs = Math.floor((now - startedAt) / messages.length)
  const isSuccess = end === ListenerEnd.SUCCESS
  const texts = messages.map(({ msgId, keys }) =>
    record('SubAfter', requestId, msgId, costMs, isSuccess, keys, end, now, group),
  )
  return { text: texts.join(''), keys: keysOf(messages) }
}

function record(...fields: (string | number | boolean | undefined)[]): string {
  return `${fields.map((field) => field ?? 'null').join('\u0001')}\u0002`
}

function keysOf(messages: readonly TracedMessage[]): string[] {
  return messages.flatMap(({ msgId, keys }) => [msgId, ...(keys?.split(' ') ?? [])])
}
