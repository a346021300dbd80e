/** Text that is no JSON, or more of it than allowed. */
export class JsonError extends Error {
  override name = 'JsonError'
}

/** Integers beyond 2^53 but within int64 are bigint; all other numbers are number. */
export type JsonValue = null | boolean | number | bigint | string | JsonValue[] | JsonObject
/** In the order of the text. Number keys are their text, object keys are objects. */
export type JsonObject = Map<JsonKey, JsonValue>
export type JsonKey = string | JsonObject

export interface JsonLimits {
  depth: number
  /** What the values may cost: 1 a scalar, 4 an array, 8 an object; about 20 bytes of memory each. */
  cells: number
}
