/** The flags of `mqnamesrv` and `mqbroker`, with the messages and the usage text of Apache 5.3.3. */
export type Program = 'mqnamesrv' | 'mqbroker'

export interface Arguments {
  /** `-c`: path of a properties file. */
  configFile?: string
  /** `-n`: `host:port;host:port`. The name server takes it and does nothing with it, like Apache's. */
  namesrvAddr?: string
  /** `-p` prints every setting, `-m` (broker only) the important ones. */
  print?: 'all' | 'important'
  /** `-h` */
  help?: boolean
  /** What is neither a flag nor the value of one. */
  words?: string[]
}

/** The command line cannot be understood. The usage text belongs after the message. */
export class UsageError extends Error {}

interface Flag {
  readonly letter: string
  readonly word: string
  readonly doc: string
  readonly takes?: 'configFile' | 'namesrvAddr'
  readonly sets?: Partial<Arguments>
}

const HELP: Flag = { letter: 'h', word: 'help', doc: 'Print help', sets: { help: true } }

const NAMESRV_ADDR: Flag = {
  letter: 'n',
  word: 'namesrvAddr',
  doc: "Name server address list, eg: '192.168.0.1:9876;192.168.0.2:9876'",
  takes: 'namesrvAddr',
}

const FLAGS: Readonly<Record<Program, readonly Flag[]>> = {
  mqnamesrv: [
    configFile('Name server config properties file'),
    HELP,
    NAMESRV_ADDR,
    printAll('Print all config items'),
  ],
  mqbroker: [
    configFile('Broker config properties file'),
    HELP,
    {
      letter: 'm',
      word: 'printImportantConfig',
      doc: 'Print important config item',
      sets: { print: 'important' },
    },
    NAMESRV_ADDR,
    printAll('Print all config item'),
  ],
}

function configFile(doc: string): Flag {
  return { letter: 'c', word: 'configFile', doc, takes: 'configFile' }
}

function printAll(doc: string): Flag {
  return { letter: 'p', word: 'printConfigItem', doc, sets: { print: 'all' } }
}

/** Throws UsageError on an unknown flag and on a missing value. Other words are passed over. */
export function parseArguments(argv: readonly string[], program: Program): Arguments {
  const found: Arguments = {}
  for (let index = 0; index < argv.length; index++) {
    const written = argv[index]!
    if (!isFlag(written)) {
      ;(found.words ??= []).push(written)
      continue
    }
    const { flag, attached } = readFlag(written, FLAGS[program])
    Object.assign(found, flag.sets)
    if (flag.takes === undefined) continue
    const value = attached ?? argv[++index]
    if (value === undefined || isFlag(value))
      throw new UsageError(`Missing argument for option: ${flag.letter}`)
    found[flag.takes] = value
  }
  return found
}

/** The text of `-h`. */
export function usage(program: Program): string {
  const flags = FLAGS[program]
  const forms = flags.map(({ letter, takes }) => `[-${letter}${takes ? ' <arg>' : ''}]`)
  const names = flags.map(
    ({ letter, word, takes }) => ` -${letter},--${word}${takes ? ' <arg>' : ''}`,
  )
  const width = Math.max(...names.map((name) => name.length)) + 3
  const rows = flags.map(({ doc }, index) => names[index]!.padEnd(width) + doc)
  return [`usage: ${program} ${forms.join(' ')}`, ...rows, ''].join('\n')
}

function isFlag(written: string): boolean {
  return written.startsWith('-') && written !== '-'
}

/** `-c FILE`, `-c=FILE`, `-cFILE`, `--configFile FILE`, `--configFile=FILE`. */
function readFlag(written: string, flags: readonly Flag[]): { flag: Flag; attached?: string } {
  const [, dashes, name, attached] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(written)!
  const flag = flags.find(({ letter, word }) => name === letter || name === word)
  if (flag !== undefined) return { flag, attached }
  const glued = flags.find(({ letter, takes }) => takes !== undefined && written[1] === letter)
  if (glued !== undefined && dashes === '-') return { flag: glued, attached: written.slice(2) }
  const reason = name === 'enable-proxy' ? ' (RingMQ has no proxy)' : ''
  throw new UsageError(`Unrecognized option: ${written}${reason}`)
}
