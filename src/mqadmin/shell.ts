import { createInterface, type Interface } from 'node:readline'
import type { Command } from './command.ts'
import { allOptions } from './options.ts'
import { splitWords, WordsError } from './words.ts'

/** Where lines come from. `output` is where they are shown while they are typed. */
export interface ShellStreams {
  input: NodeJS.ReadableStream
  output: NodeJS.WritableStream
  /** Somebody types: there are a prompt, a history and completion by Tab. */
  isTerminal: boolean
}

export interface ShellParts {
  /** Runs one line. Resolves with its exit code. */
  run: (words: readonly string[], stopped: AbortSignal) => Promise<number>
  commands: readonly Command[]
  stderr: (text: string) => void
}

const PROMPT = 'mqadmin> '
const ENDS = /^(exit|quit)$/i

/**
 * Runs lines until there are no more, or one says `exit`. Connections stay from one to the next. Resolves with 1 when
 * one of them failed and nobody typed them, so that a file of lines can be checked.
 */
export async function runShell(streams: ShellStreams, parts: ShellParts): Promise<number> {
  const { input, output, isTerminal: terminal } = streams
  const completer = (line: string) => completions(line, parts.commands)
  const lines = createInterface({ input, output, terminal, completer, prompt: PROMPT })
  const current: Current = { stop: null }
  lines.on('SIGINT', () => interrupt(lines, current))
  let hasFailed = false
  if (terminal) lines.prompt()
  for await (const line of lines) {
    const words = wordsOf(line, parts)
    if (words?.length === 1 && ENDS.test(words[0]!)) break
    if (words === null || (words.length > 0 && !(await runLine(words, parts, current)))) {
      hasFailed = true
    }
    if (terminal) lines.prompt()
  }
  lines.close()
  return hasFailed && !terminal ? 1 : 0
}

/** The command that runs, if any. */
interface Current {
  stop: AbortController | null
}

/** Ctrl-C ends the command that runs, else the line that is typed; not the shell. */
function interrupt(lines: Interface, { stop }: Current): void {
  if (stop !== null) return stop.abort()
  lines.write(null, { ctrl: true, name: 'e' })
  lines.write(null, { ctrl: true, name: 'u' })
  lines.prompt()
}

/** Null: it has been said why there are none. A line may begin as it would outside, and may be a comment. */
function wordsOf(line: string, { stderr }: ShellParts): string[] | null {
  if (line.trimStart().startsWith('#')) return []
  try {
    const words = splitWords(line)
    return words[0] === 'mqadmin' ? words.slice(1) : words
  } catch (error) {
    if (!(error instanceof WordsError)) throw error
    stderr(`mqadmin shell: ${error.message}\n`)
    return null
  }
}

async function runLine(
  words: readonly string[],
  { run }: ShellParts,
  current: Current,
): Promise<boolean> {
  current.stop = new AbortController()
  try {
    return (await run(words, current.stop.signal)) === 0
  } finally {
    current.stop = null
  }
}

/** For readline: what the last word could become, and that word. */
export function completions(line: string, commands: readonly Command[]): [string[], string] {
  const words = line.trimStart().split(/\s+/)
  const last = words.at(-1) ?? ''
  const [first = ''] = words
  const isName = words.length === 1 || (words.length === 2 && first.toLowerCase() === 'help')
  const command = commands.find(({ name }) => name.toLowerCase() === first.toLowerCase())
  const all = isName ? namesOf(commands) : command === undefined ? [] : optionsOf(command)
  const lower = last.toLowerCase()
  return [
    all.filter((each) => each.toLowerCase().startsWith(lower)).map((each) => `${each} `),
    last,
  ]
}

function namesOf(commands: readonly Command[]): string[] {
  return [...commands.map(({ name }) => name), 'help', 'exit']
}

function optionsOf(command: Command): string[] {
  return allOptions(command).flatMap(({ short, long, isLongOnly }) =>
    isLongOnly === true ? [`--${long}`] : [`-${short}`, `--${long}`],
  )
}
