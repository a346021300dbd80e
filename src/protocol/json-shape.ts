/**
 * Words to declare JSON bodies with, as fields.ts has them for headers. They write what fastjson 1.2
 * writes for Apache 5.3.3, byte for byte when the keys of a record are declared in its order (which is
 * the alphabet), and read what Java, Go and C++ peers write: integers and booleans as text, enums by
 * number, maps with quoted keys.
 */
import { javaDouble } from '../base/java-double.ts'
import { quoteJson } from './json-quote.ts'
import { JsonError, parseJson } from './json.ts'
import type { JsonKey, JsonValue } from './json.ts'
import { readInt64, writeStamp } from './fields.ts'

/** How a value stands in JSON. */
export interface Shape<T> {
  readonly presence: 'required' | 'optional' | 'default'
  /** What an absent or null member is read from, with presence `default`. */
  readonly fallback?: JsonValue
  /** Throws JsonError; `path` says where. */
  read(value: JsonValue, path: string): T
  /** JSON text. */
  write(value: T): string
}

export interface OptionalShape<T> extends Shape<T> {
  readonly presence: 'optional'
}

// oxlint-disable-next-line no-explicit-any -- a record holds members of any type
export type Members = Record<string, Shape<any>>

/** The object that the members of a record describe. */
export type MembersOf<M extends Members> = {
  [K in Exclude<keyof M, OptionalKey<M>>]: MemberOf<M[K]>
} & { [K in OptionalKey<M>]?: MemberOf<M[K]> | undefined }

type MemberOf<S> = S extends Shape<infer T> ? T : never
type OptionalKey<M> = { [K in keyof M]: M[K] extends OptionalShape<unknown> ? K : never }[keyof M]

export const text: Shape<string> = shape(readText, quoteJson)

/** A whole number within 2^53. */
export const int: Shape<number> = shape(readInt, String)

/** An int64 that is only compared, as the nearest number: versions, see fields.ts. */
export const stamp: Shape<number> = shape(readStamp, writeStamp)

export const double: Shape<number> = shape(readDouble, javaDouble)

export const bool: Shape<boolean> = shape(readBool, String)

/** An enum: written by name, read by name or by its number. */
export function oneOf<const T extends string>(...names: T[]): Shape<T> {
  const read = (value: JsonValue, path: string) => {
    const name = typeof value === 'number' ? names[value] : names.find((each) => each === value)
    if (name === undefined) throw new JsonError(`${path} must be one of ${names.join(', ')}`)
    return name
  }
  return shape(read, quoteJson)
}

export function list<T>(inner: Shape<T>): Shape<T[]> {
  const read = (value: JsonValue, path: string) => {
    if (!Array.isArray(value)) throw new JsonError(`${path} must be an array`)
    return value.map((each, index) => inner.read(each, `${path}[${index}]`))
  }
  return shape(read, (values) => `[${values.map((each) => inner.write(each)).join()}]`)
}

export function textMap<T>(inner: Shape<T>): Shape<Map<string, T>> {
  return map(inner, readTextKey, quoteJson)
}

/** Keys are integers, written unquoted as fastjson does: `{0:"a:1"}`. */
export function numberMap<T>(inner: Shape<T>): Shape<Map<number, T>> {
  return map(inner, readNumberKey, String)
}

/** As numberMap, with the quotes that strict readers want: `{"0":"a:1"}`. */
export function quotedNumberMap<T>(inner: Shape<T>): Shape<Map<number, T>> {
  return map(inner, readNumberKey, (key) => `"${key}"`)
}

/** Keys are objects, as fastjson writes them: `{{"queueId":0}:5}`. Read also when the key is quoted. */
export function objectMap<K, T>(outer: Shape<K>, inner: Shape<T>): Shape<[K, T][]> {
  const read = (value: JsonValue, path: string) =>
    entriesOf(value, path).map(([key, each]): [K, T] => [
      outer.read(typeof key === 'string' ? parseJson(key) : key, `a key of ${path}`),
      inner.read(each, `a value of ${path}`),
    ])
  const write = (entries: [K, T][]) =>
    `{${entries.map(([key, each]) => `${outer.write(key)}:${inner.write(each)}`).join()}}`
  return shape(read, write)
}

/** An object with known members. Others are ignored; null is the same as absent. */
export function record<const M extends Members>(members: M): Shape<MembersOf<M>> {
  const read = (value: JsonValue, path: string) => readMembers(members, value, path)
  const write = (values: Record<string, unknown>) => writeMembers(members, values)
  return shape(read, write) as unknown as Shape<MembersOf<M>>
}

