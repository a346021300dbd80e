/**
 * Attributes of a topic as a request changes them: `+message.type=FIFO,-reserve.time`. On disk and in
 * answers they are a plain map. Source: Apache 5.3.3, TopicAttributes and AttributeParser.
 */
import { readInt64 } from '../protocol/fields.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { shown } from './topic-names.ts'

/** Changes in one request. */
const CHANGES_MAX = 64

interface Attribute {
  /** As a phrase. */
  allowed: string
  isAllowed: (value: string) => boolean
  /** May change after the topic was created. */
  isChangeable: boolean
}

/** Ours: the age in ms from which messages of the topic are not delivered any more. */
export const TTL = 'message.ttl.ms'
/** Ours: how long, in ms, the id of a message is remembered, so that it is not stored twice. */
export const DEDUP_WINDOW = 'dedup.window.ms'
/** A hundred years: times that are calculated with it stay exact. */
const MILLIS_MAX = 100 * 365 * 24 * 3600 * 1000

const ATTRIBUTES = new Map<string, Attribute>([
  ['message.type', oneOf(true, 'UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION')],
  ['queue.type', oneOf(false, 'SimpleCQ')], // of Apache's BatchCQ we only keep what is on disk
  ['cleanup.policy', oneOf(false, 'DELETE')], // nor do we compact
  ['reserve.time', { allowed: '-1 or more', isAllowed: isReserveTime, isChangeable: true }],
  [TTL, millis()],
  [DEDUP_WINDOW, millis()],
])

/**
 * The attributes after the changes in `text`. `known` is null for a topic that is being created.
 * Throws ResponseError INVALID_PARAMETER.
 */
export function changeAttributes(
  known: ReadonlyMap<string, string> | null,
  text: string | undefined,
): Map<string, string> {
  const attributes = new Map(known ?? [])
  for (const [name, value] of changesIn(text)) {
    checkChange(name, value, known)
    if (value === null) attributes.delete(name)
    else attributes.set(name, value)
  }
  return attributes
}

/** By name; null: it is to be removed. */
function changesIn(text: string | undefined): Map<string, string | null> {
  const changes = new Map<string, string | null>()
  const parts = text?.trim() ? text.split(',') : []
  if (parts.length > CHANGES_MAX) throw invalid(`${parts.length} changes: at most ${CHANGES_MAX}`)
  for (const part of parts) {
    const match = /^\s*(?:\+([^=+-][^=]*)=(.+)|-([^=]+))\s*$/.exec(part)
    if (match === null) throw invalid(`"${shown(part)}" must be +name=value or -name`)
    const name = (match[1] ?? match[3])!.trim()
    if (changes.has(name)) throw invalid(`"${shown(name)}" stands there twice`)
    changes.set(name, match[2]?.trim() ?? null)
  }
  return changes
}

function checkChange(
  name: string,
  value: string | null,
  known: ReadonlyMap<string, string> | null,
): void {
  const attribute = ATTRIBUTES.get(name)
  if (attribute === undefined) {
    throw invalid(`"${shown(name)}" is unknown: ${[...ATTRIBUTES.keys()].join(', ')} are known`)
  }
  if (value === null && known === null) {
    throw invalid(`-${name}: a topic that is being created has nothing to remove`)
  }
  if (known !== null && !attribute.isChangeable && (known.get(name) ?? null) !== value) {
    throw invalid(`"${name}" cannot change after the topic was created`)
  }
  if (value !== null && !attribute.isAllowed(value)) {
    throw invalid(`${name} is "${shown(value)}", it must be ${attribute.allowed}`)
  }
}

function oneOf(isChangeable: boolean, ...values: string[]): Attribute {
  const allowed = values.length === 1 ? values[0]! : `one of ${values.join(', ')}`
  return { allowed, isAllowed: (value) => values.includes(value), isChangeable }
}

function millis(): Attribute {
  const isAllowed = (value: string) => {
    const number = readInt64(value)
    return typeof number === 'number' && number >= 1 && number <= MILLIS_MAX
  }
  return { allowed: `1 to ${MILLIS_MAX} (ms)`, isAllowed, isChangeable: true }
}

/** 0 without it, or with what no request could have set. */
export function millisOf(attributes: ReadonlyMap<string, string>, name: string): number {
  const value = attributes.get(name)
  return value !== undefined && ATTRIBUTES.get(name)!.isAllowed(value) ? Number(value) : 0
}

function isReserveTime(value: string): boolean {
  const number = readInt64(value)
  return number !== undefined && number >= -1
}

function invalid(why: string): ResponseError {
  return new ResponseError('INVALID_PARAMETER', `attributes: ${why}`)
}
