/**
 * Words to declare the typed header of a request with: each names a field on the wire and says how its
 * value is written there. On the wire every value is text (Apache 5.3.3, CommandCustomHeader).
 */

/** One field of a header. */
export interface Field<T> {
  /** Its name in extFields. */
  readonly key: string
  /** What may stand there, for docs and remarks. */
  readonly allowed: string
  readonly presence: 'required' | 'optional' | 'default'
  /** What an absent field reads as, with presence `default`. */
  readonly fallback?: T
  /** undefined: not what is allowed. */
  read(text: string): T | undefined
  write(value: T): string
}

export interface OptionalField<T> extends Field<T> {
  readonly presence: 'optional'
}

// oxlint-disable-next-line no-explicit-any -- a table holds fields of any type
export type Fields = Record<string, Field<any>>

/** The object that a table of fields describes. */
export type ValuesOf<F extends Fields> = {
  [K in Exclude<keyof F, OptionalKey<F>>]: ValueOf<F[K]>
} & { [K in OptionalKey<F>]?: ValueOf<F[K]> | undefined }

type ValueOf<F> = F extends Field<infer T> ? T : never
type OptionalKey<F> = { [K in keyof F]: F[K] extends OptionalField<unknown> ? K : never }[keyof F]

const INT64_MAX = 2n ** 63n - 1n

export function text(key: string): Field<string> {
  return field(key, 'text', (value) => value, String)
}

export function i32(key: string): Field<number> {
  return field(key, 'int32', readInt32, String)
}

/** An int64 we calculate with: refused beyond 2^53. Positions, offsets, ids. */
export function i64(key: string): Field<number> {
  const read = (value: string) => {
    const number = readInt64(value)
    return typeof number === 'number' ? number : undefined
  }
  return field(key, 'int64 within 2^53', read, String)
}

/** Milliseconds. Long.MAX_VALUE and its like mean "never": they saturate at 2^53. */
export function millis(key: string): Field<number> {
  const read = (value: string) => {
    const number = readInt64(value)
    if (typeof number !== 'bigint') return number
    return number > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
  }
  return field(key, 'int64 (ms)', read, String)
}

/**
 * An int64 that is only compared, as the nearest number: versions. Go's clients send nanoseconds.
 * Every reader of a stamp must round like `Number(text)`, or equal stamps would differ.
 */
export function stamp(key: string): Field<number> {
  const read = (value: string) => {
    const number = readInt64(value)
    return number === undefined ? undefined : Number(number)
  }
  return field(key, 'int64', read, writeStamp)
}

/** `true` in any case is true, everything else false, as Java reads it. */
export function bool(key: string): Field<boolean> {
  return field(key, 'boolean', (value) => value.toLowerCase() === 'true', String)
}

/** One of some words, read in any case. */
export function oneOfText<const T extends string>(key: string, ...words: T[]): Field<T> {
  const read = (value: string) => words.find((word) => word === value.toUpperCase())
  return field(key, words.join(' or '), read, String)
}

/** May be absent: reads as undefined, and undefined is not written. */
export function optional<T>(inner: Field<T>): OptionalField<T> {
  return { ...inner, presence: 'optional' }
}

/** May be absent: reads as `fallback`. Always written. For what Apache demands but clients forget. */
export function orElse<T>(inner: Field<T>, fallback: T): Field<T> {
  return { ...inner, presence: 'default', fallback }
}

function field<T>(
  key: string,
  allowed: string,
  read: (text: string) => T | undefined,
  write: (value: T) => string,
): Field<T> {
  return { key, allowed, presence: 'required', read, write }
}

function readInt32(value: string): number | undefined {
  const number = readInt64(value)
  return typeof number === 'number' && number === (number | 0) ? number : undefined
}

/** bigint beyond 2^53; undefined for what is no int64. */
export function readInt64(value: string): number | bigint | undefined {
  if (!/^[-+]?\d{1,19}$/.test(value)) return undefined
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number + 0 // -0 is 0
  const exact = BigInt(value.replace('+', ''))
  return exact <= INT64_MAX && exact >= -INT64_MAX - 1n ? exact : undefined
}

/** The decimal digits of a stamp, within int64: rounding may have left it at 2^63. */
export function writeStamp(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const exact = BigInt(value)
  return String(exact > INT64_MAX ? INT64_MAX : exact)
}
