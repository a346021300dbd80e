/**
 * Reads a config file against its declaration. A key nobody knows and a key we do not honour are
 * warnings, because Apache ignores them too and generated files hold such keys; a value that is
 * not allowed is an error, where Apache silently keeps the default.
 */
import { readFileSync } from 'node:fs'

import { nearestName } from './nearest-name.ts'
import { parseProperties, type Property } from './properties.ts'
import {
  type ConfigOf,
  type Environment,
  isDerived,
  type Setting,
  type Settings,
  type SettingValue,
} from './setting.ts'

export interface Declaration<S extends Settings> {
  /** Whose file it is, for messages and docs. */
  readonly program: string
  readonly settings: S
  /** Every key Apache 5.3.3 reads from the same file, with its default in text form. */
  readonly apacheKeys: () => ReadonlyMap<string, string>
  /** Rules over several settings. May correct `config` before it is frozen. */
  readonly check: (config: Mutable<ConfigOf<S>>, warn: (warning: string) => void) => void
}

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface ConfigSource {
  /** Path of the properties file. */
  file?: string
  /** Win over the file: what the command line says. */
  overrides?: Readonly<Record<string, string>>
  /** NAMESRV_ADDR and ROCKETMQ_HOME are read from here. */
  environment?: Environment
}

export interface LoadedConfig<S extends Settings> {
  readonly config: ConfigOf<S>
  /** One sentence each. */
  readonly warnings: readonly string[]
}

interface ConfigFault {
  key: string
  value: string
  /** What may be written, as a phrase. */
  allowed: string
  /** `file:line`, when it stands in a file. */
  place?: string
}

/** A config value that cannot be used. The message names key, value and what is allowed. */
export class ConfigError extends Error {
  readonly key: string
  readonly value: string
  readonly allowed: string

  constructor({ key, value, allowed, place }: ConfigFault) {
    super(`${place === undefined ? '' : `${place}: `}${key}=${value}: allowed is ${allowed}`)
    this.name = 'ConfigError'
    this.key = key
    this.value = value
    this.allowed = allowed
  }
}

interface Entry {
  readonly key: string
  readonly value: string
  readonly place?: string
}

/** Throws ConfigError on a value that is not allowed and on a file that cannot be read. */
export function loadConfig<S extends Settings>(
  declaration: Declaration<S>,
  { file, overrides = {}, environment = {} }: ConfigSource = {},
): LoadedConfig<S> {
  const warnings: string[] = []
  const warn = (warning: string) => void warnings.push(warning)
  const entries = lastOfEach([...readEntries(file), ...overrideEntries(overrides)], warn)
  warnOfOtherKeys(declaration, entries, warn)

  const values = readValues(declaration.settings, entries, warn)
  addDefaults(declaration.settings, values, environment)
  const config = values as Mutable<ConfigOf<S>>
  declaration.check(config, warn)
  return { config: Object.freeze(config), warnings }
}

function readEntries(file: string | undefined): Entry[] {
  if (file === undefined) return []
  const withPlace = ({ key, value, line }: Property) => ({
    key,
    value: value.trimEnd(),
    place: `${file}:${line}`,
  })
  return parseProperties(readText(file)).map(withPlace)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const allowed = `a file that can be read (${(error as Error).message})`
    throw new ConfigError({ key: 'configFile', value: file, allowed })
  }
}

function overrideEntries(overrides: Readonly<Record<string, string>>): Entry[] {
  return Object.entries(overrides).map(([key, value]) => ({ key, value: value.trim() }))
}

function lastOfEach(entries: Entry[], warn: (warning: string) => void): Map<string, Entry> {
  const last = new Map<string, Entry>()
  for (const entry of entries) {
    const earlier = last.get(entry.key)
    if (earlier !== undefined && entry.place !== undefined)
      warn(`${entry.place}: ${entry.key} is given twice, the value at ${earlier.place} is lost`)
    last.set(entry.key, entry)
  }
  return last
}

function warnOfOtherKeys(
  { program, settings, apacheKeys }: Omit<Declaration<Settings>, 'check'>,
  entries: Map<string, Entry>,
  warn: (warning: string) => void,
): void {
  const others = [...entries.values()].filter(({ key }) => !Object.hasOwn(settings, key))
  if (others.length === 0) return
  const apache = apacheKeys()
  const atDefault: string[] = []
  for (const { key, value, place = 'argument' } of others) {
    if (!apache.has(key))
      warn(`${place}: ${unknownKey(key, [...Object.keys(settings), ...apache.keys()])}`)
    else if (apache.get(key) === value) atDefault.push(key)
    else warn(`${place}: ${key}=${value} is not honoured by RingMQ's ${program}`)
  }
  // A file that Apache wrote itself holds all of its 400 keys: one line for those that change nothing.
  if (atDefault.length > 0)
    warn(`not honoured by RingMQ's ${program}, all at Apache's default: ${atDefault.join(', ')}`)
}

function unknownKey(key: string, names: string[]): string {
  const nearest = nearestName(key, names)
  const hint = nearest === null ? '' : `, did you mean ${nearest}?`
  return `unknown key ${key} is ignored${hint}`
}

type Values = Record<string, SettingValue | undefined>

function readValues(
  settings: Settings,
  entries: Map<string, Entry>,
  warn: (warning: string) => void,
): Values {
  const values: Values = {}
  for (const [key, setting] of Object.entries(settings)) {
    values[key] = undefined // keeps the declared order whatever is given
    const entry = entries.get(key)
    if (entry === undefined) continue
    const value = parseEntry(setting, entry)
    if (value !== setting.unset) values[key] = value
    if (hasComment(entry.value)) warn(commentWarning(entry))
  }
  return values
}

const COMMENT_RULE = 'a comment needs a line of its own'

function parseEntry(setting: Setting, entry: Entry): SettingValue {
  const value = setting.parse(entry.value)
  if (value !== undefined) return value
  const hint = hasComment(entry.value) ? `; ${COMMENT_RULE}` : ''
  throw new ConfigError({ ...entry, allowed: setting.allowed + hint })
}

function commentWarning({ key, value, place = 'argument' }: Entry): string {
  return `${place}: the value of ${key} is all of "${value}": ${COMMENT_RULE}`
}

function hasComment(value: string): boolean {
  return /\s#/.test(value)
}

/** Plain defaults first: derived ones may look at them. */
function addDefaults(settings: Settings, values: Values, environment: Environment): void {
  const missing = Object.entries(settings).filter(([key]) => values[key] === undefined)
  for (const [key, setting] of missing)
    if (!isDerived(setting.default)) values[key] = setting.default
  for (const [key, setting] of missing)
    if (isDerived(setting.default)) {
      const value = String(setting.default.value(values, environment))
      values[key] = parseEntry(setting, { key, value })
    }
}
