/**
 * The words a config file is declared with. One declaration gives the TypeScript type, the parser
 * for `broker.conf` and `namesrv.conf`, the start-up dump and the row in docs/config.md.
 *
 *   flushDiskType: oneOf('ASYNC_FLUSH', 'SYNC_FLUSH')({ default: 'ASYNC_FLUSH', doc: '…' })
 */
import { isIPv4 } from 'node:net'
import { homedir } from 'node:os'
import { resolve } from 'node:path'

/** What a setting holds. `String(value)` is its form in a properties file. */
export type SettingValue = string | number | boolean

/** Settings that are known already while a derived default is worked out. */
export type Known = Readonly<Record<string, SettingValue | undefined>>

export type Environment = Readonly<Record<string, string | undefined>>

/** A default that depends on the machine or on other settings. Worked out only when it is needed. */
export interface Derived {
  /** Where it comes from, for docs/config.md: 'listenPort + 1'. */
  readonly from: string
  readonly value: (known: Known, environment: Environment) => SettingValue
}

export interface Setting<T extends SettingValue = SettingValue> {
  /** Apache's Java type, which says what its own tools accept. */
  readonly type: 'String' | 'int' | 'long' | 'boolean'
  readonly default: T | Derived
  readonly doc: string
  /** What may be written, as it appears in an error: 'a number from 0 to 65535'. */
  readonly allowed: string
  /** `mqbroker -m` prints it (Apache 5.3.3, @ImportantField). */
  readonly important: boolean
  /** RingMQ's own: Apache does not know it. */
  readonly own: boolean
  /** Writing this value is the same as writing nothing. */
  readonly unset?: T
  /** The value, or undefined when the text is not allowed. The text comes without outer blanks. */
  readonly parse: (text: string) => T | undefined
}

export type Settings = Readonly<Record<string, Setting>>

/** The plain object a program works with. */
export type ConfigOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

interface Options<T extends SettingValue> {
  default: T | Derived
  doc: string
  important?: boolean
  own?: boolean
  unset?: T
}

interface NumberOptions extends Options<number> {
  min?: number
  max?: number
  unit?: string
}

const INT_MAX = 2 ** 31 - 1

export function derived(from: string, value: Derived['value']): Derived {
  return { from, value }
}

export function isDerived(value: SettingValue | Derived): value is Derived {
  return typeof value === 'object'
}

/** Any text. */
export function text(options: Options<string>): Setting<string> {
  return setting('String', 'any text', options, (written) => written)
}

/** What is part of topic and file names, and of lines that tools take apart at blanks. */
export function name(options: Options<string>): Setting<string> {
  const allowed = 'a name of letters, digits and % | _ - .'
  return setting('String', allowed, options, (written) =>
    /^[A-Za-z\d%|_.-]+$/.test(written) ? written : undefined,
  )
}

/** A 32-bit number, like Java's int. */
export function int(options: NumberOptions): Setting<number> {
  return number('int', INT_MAX, options)
}

/** A 64-bit number in Java; ours stay exact only up to 2^53, which no setting comes near. */
export function long(options: NumberOptions): Setting<number> {
  return number('long', Number.MAX_SAFE_INTEGER, options)
}

/** A whole number of bytes that fits in Java's int. */
export function bytes(options: NumberOptions): Setting<number> {
  return int({ unit: 'bytes', min: 1, ...options })
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
}

/** Bytes of something large: `1073741824`, or with a unit, as in `4GiB`. */
export function size(options: Options<number>): Setting<number> {
  const allowed = 'bytes, or a whole number with KiB, MiB, GiB or TiB, such as 4GiB'
  return setting('long', allowed, options, (written) => {
    const [, digits, unit] = /^(\d{1,15}) ?((?:[KMGT]iB)?)$/.exec(written) ?? []
    const value = Number(digits) * (UNITS[unit ?? ''] ?? NaN)
    return Number.isSafeInteger(value) ? value : undefined
  })
}

/** Hours of the day from 00 to 23, separated by `;`, as written: `04` or `04;16`. */
export function hoursOfDay(options: Options<string>): Setting<string> {
  const allowed = 'hours from 00 to 23 separated by ";", such as 04 or 04;16'
  return setting('String', allowed, options, (written) =>
    written.split(';').every((hour) => /^(?:[01]?\d|2[0-3])$/.test(hour.trim()))
      ? written
      : undefined,
  )
}

/** A share in percent. */
export function percent(options: NumberOptions): Setting<number> {
  return int({ min: 1, max: 100, unit: 'percent', ...options })
}

/** A whole number of milliseconds that fits in Java's int. */
export function milliseconds(options: NumberOptions): Setting<number> {
  return int({ unit: 'ms', min: 1, ...options })
}

/** A TCP port; 0 lets the system choose. */
export function port(options: NumberOptions): Setting<number> {
  return int({ min: 0, max: 65535, ...options })
}

/** `true` or `false`. Apache reads every other text as false; we say that it is wrong. */
export function bool(options: Options<boolean>): Setting<boolean> {
  return setting('boolean', 'true or false', options, (written) => {
    const lower = written.toLowerCase()
    return lower === 'true' ? true : lower === 'false' ? false : undefined
  })
}

/** One of these words, spelled exactly so. */
export function oneOf<const V extends readonly string[]>(...values: V) {
  return (options: Options<V[number]>): Setting<V[number]> =>
    setting('String', `one of ${values.join(', ')}`, options, (written) =>
      values.find((value) => value === written),
    )
}

/** A file or folder. `~/` at the front is the home folder; the value is an absolute path. */
export function path(options: Options<string>): Setting<string> {
  return setting('String', 'one path (no list)', options, (written) => {
    if (written === '' || written.includes(',')) return undefined
    return resolve(written.startsWith('~/') ? homedir() + written.slice(1) : written)
  })
}

/** A host name or IP address, as other machines can use it. No short form of an address: `1.2.3` is a slip. */
export function host(options: Options<string>): Setting<string> {
  return setting('String', 'a host name or IP address', options, (written) =>
    /^[\w.:%-]+$/.test(written) && !isPartOfIPv4(written) ? written : undefined,
  )
}

/** `host:port` items, separated by `;`. Empty is allowed: no address. */
export function addresses(options: Options<string>): Setting<string> {
  const allowed = 'host:port items separated by ";", such as 127.0.0.1:9876;192.168.0.1:9876'
  return setting('String', allowed, options, (written) => {
    const items = written.split(';').map((item) => item.trim())
    const filled = items.filter((item) => item !== '')
    return filled.every(isHostAndPort) ? filled.join(';') : undefined
  })
}

function isPartOfIPv4(written: string): boolean {
  return /^\d*\.[\d.]*$/.test(written) && !isIPv4(written)
}

function isHostAndPort(item: string): boolean {
  const match = /^(?:[\w.-]+|\[[\da-fA-F:.%]+\]):(\d{1,5})$/.exec(item)
  return match !== null && Number(match[1]) <= 65535
}

function number(type: 'int' | 'long', top: number, options: NumberOptions): Setting<number> {
  const { min = -top - 1, max = top, unit } = options
  const allowed = `a number from ${min} to ${max}${unit === undefined ? '' : ` (${unit})`}`
  return setting(type, allowed, options, (written) => {
    if (!/^[+-]?\d{1,19}$/.test(written)) return undefined
    const value = Number(written)
    return value >= min && value <= max ? value : undefined
  })
}

function setting<T extends SettingValue>(
  type: Setting['type'],
  allowed: string,
  options: Options<T>,
  parse: (text: string) => T | undefined,
): Setting<T> {
  return { type, allowed, important: false, own: false, ...options, parse }
}
