/**
 * What `mqnamesrv` and `mqbroker` do before they start anything: read the command line and the
 * config file, answer `-h`, `-p` and `-m`, and say what is wrong in Apache's words with its exit code.
 */
import { ConfigError, type Declaration, loadConfig } from '../config/load.ts'
import type { ConfigOf, Environment, Settings } from '../config/setting.ts'
import { type Arguments, parseArguments, type Program, usage, UsageError } from './arguments.ts'
import { ExitCode } from './exit-code.ts'
import { configLines, consoleLine } from './print-config.ts'

/** Print this and go on with `config`. */
export interface Prepared<S extends Settings> {
  readonly config: ConfigOf<S>
  /** Where it was read from (-c). */
  readonly configFile?: string
  readonly stdout: string
  readonly stderr: string
}

/** Print this and end. */
export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandLine {
  /** Without node and the script. */
  readonly argv: readonly string[]
  readonly environment: Environment
}

/** Reads and checks everything; touches nothing but the config file. */
export function prepareStart<S extends Settings>(
  program: Program,
  declaration: Declaration<S>,
  { argv, environment }: CommandLine,
): Prepared<S> | Ended {
  try {
    const given = parseArguments(argv, program)
    if (given.help === true) return ended(ExitCode.OK, usage(program))
    const prepared = prepare(program, declaration, given, environment)
    return given.print === undefined ? prepared : printed(declaration, prepared, given.print)
  } catch (error) {
    return failed(program, error)
  }
}

/** The config of this process, and the file it stands in. Prints what is to be printed and ends the process when that is all. */
export function configureProcess<S extends Settings>(
  program: Program,
  declaration: Declaration<S>,
): Pick<Prepared<S>, 'config' | 'configFile'> {
  const commandLine = { argv: process.argv.slice(2), environment: process.env }
  const start = prepareStart(program, declaration, commandLine)
  process.stdout.write(start.stdout)
  process.stderr.write(start.stderr)
  if ('exitCode' in start) process.exit(start.exitCode)
  return start
}

function prepare<S extends Settings>(
  program: Program,
  declaration: Declaration<S>,
  given: Arguments,
  environment: Environment,
): Prepared<S> {
  const { configFile } = given
  const overrides = overridesOf(program, given)
  const { config, warnings } = loadConfig(declaration, { file: configFile, overrides, environment })
  // Apache's broker says nothing about its file.
  const isSaid = program === 'mqnamesrv' && configFile !== undefined
  const stdout = isSaid ? `load config properties file OK, ${configFile}\n` : ''
  return {
    config,
    configFile,
    stdout,
    stderr: [...strayWords(given), ...warnings].map((warning) => `WARN ${warning}\n`).join(''),
  }
}

/** The scripts put the name of Apache's class first. */
const CLASS_NAME = /^org\.apache\.\S+Startup$/

/** Apache passes over them in silence: a forgotten `-c` starts a broker with all defaults. */
function strayWords({ words = [] }: Arguments): string[] {
  return words
    .filter((word) => !CLASS_NAME.test(word))
    .map((word) => `${word}: this word means nothing here; a config file is given with -c`)
}

/** Apache 5.3.3: `-n` means nothing to the name server, and its `-c` file is where it writes changes to. */
function overridesOf(program: Program, { configFile, namesrvAddr }: Arguments) {
  const overrides: Record<string, string> = {}
  if (program === 'mqbroker' && namesrvAddr !== undefined) overrides.namesrvAddr = namesrvAddr
  if (program === 'mqnamesrv' && configFile !== undefined) overrides.configStorePath = configFile
  return overrides
}

function printed<S extends Settings>(
  declaration: Declaration<S>,
  { config, stdout, stderr }: Prepared<S>,
  which: 'all' | 'important',
): Ended {
  const now = Date.now()
  const lines = configLines(declaration, config, which).map((line) => consoleLine(line, now))
  return { exitCode: ExitCode.OK, stdout: `${stdout}${lines.join('\n')}\n`, stderr }
}

function failed(program: Program, error: unknown): Ended {
  if (error instanceof UsageError)
    return { exitCode: ExitCode.USAGE, stdout: usage(program), stderr: `${error.message}\n` }
  if (!(error instanceof ConfigError)) throw error
  if (error.key === 'namesrvAddr') return ended(ExitCode.BAD_ADDRESS, badAddress(error.value))
  return { exitCode: ExitCode.FAILED, stdout: '', stderr: `${program}: ${error.message}\n` }
}

function badAddress(value: string): string {
  const example = '"127.0.0.1:9876;192.168.0.1:9876"'
  return `The Name Server Address[${value}] illegal, please set it as follows, ${example}\n`
}

function ended(exitCode: number, stdout: string): Ended {
  return { exitCode, stdout, stderr: '' }
}
