import { AdminError, type Command, type Option } from './command.ts'

/** Options of every command. */
const COMMON: readonly Option[] = [
  { short: 'h', long: 'help', doc: 'Print help', isFlag: true },
  {
    short: 'n',
    long: 'namesrvAddr',
    doc: "Name servers, e.g. '192.168.0.1:9876;192.168.0.2:9876'; else NAMESRV_ADDR",
  },
]

/** Of commands that go to one broker or to the masters of a cluster. */
export const TARGET_OPTIONS: readonly Option[] = [
  { short: 'b', long: 'brokerAddr', doc: 'this broker, host:port' },
  { short: 'c', long: 'clusterName', doc: 'all masters of this cluster' },
]

/** Ours, for every command. They have no short form, so that they never meet one of Apache's. */
const OWN_FLAGS = ['json', 'apache-exit-codes'] as const
type OwnFlag = (typeof OWN_FLAGS)[number]

/** The same, for who shows them. */
export const OWN_OPTIONS: readonly Option[] = [
  { short: 'json', long: 'json', doc: 'Print the result as data', isFlag: true, isLongOnly: true },
  {
    short: 'apache-exit-codes',
    long: 'apache-exit-codes',
    doc: 'End with 0 when it failed, as Apache does',
    isFlag: true,
    isLongOnly: true,
  },
]

/** What cannot be parsed: shown above the usage. */
export class OptionsError extends Error {
  override name = 'OptionsError'
}

/** The options that were given, by their short names. */
export class GivenOptions {
  readonly #values: ReadonlyMap<string, string>
  readonly #own: ReadonlySet<OwnFlag>

  constructor(values: ReadonlyMap<string, string>, own: ReadonlySet<OwnFlag>) {
    this.#values = values
    this.#own = own
  }

  /** Whether it was given, with whatever value. */
  has(short: string): boolean {
    return this.#values.has(short)
  }

  hasOwn(flag: OwnFlag): boolean {
    return this.#own.has(flag)
  }

  /** Trimmed, as Apache's commands do. Null when it was not given. */
  text(short: string): string | null {
    return this.#values.get(short)?.trim() ?? null
  }

  /** Of an option that must be there. */
  needed(short: string): string {
    return this.text(short) ?? ''
  }

  /** Throws AdminError for what is no integer in the range. */
  integer(short: string, otherwise: number, { min = -(2 ** 53), max = 2 ** 53 } = {}): number {
    const text = this.text(short)
    if (text === null) return otherwise
    const value = Number(text)
    if (/^[+-]?\d+$/.test(text) && value >= min && value <= max) return value
    const range = min > -(2 ** 53) ? ` from ${min}${max < 2 ** 53 ? ` to ${max}` : ''}` : ''
    throw new AdminError(`-${short} ${text}: it must be an integer${range}`)
  }

  /** true or false; throws AdminError for anything else. */
  boolean(short: string, otherwise: boolean): boolean {
    const text = this.text(short)?.toLowerCase() ?? null
    if (text === null) return otherwise
    if (text === 'true' || text === 'false') return text === 'true'
    throw new AdminError(`-${short} ${text}: it must be true or false`)
  }
}

export function allOptions({ options }: Command): readonly Option[] {
  return [...COMMON, ...options].toSorted((a, b) => (a.short < b.short ? -1 : 1))
}

/** `-t X`, `-t=X`, `--topic X`, `--topic=X`. Throws OptionsError in Apache's words (commons-cli). */
export function parseOptions(command: Command, words: readonly string[]): GivenOptions {
  const values = new Map<string, string>()
  const own = new Set<OwnFlag>()
  for (let nth = 0; nth < words.length; nth++) {
    const [name, inline] = splitWord(words[nth]!)
    const flag = OWN_FLAGS.find((each) => name === `--${each}`)
    if (flag !== undefined) {
      own.add(flag)
      continue
    }
    const option = find(command, name)
    if (option === null) continue
    if (option.isFlag === true) values.set(option.short, 'true')
    else {
      const value = inline ?? words[++nth]
      if (value === undefined)
        throw new OptionsError(`Missing argument for option: ${option.short}`)
      values.set(option.short, value)
    }
  }
  checkRequired(command, values)
  return new GivenOptions(values, own)
}

function splitWord(word: string): [string, string | null] {
  const equals = word.indexOf('=')
  return equals === -1 ? [word, null] : [word.slice(0, equals), word.slice(equals + 1)]
}

/** Null: to be passed over. */
function find(command: Command, name: string): Option | null {
  const found = allOptions(command).find(({ short, long, isLongOnly = false }) =>
    [isLongOnly ? `--${long}` : `-${short}`, `--${long}`, `-${long}`].includes(name),
  )
  if (found !== undefined) return found
  if (command.takesAnything === true) return null
  throw new OptionsError(
    name.startsWith('-') ? `Unrecognized option: ${name}` : `Unrecognized argument: ${name}`,
  )
}

function checkRequired(command: Command, values: ReadonlyMap<string, string>): void {
  const missing = command.options.filter(
    ({ short, isRequired }) => isRequired === true && !values.has(short),
  )
  const names = missing.map(({ short }) => short)
  if (names.length === 1) throw new OptionsError(`Missing required option: ${names[0]}`)
  if (names.length > 1) throw new OptionsError(`Missing required options: ${names.join(', ')}`)
  for (const group of command.oneOf ?? []) checkGroup(command, group, values)
}

function checkGroup(
  command: Command,
  group: readonly string[],
  values: ReadonlyMap<string, string>,
): void {
  const given = group.filter((short) => values.has(short))
  if (given.length === 1) return
  if (given.length > 1) {
    const [first, second] = given
    throw new OptionsError(
      `The option '${second}' was given, but '${first}' is there already: one of them`,
    )
  }
  const all = group.map((short) => {
    const { doc } = allOptions(command).find((option) => option.short === short)!
    return `-${short} ${doc}`
  })
  throw new OptionsError(`Missing required option: [${all.join(', ')}]`)
}