/** May be absent: reads as undefined, and undefined is not written. */
export function optional<T>(inner: Shape<T>): OptionalShape<T> {
  return { ...inner, presence: 'optional' }
}

/** May be absent: reads as if `fallback` stood there. Always written. */
export function orElse<T>(inner: Shape<T>, fallback: JsonValue): Shape<T> {
  return { ...inner, presence: 'default', fallback }
}

/** A whole JSON body; also a shape, to be declared inside others. */
export interface Body<T> extends Shape<T> {
  /** Apache's class, for docs and remarks. */
  readonly name: string
  read(value: JsonValue, path?: string): T
  /** Throws JsonError, also when there are no bytes. */
  decode(bytes: Uint8Array | null): T
  encode(value: T): Buffer
}

export type BodyOf<B> = B extends Body<infer T> ? T : never

export function body<T>(name: string, inner: Shape<T>): Body<T> {
  const read = (value: JsonValue, path = name) => inner.read(value, path)
  const decode = (bytes: Uint8Array | null) => {
    if (bytes === null) throw new JsonError(`${name}: there is no body`)
    return read(parseJson(bytes))
  }
  const encode = (value: T) => Buffer.from(inner.write(value))
  return { ...inner, name, read, decode, encode }
}

function shape<T>(
  read: (value: JsonValue, path: string) => T,
  write: (value: T) => string,
): Shape<T> {
  return { presence: 'required', read, write }
}

function map<K extends string | number, T>(
  inner: Shape<T>,
  readKey: (key: JsonKey, path: string) => K,
  writeKey: (key: K) => string,
): Shape<Map<K, T>> {
  const read = (value: JsonValue, path: string) => {
    const entries = entriesOf(value, path)
    return new Map(
      entries.map(([jsonKey, each]) => {
        const key = readKey(jsonKey, path)
        return [key, inner.read(each, `${path}.${key}`)]
      }),
    )
  }
  const write = (values: Map<K, T>) => {
    const entries = Array.from(values, ([key, each]) => `${writeKey(key)}:${inner.write(each)}`)
    return `{${entries.join()}}`
  }
  return shape(read, write)
}

function readMembers(members: Members, value: JsonValue, path: string): Record<string, unknown> {
  if (!(value instanceof Map)) throw new JsonError(`${path} must be an object`)
  const values: Record<string, unknown> = {}
  for (const name in members) {
    const member = readMember(members[name]!, value.get(name) ?? null, `${path}.${name}`)
    if (member !== undefined) values[name] = member
  }
  return values
}

function readMember(member: Shape<unknown>, value: JsonValue, path: string): unknown {
  if (value !== null) return member.read(value, path)
  if (member.presence === 'required') throw new JsonError(`${path} is missing`)
  return member.fallback === undefined ? undefined : member.read(member.fallback, path)
}

function writeMembers(members: Members, values: Record<string, unknown>): string {
  const parts: string[] = []
  for (const name in members) {
    const value = values[name]
    if (value !== undefined) parts.push(`"${name}":${members[name]!.write(value)}`)
  }
  return `{${parts.join()}}`
}

/** Members with a null value are left out, as Java peers leave them out. */
function entriesOf(value: JsonValue, path: string): [JsonKey, JsonValue][] {
  if (!(value instanceof Map)) throw new JsonError(`${path} must be an object`)
  return Array.from(value).filter(([, each]) => each !== null)
}

function readTextKey(key: JsonKey, path: string): string {
  if (typeof key === 'string') return key
  throw new JsonError(`${path} has an object for a key`)
}

function readNumberKey(key: JsonKey, path: string): number {
  return readInt(typeof key === 'string' ? key : null, `a key of ${path}`)
}

function readText(value: JsonValue, path: string): string {
  if (value === null || typeof value === 'object') throw new JsonError(`${path} must be text`)
  return String(value)
}

function readInt(value: JsonValue, path: string): number {
  const number = typeof value === 'string' ? readInt64(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw new JsonError(`${path} must be an integer within 2^53`)
}

function readStamp(value: JsonValue, path: string): number {
  const number = typeof value === 'string' ? readInt64(value) : value
  if (typeof number === 'bigint') return Number(number)
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number
  throw new JsonError(`${path} must be an int64`)
}

function readDouble(value: JsonValue, path: string): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof number === 'bigint') return Number(number)
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new JsonError(`${path} must be a number`)
}

function readBool(value: JsonValue, path: string): boolean {
  const word = typeof value === 'string' ? value.toLowerCase() : value
  if (word === true || word === 'true' || word === 1 || word === '1') return true
  if (word === false || word === 'false' || word === 0 || word === '0') return false
  throw new JsonError(`${path} must be true or false`)
}
