import { Admins } from './admins.ts'
import type { Call, Command } from './command.ts'
import { commandNames, loadAll, loadCommand } from './commands.ts'
import { completionScript } from './completion.ts'
import { failureText } from './failure-text.ts'
import type { GivenOptions } from './options.ts'
import { OptionsError, parseOptions } from './options.ts'
import { Output } from './output.ts'
import { NO_PROGRESS } from './progress.ts'
import { runShell, type ShellStreams } from './shell.ts'
import { commandList, usage } from './usage.ts'
import type { Terminal } from './terminal.ts'

/** Where a command line reads from and writes to. */
export interface Surroundings {
  environment: Readonly<Record<string, string | undefined>>
  stdout: (text: string) => void
  stderr: (text: string) => void
  stopped: AbortSignal
  /** Null, as without it: what is said goes into a file or a pipe. */
  terminal?: Terminal | null
  /** Without it nobody sees how far something has come. */
  progress?: Call['progress']
  /** How long an answer may take, in ms; without it as long as Apache's tools wait. */
  timeoutMs?: number
  /** What `mqadmin shell` reads; without it there is none. */
  shell?: ShellStreams
}

const FAILED = 1
/** As tools.sh: where `npm start` has its name server. */
const LOCAL = '127.0.0.1:9876'

/** Runs one command line, without node and script. Resolves with the exit code. */
export async function runMqadmin(words: readonly string[], around: Surroundings): Promise<number> {
  const admins = new Admins(around.timeoutMs)
  try {
    return await runWords(words, around, admins)
  } finally {
    await admins.close()
  }
}

async function runWords(
  words: readonly string[],
  around: Surroundings,
  admins: Admins,
): Promise<number> {
  const [first, second] = words
  const name = first?.toLowerCase()
  if (first === undefined || (name === 'help' && second === undefined)) return list(around)
  if (name === 'completion') return completion(second, around)
  if (name === 'shell') return shell(words.slice(1), around, admins)
  const wanted = name === 'help' ? second! : first
  const command = await loadCommand(wanted)
  if (command === null) return unknown(wanted, words, around)
  if (name === 'help') return help(command, around)
  return runCommand(command, words.slice(1), around, admins)
}

async function list({ stdout }: Surroundings): Promise<number> {
  stdout(commandList(await loadAll()))
  return 0
}

function help(command: Command, { stdout }: Surroundings): number {
  stdout(usage(command))
  return 0
}

async function completion(shellName = '', { stdout, stderr }: Surroundings): Promise<number> {
  const script = completionScript(shellName.toLowerCase(), await loadAll())
  if (script !== null) {
    stdout(script)
    return 0
  }
  stderr(
    'mqadmin completion: name one of bash, zsh and fish, e.g. eval "$(mqadmin completion bash)"\n',
  )
  return FAILED
}

/** `-n` counts for all lines that have none of their own. */
async function shell(
  words: readonly string[],
  around: Surroundings,
  admins: Admins,
): Promise<number> {
  const [flag, servers, ...rest] = words
  const isRight = words.length === 0 || (/^(-n|--namesrvAddr)$/.test(flag!) && rest.length === 0)
  if (!isRight || servers === '' || (flag !== undefined && servers === undefined)) {
    around.stderr('mqadmin shell: it takes nothing but -n host:port\n')
    return FAILED
  }
  const { shell: streams, ...outer } = around
  if (streams === undefined) {
    around.stderr('mqadmin shell: there is one already\n')
    return FAILED
  }
  const environment = { ...around.environment, NAMESRV_ADDR: servers ?? nameServers(around) }
  const run = (line: readonly string[], stopped: AbortSignal) =>
    runWords(line, { ...outer, environment, stopped }, admins)
  return runShell(streams, { run, commands: await loadAll(), stderr: around.stderr })
}

function nameServers({ environment }: Surroundings): string {
  return environment.NAMESRV_ADDR ?? LOCAL
}

function unknown(name: string, words: readonly string[], { stdout }: Surroundings): number {
  const near = commandNames.filter((each) => each.toLowerCase().includes(name.toLowerCase()))
  stdout(`The sub command ${name} not exist.\n`)
  if (near.length > 0 && near.length < 8) stdout(`Perhaps: ${near.join(', ')}\n`)
  return words.includes('--apache-exit-codes') ? 0 : FAILED
}

async function runCommand(
  command: Command,
  words: readonly string[],
  around: Surroundings,
  admins: Admins,
): Promise<number> {
  let options: GivenOptions
  try {
    options = parseOptions(command, words)
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    if (words.includes('-h') || words.includes('--help')) return help(command, around)
    around.stderr(`${error.message}\n`)
    around.stdout(usage(command))
    return FAILED
  }
  if (options.has('h')) return help(command, around)
  return execute(command, options, around, admins)
}

async function execute(
  command: Command,
  options: GivenOptions,
  around: Surroundings,
  admins: Admins,
): Promise<number> {
  const { stopped, terminal = null, progress = () => NO_PROGRESS } = around
  const admin = admins.of(options.text('n') ?? nameServers(around))
  const out = new Output(around.stdout, options.hasOwn('json'), terminal)
  try {
    await command.run({ options, admin, out, stopped, progress })
    out.end()
    return 0
  } catch (error) {
    out.end()
    const name = `mqadmin ${command.name}:`
    around.stderr(`${terminal?.failure(name) ?? name} ${explain(error)}\n`)
    return options.hasOwn('apache-exit-codes') ? 0 : FAILED
  } finally {
    await admin.release()
  }
}

/** An error that nobody foresaw is a bug, and shows where it is. */
function explain(error: unknown): string {
  const text = failureText(error)
  if (text !== null) return text
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
