import { JsonError, parseJson, type JsonObject, type JsonValue } from '../../protocol/json.ts'
import { quoteJson } from '../../protocol/json-quote.ts'

/** Messages of one check point: Apache keeps which are done with in an int. */
export const MEMBERS_MAX = 32

/** Identifies a check point (Apache 5.3.3, PopReviveService: its merge key). */
export interface CheckPointKey {
  topic: string
  group: string
  queueId: number
  startOffset: number
  popTime: number
  brokerName: string
}

/** Messages of one queue that were popped together, and are invisible until their time is over. */
export interface CheckPoint extends CheckPointKey {
  readonly invisibleTime: number
  /** Offsets of the messages in their queue, ascending. */
  readonly offsets: readonly number[]
}

/** Acknowledged messages of one check point. */
export interface Ack extends CheckPointKey {
  readonly offsets: readonly number[]
  /** Popped in order: from here on the group goes on. Ours; Apache passes such an ack over. */
  readonly nextOffset?: number
}

export function keyText(key: CheckPointKey): string {
  const { topic, group, queueId, startOffset, popTime, brokerName } = key
  return `${topic}\n${group}\n${queueId}\n${startOffset}\n${popTime}\n${brokerName}`
}

/** As Apache 5.3.3 writes a PopCheckPoint, member by member. */
export function checkPointJson(point: CheckPoint): string {
  const { topic, group, queueId, startOffset, popTime, invisibleTime, offsets, brokerName } = point
  const diffs = offsets.map((offset) => offset - startOffset).join()
  const names = `"bm":0,"bn":${quoteJson(brokerName)},"c":${quoteJson(group)}`
  const times = `"pt":${popTime},"q":${queueId},"reviveTime":${popTime + invisibleTime}`
  return `{${names},"d":[${diffs}],"it":${invisibleTime},"n":${offsets.length},${times},"ro":0,"so":${startOffset},"t":${quoteJson(topic)}}`
}

/** As Apache 5.3.3 writes an AckMsg, or a BatchAckMsg for more than one. */
export function ackJson(ack: Ack): string {
  const { topic, group, queueId, startOffset, popTime, offsets, brokerName, nextOffset } = ack
  const isBatch = offsets.length > 1
  const of = isBatch ? `"ao":-1,"aol":[${offsets.join()}]` : `"ao":${offsets[0]}`
  const names = `"bn":${quoteJson(brokerName)},"c":${quoteJson(group)}`
  const next = nextOffset === undefined ? '' : `,"ringmqNext":${nextOffset}`
  return `{${of},${names},"pt":${popTime},"q":${queueId},"so":${startOffset},"t":${quoteJson(topic)}${next}}`
}

/** Null when it is none that can be worked with. */
export function readCheckPoint(body: Uint8Array, ownName: string): CheckPoint | null {
  const json = object(body)
  const key = json === null ? null : keyOf(json, ownName)
  if (json === null || key === null) return null
  const [invisibleTime, count] = [number(json, 'it'), number(json, 'n') ?? 0]
  if (invisibleTime === null || count < 1 || count > MEMBERS_MAX) return null
  const diffs = numbers(json.get('d'))
  const members = diffs.length > 0 ? diffs : Array.from({ length: count }, (_, nth) => nth)
  if (members.length > MEMBERS_MAX) return null
  return { ...key, invisibleTime, offsets: members.map((diff) => key.startOffset + diff) }
}

/** Null when it is none. Long names are what Apache reads, too. */
export function readAck(body: Uint8Array, ownName: string): Ack | null {
  const json = object(body)
  const key = json === null ? null : keyOf(json, ownName)
  if (json === null || key === null) return null
  const list = numbers(json.get('aol') ?? json.get('ackOffsetList'))
  const single = number(json, 'ao', 'ackOffset')
  const offsets = list.length > 0 ? list : single === null || single < 0 ? [] : [single]
  const nextOffset = number(json, 'ringmqNext') ?? undefined
  return { ...key, offsets, nextOffset }
}

function keyOf(json: JsonObject, ownName: string): CheckPointKey | null {
  const [topic, group] = [text(json, 't', 'topic'), text(json, 'c', 'consumerGroup')]
  const brokerName = text(json, 'bn', 'brokerName') ?? ownName
  const [queueId, startOffset] = [number(json, 'q', 'queueId'), number(json, 'so', 'startOffset')]
  const popTime = number(json, 'pt', 'popTime')
  if (topic === null || group === null) return null
  if (queueId === null || startOffset === null || popTime === null) return null
  return { topic, group, queueId, startOffset, popTime, brokerName }
}

function object(body: Uint8Array): JsonObject | null {
  try {
    const json = parseJson(body)
    return json instanceof Map ? json : null
  } catch (error) {
    if (error instanceof JsonError) return null
    throw error
  }
}

function text(json: JsonObject, ...names: string[]): string | null {
  const value = names.map((name) => json.get(name)).find((each) => typeof each === 'string')
  return typeof value === 'string' && value !== '' ? value : null
}

function number(json: JsonObject, ...names: string[]): number | null {
  const value = names.map((name) => json.get(name)).find((each) => typeof each === 'number')
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
}

function numbers(value: JsonValue | undefined): number[] {
  if (!Array.isArray(value)) return []
  return value.filter((each): each is number => typeof each === 'number')
}
