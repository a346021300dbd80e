/**
 * fastjson writes an object that it has written before as `{"$ref":"$.queueDatas[0]"}`: a path from
 * the root to its first place. That place always lies earlier in the text, so one walk in the order of
 * the text resolves all of them; a reference to what is not complete yet could only be a cycle.
 */
import { JsonError } from './json-value.ts'
import type { JsonLimits, JsonObject, JsonValue } from './json-value.ts'

/** Puts the object meant in the place of each reference. Throws JsonError when there is none. */
export function resolveReferences(root: JsonValue, limits: JsonLimits): JsonValue {
  return new Resolver(root, limits).visit(root)
}

class Resolver {
  readonly #root: JsonValue
  readonly #cellsMax: number
  /** Values below each completed container: what a reference to it costs its readers again. */
  readonly #sizes = new Map<JsonValue, number>()
  #cells = 0

  constructor(root: JsonValue, limits: JsonLimits) {
    this.#root = root
    this.#cellsMax = limits.cells
  }

  visit(value: JsonValue): JsonValue {
    const path = referencePath(value)
    if (path !== null) return this.#resolve(path)
    const before = this.#cells
    this.#cells++
    if (Array.isArray(value)) this.#visitArray(value)
    else if (value instanceof Map) this.#visitObject(value)
    else return value
    this.#sizes.set(value, this.#cells - before)
    return value
  }

  #visitArray(array: JsonValue[]): void {
    for (let index = 0; index < array.length; index++) array[index] = this.visit(array[index]!)
  }

  #visitObject(object: JsonObject): void {
    for (const [key, value] of object) object.set(key, this.visit(value))
  }

  /** Few bytes can name a big object many times: what a reader will walk counts, not what was sent. */
  #resolve(path: string): JsonValue {
    const target = follow(this.#root, path)
    const size = this.#sizes.get(target)
    if (size === undefined) throw new JsonError(`$ref ${path}: nothing before it has that path`)
    this.#cells += size
    if (this.#cells > this.#cellsMax) throw new JsonError('too many values by $ref')
    return target
  }
}

function referencePath(value: JsonValue): string | null {
  if (!(value instanceof Map) || value.size !== 1) return null
  const path = value.get('$ref')
  return typeof path === 'string' ? path : null
}

/** `$.topicConfigTable.my\-topic[0]`: a backslash stands before each special character of a key. */
function follow(root: JsonValue, path: string): JsonValue {
  if (!path.startsWith('$')) throw new JsonError(`$ref ${path}: only paths from the root are known`)
  let value: JsonValue | undefined = root
  for (const step of path.slice(1).matchAll(/\.((?:\\[^]|[^.[\\])+)|\[(\d+)\]|([^])/g)) {
    const [, name, index] = step
    if (name !== undefined) value = member(value, name.replace(/\\([^])/g, '$1'))
    else if (index !== undefined) value = element(value, index)
    else throw new JsonError(`$ref ${path}: no path`)
  }
  return value ?? null
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value instanceof Map ? value.get(name) : undefined
}

/** Of an array, or of a map whose keys are numbers. */
function element(value: JsonValue | undefined, index: string): JsonValue | undefined {
  return Array.isArray(value) ? value[Number(index)] : member(value, index)
}
