import { Admin } from './admin.ts'
import type { Command } from './command.ts'
import { commandNames, loadAll, loadCommand } from './commands.ts'
import { failureText } from './failure-text.ts'
import type { GivenOptions } from './options.ts'
import { OptionsError, parseOptions } from './options.ts'
import { Output } from './output.ts'
import { commandList, usage } from './usage.ts'

/** Where a command line reads from and writes to. */
export interface Surroundings {
  environment: Readonly<Record<string, string | undefined>>
  stdout: (text: string) => void
  stderr: (text: string) => void
  stopped: AbortSignal
}

const FAILED = 1
/** As tools.sh: where `npm start` has its name server. */
const LOCAL = '127.0.0.1:9876'

/** Runs one command line, without node and script. Resolves with the exit code. */
export async function runMqadmin(words: readonly string[], around: Surroundings): Promise<number> {
  const [first, second] = words
  if (first === undefined) return list(around)
  if (first === 'help' && second === undefined) return list(around)
  const command = await loadCommand(first === 'help' ? second! : first)
  if (command === null) return unknown(first === 'help' ? second! : first, words, around)
  if (first === 'help') return help(command, around)
  return runCommand(command, words.slice(1), around)
}

async function list({ stdout }: Surroundings): Promise<number> {
  stdout(commandList(await loadAll()))
  return 0
}

function help(command: Command, { stdout }: Surroundings): number {
  stdout(usage(command))
  return 0
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
  return execute(command, options, around)
}

async function execute(
  command: Command,
  options: GivenOptions,
  around: Surroundings,
): Promise<number> {
  const servers = (options.text('n') ?? around.environment.NAMESRV_ADDR ?? LOCAL).split(';')
  const admin = new Admin(servers.map((each) => each.trim()).filter((each) => each !== ''))
  const out = new Output(around.stdout, options.hasOwn('json'))
  try {
    await command.run({ options, admin, out, stopped: around.stopped })
    return 0
  } catch (error) {
    around.stderr(`mqadmin ${command.name}: ${explain(error)}\n`)
    return options.hasOwn('apache-exit-codes') ? 0 : FAILED
  } finally {
    await admin.close()
  }
}

/** An error that nobody foresaw is a bug, and shows where it is. */
function explain(error: unknown): string {
  const text = failureText(error)
  if (text !== null) return text
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
